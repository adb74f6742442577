"""Power cuts of real file systems: what was acknowledged is there, and of each submission all or nothing.

The disk of a loop device records what is written to it and what is flushed. So one run of the daemon gives as many
power cuts as one wants to look at: of any instant the disk is built as it was, with none, some or all of what was not
flushed by then, and the file system is mounted. Then the daemon is started on it, and what has a key is sent again.
"""

import random
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lossy_disks import Recorder, mounted, needs, skip_without_fuse
from power_load import DaemonDoor, Findings, Load, Submission, judge, left_over, submit_again
from strace import needs_strace


@dataclass(frozen=True)
class FileSystem:
    """As small as it may be, and mounted so that it writes out by itself as late as can be."""

    size: int
    make: tuple[str, ...]
    options: tuple[str, ...]
    # What of that which was not flushed is there. A disk writes its sectors whole.
    policies: tuple[str, ...] = ("nothing", "everything", "writes", "sectors", "large-sectors")


FILE_SYSTEMS = {
    "ext4": FileSystem(
        24 << 20,
        ("mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0"),
        ("commit=300",),
    ),
    "xfs": FileSystem(300 << 20, ("mkfs.xfs", "-q", "-K"), ()),
    # Its superblock has 4096 octets.
    "btrfs": FileSystem(
        128 << 20,
        ("mkfs.btrfs", "-q", "-K"),
        ("commit=300",),
        ("nothing", "everything", "writes", "large-sectors"),
    ),
}
# Calls that say they have done their work, and have not: the sync of directories, and the sync of files.
WEAK = {"directory": "fsync", "file": "fdatasync"}


