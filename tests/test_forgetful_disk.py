"""A file system that forgets what was not synced: what was acknowledged is there after a power cut.

A real file system writes more to the disk than it is asked to, so that a missing sync is seen now and then. This one
writes nothing else, and knows of each file in the instant of its answer whether a power cut would leave it.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lossy_disks import ForgetfulDisk, skip_without_fuse
from power_load import DaemonDoor, Door, Findings, Load, judge, left_over, node_door, python_door, submit_again

POLICIES = ("nothing", "names", "data", "everything", "random")
# File systems without files that have no name are NFS and FUSE's; without hard links, those of other systems.
KINDS = ([], ["no-unnamed-files"], ["no-hard-links"], ["no-unnamed-files", "no-hard-links"])


@dataclass
class Trial:
    """Power cuts, and what was found after each."""

    disk: ForgetfulDisk
    door: Door
    pickup: Path
    findings: Findings = field(default_factory=Findings)
    acknowledged: int = 0
    files: int = 0
    again: int = 0
    cuts: int = 0

    def check_synced(self, receipt: dict) -> None:
        """A power cut right after the answer."""
        names = [name for name in receipt["files"] if not self.disk.is_durable(self.pickup / name)]
        self.findings.unsynced |= set(names)

    def cut(self, acknowledged: int, policy: str, *fault: str) -> None:
        """Submissions until a power cut, the next start, and the keys once more."""
        seed = random.randrange(1 << 32)
        with Load(self.door, self.check_synced, self.cuts) as load:
            load.wait_for(acknowledged // 2)
            if fault:
                self.disk.ask("fault", *fault)
            load.wait_for(acknowledged)
            self.disk.crash(policy, seed)
        self.door.kill()
        if fault:
            self.disk.ask("clear")
        self.disk.ask("power")
        self.door.start()
        receipts = {subject: receipt for subject, (receipt, _) in load.receipts.items()}
        keyed = [each for each in load.sent.values() if each.is_keyed]
        found = self.judge(load, receipts, keyed)
        if found:
            print(f"cut {self.cuts}, {policy}, seed {seed}, fault {fault}: {found}")
        self.findings |= found
        self.cuts += 1
        self.acknowledged += len(receipts)
        self.files += sum(len(receipt["files"]) for receipt in receipts.values())
        # PowerMTA takes them all.
        for path in self.pickup.iterdir():
            path.unlink()
        self.disk.ask("sync")

    def judge(self, load: Load, receipts: dict[str, dict], keyed: list) -> Findings:
        findings = Findings()
        if isinstance(self.door, DaemonDoor):
            # It has moved on what was decided before it takes anything; a package does so when it is first used.
            findings |= judge(self.pickup, load.sent.values(), receipts)
            findings.torn |= set(left_over(self.pickup, self.door.pid))
        found, again = submit_again(self.door, self.pickup, keyed, receipts)
        self.again += again
        findings |= found
        findings |= judge(self.pickup, load.sent.values(), receipts)
        return findings


@pytest.fixture
def try_disk(binary: Path, tmp_path: Path) -> Iterator[Callable[..., Trial]]:
    skip_without_fuse()
    with ExitStack() as stack:

        def begin(*options: str, door: str = "daemon", durability: str = "durable", ignore: str = "") -> Trial:
            disk = stack.enter_context(ForgetfulDisk(tmp_path / "disk", *options))
            pickup = disk.folder / "pickup"
            pickup.mkdir()
            disk.ask("sync")
            if ignore:
                disk.ask("ignore", *ignore.split())
            daemon = DaemonDoor(binary, pickup, "--durability", durability)
            doors = {"daemon": lambda: daemon, "python": lambda: python_door(pickup), "node": lambda: node_door(pickup)}
            opened = doors[door]()
            opened.start()
            stack.callback(opened.stop)
            return Trial(disk, opened, pickup)

        yield begin


@pytest.mark.parametrize("options", KINDS, ids=lambda options: " ".join(options) or "all")
def test_what_was_acknowledged_is_there(try_disk: Callable[..., Trial], options: list[str], long: bool):
    trial = try_disk(*options)
    begun = time.monotonic()
    first = random.randrange(len(POLICIES))
    for number in range(100 if long else 3):
        # The longer a sync takes, the more is under way when the power fails.
        trial.disk.ask("delay", "fsync", random.randrange(3))
        trial.disk.ask("delay", "fsyncdir", random.randrange(3))
        # A sync that fails now and then: what it should have written is never on the disk.
        fault = [(), ("fsync", "EIO", "times=2", "except=keys"), ("fsyncdir", "EIO", "times=2")][number % 3]
        trial.cut(random.randrange(5, 40), POLICIES[(first + number) % len(POLICIES)], *fault)
    print(
        f"{trial.cuts} cuts, {trial.acknowledged} acknowledged, {trial.files} files, {trial.again} keys sent again, "
        f"{time.monotonic() - begun:.0f} s"
    )
    assert not trial.findings


@pytest.mark.parametrize("door", ["python", "node"])
def test_so_it_is_in_a_process_of_an_application(try_disk: Callable[..., Trial], door: str, long: bool):
    trial = try_disk(door=door)
    for number in range(50 if long else 2):
        trial.cut(random.randrange(5, 20), POLICIES[number % len(POLICIES)])
    print(f"{trial.cuts} cuts, {trial.acknowledged} acknowledged, {trial.files} files, {trial.again} keys sent again")
    assert not trial.findings


@pytest.mark.parametrize(
    "weakness",
    [{"durability": "none"}, {"ignore": "fsync except=keys"}, {"ignore": "fsyncdir"}],
    ids=lambda weakness: next(iter(weakness.values())),
)
@pytest.mark.parametrize("options", [[], ["no-unnamed-files"]], ids=lambda options: " ".join(options) or "all")
def test_the_proof_sees_a_program_that_does_not_sync(
    try_disk: Callable[..., Trial], weakness: dict, options: list[str]
):
    """`ignore` is as if the program had not asked. A store of keys that is not synced would not be opened again."""
    trial = try_disk(*options, **weakness)
    trial.cut(10, "nothing")
    assert trial.findings.unsynced
    assert trial.findings.lost or trial.findings.torn
