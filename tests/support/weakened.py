"""Builds of the daemon that are weaker on purpose: in a copy of the sources one place is changed, and nothing else.

No line of the program knows of it, so that none of this can be in a build that is shipped.
"""

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PLACE = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "weakened"


@dataclass(frozen=True)
class Change:
    """A text that is once in the sources of a crate, and what stands there instead. Line breaks do not count."""

    before: str
    after: str

    def pattern(self) -> re.Pattern:
        return re.compile(r"\s+".join(re.escape(word) for word in self.before.split()))

    def places(self, crate: Path) -> list[Path]:
        """The files that have it, as often as they do."""
        return [path for path in sorted(crate.rglob("*.rs")) for _ in self.pattern().findall(path.read_text())]

    def make(self, crate: Path) -> Path:
        (path,) = self.places(crate)
        path.write_text(self.pattern().sub(lambda _: self.after, path.read_text()))
        return path


@contextmanager
def alone() -> Iterator[None]:
    """Others wait: there is one copy."""
    PLACE.mkdir(parents=True, exist_ok=True)
    with (PLACE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def copy_sources(copy: Path) -> None:
    """What is as it was keeps its time, so that cargo builds no more than it has to."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    for name in listed.stdout.rstrip("\0").split("\0"):
        source, target = ROOT / name, copy / name
        if not source.is_file():
            target.unlink(missing_ok=True)
        elif not target.exists() or target.read_bytes() != source.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


def build(crate: str, changes: tuple[Change, ...], program: Path) -> None:
    """Builds the daemon with these changes in a crate; it takes minutes for the first time."""
    with alone():
        copy = PLACE / "source"
        copy_sources(copy)
        changed = [change.make(copy / crate / "src") for change in changes]
        try:
            command = ["cargo", "build", "--quiet", "--package", "pmtaemailapi", "--bin", "pmtaemailapi"]
            environment = {**os.environ, "CARGO_TARGET_DIR": str(PLACE / "target")}
            done = subprocess.run(
                command, cwd=copy, env=environment, check=False, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
            assert done.returncode == 0, done.stderr.decode()
            shutil.copy(PLACE / "target/debug/pmtaemailapi", program)
        finally:
            for path in {*changed}:
                path.unlink()
