"""Where faults are brought about, and what is found of them."""

import fcntl
import os
import struct
import subprocess
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from daemon import Daemon
from faults.submissions import FILES, REQUESTS, Client
from lossy_disks import needs


@dataclass(frozen=True)
class Row:
    """What the table says of a fault, and what is found."""

    answer: str
    retry_after: str
    found: str
    ready: str


@dataclass
class Place:
    """Where a fault is brought about."""

    binary: Path
    start_daemon: Callable[..., Daemon]
    folder: Path
    # Whether the daemon has handed over messages before, under keys too, and so has files open.
    is_used: bool
    stack: ExitStack

    def disk(self, size: int = 16 << 20, *options: str) -> Path:
        """A file system of its own, ext4 in a file, with a pickup directory."""
        image, disk = self.folder / "disk.img", self.folder / "disk"
        with image.open("wb") as file:
            file.truncate(size)
        disk.mkdir()
        needs("mkfs.ext4")
        try:
            subprocess.run(["mkfs.ext4", "-q", "-m", "0", *options, image], check=True, capture_output=True)
            self.mount()
        except subprocess.CalledProcessError as error:
            pytest.skip(f"there is no ext4 in a file here: {error}")
        self.stack.callback(subprocess.run, ["umount", "-l", disk], check=False, capture_output=True)
        (disk / "pickup").mkdir()
        subprocess.run(["sync", "-f", disk], check=True)
        return disk

    def mount(self) -> None:
        # Written out by the disk's own time as late as can be: what is not synced is lost in a power cut.
        command = ["mount", "-o", "loop,commit=300", self.folder / "disk.img", self.folder / "disk"]
        subprocess.run(command, check=True, capture_output=True)

    def client(self, *options: str, pickup: Path | None = None, **more: object) -> Client:
        daemon = self.start_daemon(*options, pickup=pickup or self.folder / "pickup", **more)
        client = Client(daemon)
        self.stack.callback(client.connection.close)
        if self.is_used:
            client.taken("before")
        return client

    @contextmanager
    def refusing(
        self,
        client: Client,
        fault: Callable,
        end: Callable,
        *,
        kinds: Collection[str] = REQUESTS,
        is_seen: bool = True,
        looks: bool = False,
    ) -> Iterator[Row]:
        """What a fault looks like that these kinds of submissions meet, and that after its end all is well without a
        restart.

        `is_seen` says whether a look at the directory shows it. Where the daemon `looks` every second, its end takes a
        moment too.
        """
        fault()
        # What was found before the fault is good for a second.
        ready = client.wait_until_ready_is(lambda found: (found != "ok") == is_seen)
        before = self.names(client)
        outcome = client.refused("during", kinds)
        appeared = sorted(set(self.names(client)) - set(before))
        taken = sum(count for kind, count in FILES.items() if kind not in kinds)
        if "batch" in kinds and "single" not in kinds:
            taken += 1
        assert len(appeared) == taken, appeared
        yield Row(outcome.answer, outcome.retry_after or "", "nothing", ready)
        for name in appeared:
            (client.daemon.pickup / name).unlink()
        end()
        if looks:
            client.wait_until_ready_is(lambda found: found == "ok")
        # No key was used up.
        client.taken("during" if kinds == REQUESTS else "after")
        client.wait_until_ready_is(lambda found: found == "ok")

    def names(self, client: Client) -> list[str]:
        """What is in the pickup directory, if there is one."""
        with suppress(FileNotFoundError):
            return [path.name for path in client.daemon.files()]
        return []


# _IOR('X', 125, __u32), and to leave out what the journal has not written yet: linux/ext4.h.
SHUT_DOWN, NO_FLUSH = 0x8004_587D, struct.pack("I", 2)


def cut_power(disk: Path) -> None:
    """Lets the file system die at this instant, with what is on the disk and no more."""
    assert os.path.ismount(disk), "this is to be no disk that somebody needs"
    folder = os.open(disk, os.O_RDONLY)
    try:
        fcntl.ioctl(folder, SHUT_DOWN, NO_FLUSH)
    except OSError as error:
        pytest.skip(f"ext4 cannot be shut down here: {error}")
    finally:
        os.close(folder)