@dataclass
class Run:
    """A disk with its record, and what was sent to the daemon that used it."""

    disk: Recorder
    system: FileSystem
    start: Callable[..., DaemonDoor]
    place: Path
    sent: dict[str, Submission] = field(default_factory=dict)
    # With the instant in which each was read.
    receipts: dict[str, tuple[dict, int]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    instants: range = range(0)
    repaired: int = 0
    again: int = 0

    def record(self, acknowledged: int, *options: str, **more: object) -> None:
        """Lets a daemon take submissions on the disk."""
        with ExitStack() as stack:
            disk = self.disk.folder / "disk"
            place = stack.enter_context(mounted(disk, self.place, *self.system.options))
            pickup = place / "pickup"
            pickup.mkdir()
            subprocess.run(["sync", "-f", place], check=True)
            door = self.start(pickup, *options, **more)
            try:
                begun = self.disk.now()
                with Load(door, lambda _: self.disk.now()) as load:
                    load.wait_for(acknowledged)
                self.instants = range(begun, self.disk.now() + 1)
            finally:
                door.stop()
            self.files = {path.name: path.read_bytes() for path in pickup.iterdir()}
        self.sent, self.receipts = load.sent, load.receipts

    def cut(self, policy: str, look: Callable[[Path, dict[str, dict]], Findings]) -> Findings:
        """What is found after a power cut at any instant, and what had been acknowledged by then."""
        instant, seed = random.choice(self.instants), random.randrange(1 << 32)
        receipts = {subject: receipt for subject, (receipt, read) in self.receipts.items() if read <= instant}
        with self.disk.cut(instant, policy, seed) as image, self.mounted_again(image) as place:
            findings = look(place / "pickup", receipts)
        if findings:
            print(f"instant {instant} of {self.instants}, {policy}, seed {seed}: {findings}")
        return findings

    @contextmanager
    def mounted_again(self, image: Path) -> Iterator[Path]:
        """At the same place, since the staging folder is that of this place."""
        with ExitStack() as stack:
            try:
                place = stack.enter_context(mounted(image, self.place))
            except subprocess.CalledProcessError:
                # The superblock was torn in the middle. What a host does with ext4 then at its start:
                self.repaired += 1
                subprocess.run(["e2fsck", "-y", image], check=False, capture_output=True)
                place = stack.enter_context(mounted(image, self.place))
            yield place

    def look(self, pickup: Path, receipts: dict[str, dict]) -> Findings:
        """What the file system has, as PowerMTA sees it."""
        findings = judge(pickup, [self.sent[subject] for subject in receipts], receipts, is_all=False)
        for path in pickup.iterdir():
            # It is what was written, or what is written by a daemon that was started on it.
            if self.files.get(path.name, octets := path.read_bytes()) != octets:
                findings.torn.add(path.name)
        return findings

    def go_on(self, pickup: Path, receipts: dict[str, dict]) -> Findings:
        """What there is when a daemon was started and was sent again what has a key."""
        findings = self.look(pickup, receipts)
        door = self.start(pickup)
        try:
            findings |= judge(pickup, self.sent.values(), receipts)
            findings.torn |= set(left_over(pickup, door.pid))
            keyed = [each for each in self.sent.values() if each.is_keyed]
            # All that may have been under way, and some of those before.
            open_ones = [each for each in keyed if each.subject not in receipts][:12]
            answered = [each for each in keyed if each.subject in receipts]
            found, _ = submit_again(door, pickup, open_ones + answered[-6:], receipts)
            self.again += len(open_ones + answered[-6:])
            findings |= found
            findings |= self.look(pickup, receipts)
        finally:
            door.stop()
        return findings


def skip_without(system: FileSystem, folder: Path) -> None:
    """Not every kernel has each file system, nor loop devices: tried with an ordinary file."""
    image = folder / "image"
    with image.open("wb") as file:
        file.truncate(system.size)
    subprocess.run([*system.make, image], check=True, capture_output=True)
    try:
        with mounted(image, folder / "mounted"):
            pass
    except subprocess.CalledProcessError as error:
        pytest.skip(f"{system.make[0]} makes what cannot be mounted here: {error.stderr.decode()}")
    image.unlink()


@pytest.fixture
def begin(binary: Path, tmp_path: Path) -> Iterator[Callable[[str], Run]]:
    """Makes a file system of a kind on a disk that records."""
    skip_without_fuse()
    with ExitStack() as stack:
        numbers = iter(range(1000))

        def begin(kind: str) -> Run:
            system = FILE_SYSTEMS[kind]
            needs(system.make[0])
            stack.close()
            folder = tmp_path / f"{next(numbers)}"
            folder.mkdir()
            skip_without(system, folder)
            disk = stack.enter_context(Recorder(folder / "disk", system.size))
            subprocess.run([*system.make, disk.folder / "disk"], check=True, capture_output=True)
            return Run(disk, system, start, folder / "mounted")

        def start(pickup: Path, *options: str, wrapper: tuple[str, ...] = ()) -> DaemonDoor:
            door = DaemonDoor(binary, pickup, *options, wrapper=wrapper)
            door.start()
            return door

        yield begin


@pytest.mark.parametrize("kind", FILE_SYSTEMS)
def test_what_was_acknowledged_is_there(begin: Callable[[str], Run], kind: str, long: bool):
    runs, cuts = (13, 50) if long else (1, 10 if kind == "ext4" else 4)
    findings, begun = Findings(), time.monotonic()
    acknowledged = files = repaired = again = 0
    for _ in range(runs):
        run = begin(kind)
        run.record(300 if long else 60)
        for number in range(cuts):
            findings |= run.cut(run.system.policies[number % len(run.system.policies)], run.go_on)
        acknowledged += len(run.receipts)
        files += len(run.files)
        repaired += run.repaired
        again += run.again
    print(
        f"{kind}: {runs * cuts} cuts, {acknowledged} acknowledged, {files} files, {again} keys sent again, "
        f"{repaired} repaired, {time.monotonic() - begun:.0f} s"
    )
    assert not findings


@needs_strace
@pytest.mark.parametrize("weakness", ["none", *WEAK])
def test_the_proof_sees_a_daemon_that_does_not_sync(begin: Callable[[str], Run], weakness: str, long: bool):
    for kind in FILE_SYSTEMS if long else ["ext4"]:
        run = begin(kind)
        if weakness in WEAK:
            call = WEAK[weakness]
            trace = ("strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}")
            run.record(100, wrapper=(*trace, "-e", f"inject={call}:retval=0", "--"))
        else:
            run.record(100, "--durability", "none")
        caught = cuts = 0
        while cuts < 50 and (long or not caught):
            cuts += 1
            caught += bool(run.cut("nothing", run.look))
        print(f"{kind}, without the sync ({weakness}): {caught} of {cuts} cuts lost or tore what was acknowledged")
        assert caught
