"""System calls of a running process fail, for as long as it takes."""

import subprocess
import time
from contextlib import suppress
from pathlib import Path

from daemon import TIMEOUT, Daemon


class Injection:
    """Lets calls of a daemon fail from `begin` to `end`: strace is attached to it, and leaves it.

    Not for `write`: by it the daemon's threads wake each other up.
    """

    def __init__(self, daemon: Daemon, calls: str, error: str):
        self.daemon = daemon
        self.calls, self.error = calls, error
        self.strace: subprocess.Popen | None = None

    def begin(self) -> None:
        self.strace = subprocess.Popen(
            [
                "strace", "-f", "-qq", "-o", "/dev/null", "-p", str(self.daemon.process.pid),
                "-e", f"trace={self.calls}", "-e", f"inject={self.calls}:error={self.error}",
            ],
            stderr=subprocess.PIPE,
        )  # fmt: skip
        self.wait_until_attached()

    def wait_until_attached(self) -> None:
        limit = time.monotonic() + TIMEOUT
        while not all("TracerPid:\t0" not in text for text in self.states()):
            assert self.strace.poll() is None, self.strace.communicate()[1]
            assert time.monotonic() < limit, "strace does not attach"

    def states(self) -> list[str]:
        states = []
        for thread in Path(f"/proc/{self.daemon.process.pid}/task").iterdir():
            # One that has ended meanwhile.
            with suppress(FileNotFoundError, ProcessLookupError):
                states.append((thread / "status").read_text())
        return states

    def end(self) -> None:
        """May be called again, or without a beginning."""
        if self.strace and self.strace.poll() is None:
            self.strace.terminate()
            self.strace.communicate()
