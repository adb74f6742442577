"""Disks that lose in a power cut what was not synced: the programs of `tests/support/disks`, mounted for a test."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from daemon import TIMEOUT
from strace import IN_CI

ROOT = Path(__file__).parents[2]


class LossyDisk:
    """A process that has a file system mounted and takes commands. A context manager; nothing stays mounted."""

    def __init__(self, kind: str, folder: Path, *options: str):
        self.folder = folder
        folder.mkdir()
        command = [program(), kind, folder, *options]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        # A group of its own: it is ended by this class, not by Ctrl-C in the middle of a test.
        self.process = subprocess.Popen(command, text=True, start_new_session=True, **pipes)
        self.turn = threading.Lock()
        if self.process.stdout.readline() != "ok\n":
            error = self.process.communicate()[1]
            assert "nothing may be mounted here" in error, error
            pytest.skip("no file system in user space may be mounted here")

    def __enter__(self) -> "LossyDisk":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.process.communicate(timeout=TIMEOUT)
        finally:
            self.process.kill()
            # It is mounted still if the process was killed.
            subprocess.run(["umount", "-l", self.folder], check=False, capture_output=True)

    def ask(self, *words: object) -> str:
        """A command; any thread may have one answered."""
        with self.turn:
            self.process.stdin.write(" ".join(map(str, words)) + "\n")
            self.process.stdin.flush()
            kind, _, answer = self.process.stdout.readline().rstrip("\n").partition(" ")
        assert kind == "ok", (words, answer)
        return answer


class ForgetfulDisk(LossyDisk):
    """A file system that has after a power cut what was synced before it: tests/support/disks/src/forgetful.

    Its commands are those of tests/support/disks/src/forgetful/commands.rs.
    """

    def __init__(self, folder: Path, *options: str):
        super().__init__("forgetful", folder, *options)

    def crash(self, policy: str, seed: int = 0) -> None:
        self.ask("crash", policy, seed)

    def is_durable(self, path: Path) -> bool:
        """Whether a power cut in this instant would leave a file as it is."""
        return self.ask("durable", path.relative_to(self.folder)) == "durable"


class Recorder(LossyDisk):
    """The disk of a loop device, with all that was written to it and flushed: tests/support/disks/src/blocks."""

    def __init__(self, folder: Path, size: int):
        super().__init__("blocks", folder, str(size))

    def now(self) -> int:
        return int(self.ask("now"))

    @contextmanager
    def cut(self, instant: int, policy: str, seed: int) -> Iterator[Path]:
        """What a power cut at an instant leaves, as a file."""
        name = self.ask("cut", instant, policy, seed)
        yield self.folder / name
        self.ask("drop", name)


def program() -> Path:
    built = ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "debug/test-disks"
    path = Path(os.environ.get("TEST_DISKS", built)).absolute()
    assert path.exists(), f"{path} is missing: run `cargo build --workspace` first"
    return path


def skip_without_fuse() -> None:
    """Not every machine lets file systems in user space be mounted, nor does every container."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError as error:
        pytest.skip(f"there are no file systems in user space here: {error}")


def needs(*commands: str) -> None:
    """In continuous integration a missing program is an error, not a reason to skip."""
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    missing = [command for command in commands if shutil.which(command, path=path) is None]
    assert not (missing and IN_CI), f"{', '.join(missing)}: not installed"
    if missing:
        pytest.skip(f"{', '.join(missing)}: not installed")


@contextmanager
def mounted(image: Path, folder: Path, *options: str) -> Iterator[Path]:
    """A file system on a loop device, the image behind it. It is unmounted at the end, whoever has files open there."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", ",".join(["loop", *options]), image, folder], check=True, capture_output=True)
    try:
        yield folder
    finally:
        if subprocess.run(["umount", folder], check=False, capture_output=True).returncode != 0:
            subprocess.run(["umount", "-l", folder], check=True)
