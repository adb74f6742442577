"""One process of a storm, with all its forks."""

import json
import os
import select
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from .ledger import TIMEOUT


class Process:
    """A program that is begun, killed, begun again, and ended by the end of its standard input, or by SIGTERM."""

    def __init__(self, name: str, command: list, out: int, errors: Path, ends_by_signal: bool = False):
        self.name = name
        self.command = [str(word) for word in command]
        self.out = out
        self.errors = errors
        self.ends_by_signal = ends_by_signal
        self.life = 0
        self.process: subprocess.Popen | None = None

    @property
    def is_worker(self) -> bool:
        return not self.ends_by_signal

    def start(self, **orders: object) -> None:
        self.life += 1
        root = Path(__file__).parents[3]
        places = [root / "tests/doors", root / "tests/judges", root / "tests/support", root / "python"]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, places))}
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=self.out,
                stderr=errors,
                env=environment,
                # What it starts is killed with it.
                start_new_session=True,
            )
        if self.is_worker:
            self.process.stdin.write(json.dumps({"worker": self.name, "life": self.life, **orders}).encode() + b"\n")
            self.process.stdin.flush()

    def kill(self) -> None:
        """Kills it and all that it has started, and waits until the last of these is gone."""
        assert self.process.poll() is None, f"{self.name} ended by itself: {self.complaints()}"
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(TIMEOUT)
        self.wait_for_all()

    def wait_for_all(self) -> None:
        """Each fork has the reading end of its standard input."""
        poll = select.poll()
        poll.register(self.process.stdin, 0)
        assert poll.poll(TIMEOUT * 1000), f"forks of {self.name} are still there"
        self.process.stdin.close()

    def stop(self) -> None:
        """Ends it, when it has finished what it has begun."""
        if self.ends_by_signal:
            self.process.terminate()
        else:
            # Not the end of the last line alone: forks have this end of the pipe as well.
            self.process.stdin.close()
        status = self.process.wait(TIMEOUT)
        assert status == 0, f"{self.name} ended with {status}: {self.complaints()}"
        if self.ends_by_signal:
            self.process.stdin.close()

    def end(self) -> None:
        """Whatever state it is in, with all forks."""
        if self.process:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(TIMEOUT)

    def complaints(self) -> str:
        return self.errors.read_text(errors="replace")[-4_000:]
