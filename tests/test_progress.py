"""A bar on a terminal for what takes long; nothing elsewhere."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import threading
from pathlib import Path

import pytest

from crowd import HEAD, as_lines, crowd, recipient

SHORT = as_lines(HEAD, crowd(3))
MERGING = re.compile(rb"\[[=> ]{30}\] [\d,]+ recipients, [\d,]+/s, \d+m?s left")


class Terminal:
    """A program whose standard error is a terminal, which a thread reads all the time: it has little room."""

    def __init__(self, *command: object, **environment: str):
        self.side, other = pty.openpty()
        fcntl.ioctl(self.side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 120, 0, 0))
        pipe = subprocess.PIPE
        environment = {**os.environ, "TERM": "xterm", **environment}
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=other, env=environment)
        os.close(other)
        self.shown = b""
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()
        self.reader.join()
        os.close(self.side)

    def read(self) -> None:
        try:
            while piece := os.read(self.side, 65536):
                self.shown += piece
        except OSError:
            # Nobody has the other side open any more.
            return

    def end(self) -> tuple[int, bytes]:
        out, _ = self.process.communicate(timeout=120)
        self.reader.join()
        return self.process.returncode, out


def feed_until_shown(terminal: Terminal) -> int:
    """Writes a merge until there is something to see, and ends it; how many recipients it has."""
    head = {**HEAD, "unsubscribe": {"url": "https://example.com/leave"}}
    terminal.process.stdin.write(json.dumps(head).encode() + b"\n")
    count = 0
    while not terminal.shown:
        lines = (json.dumps(recipient(n)).encode() + b"\n" for n in range(count, count + 500))
        terminal.process.stdin.write(b"".join(lines))
        terminal.process.stdin.flush()
        count += 500
        assert count < 10_000_000
    return count


@pytest.mark.parametrize("command", ["submit", "check", "render"])
def test_what_takes_long_has_a_bar(binary: Path, pickup: Path, command: str):
    where = ["--pickup", pickup, "--durability", "none"] if command == "submit" else []
    with Terminal(binary, command, *where, "--ndjson") as terminal:
        count = feed_until_shown(terminal)
        assert re.search(rb"[\d.]+ (KiB|MiB|GiB) read", terminal.shown)
        code, out = terminal.end()
        assert code == 0
        assert MERGING.search(terminal.shown)
        if command == "submit":
            assert json.loads(out)["recipients"] == count
        # The last that is done is to clear the line.
        assert re.search(rb"\r?\x1b\[2K\r?$|\x1b\[J$", terminal.shown), terminal.shown[-100:]


def test_the_bar_is_gone_before_problems_are_printed(binary: Path, pickup: Path):
    with Terminal(binary, "submit", "--pickup", pickup, "--ndjson") as terminal:
        count = feed_until_shown(terminal)
        terminal.process.stdin.write(b'"nobody"\n')
        code, _ = terminal.end()
        assert code == os.EX_DATAERR
        bar, problem = terminal.shown.rsplit(b"\x1b[2K", 1)
        assert MERGING.search(bar)
        assert not MERGING.search(problem)
        assert f"/recipients/{count}: invalid_address: " in problem.decode()


def test_what_is_soon_done_has_none(binary: Path, pickup: Path):
    with Terminal(binary, "submit", "--pickup", pickup, "--ndjson") as terminal:
        terminal.process.stdin.write(SHORT)
        assert terminal.end()[0] == 0
        assert terminal.shown == b""


def test_a_dumb_terminal_has_none(binary: Path, pickup: Path):
    with (
        Terminal(binary, "submit", "--pickup", pickup, "--ndjson") as terminal,
        Terminal(binary, "submit", "--pickup", pickup, "--ndjson", TERM="dumb") as dumb,
    ):
        dumb.process.stdin.write(SHORT)
        dumb.process.stdin.flush()
        # As long as it takes with the other.
        feed_until_shown(terminal)
        dumb.process.stdin.write(b"".join(json.dumps(recipient(n)).encode() + b"\n" for n in range(1_000)))
        assert dumb.end()[0] == 0
        assert dumb.shown == b""


def test_what_is_no_terminal_has_none(binary: Path, pickup: Path):
    """Standard error is a file, while the same work on a terminal has a bar."""
    with (
        Terminal(binary, "submit", "--pickup", pickup, "--ndjson") as terminal,
        (pickup.parent / "errors").open("w+b") as errors,
    ):
        command = [binary, "submit", "--pickup", pickup, "--ndjson"]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=errors) as other:
            other.stdin.write(SHORT)
            other.stdin.flush()
            feed_until_shown(terminal)
            out, _ = other.communicate(b"".join(json.dumps(recipient(n)).encode() + b"\n" for n in range(1_000)))
        assert (other.returncode, json.loads(out)["recipients"]) == (0, 1_003)
        errors.seek(0)
        assert errors.read() == b""
