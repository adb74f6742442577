"""System calls of a process, by strace."""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

IN_CI = os.environ.get("CI") == "true"
MISSING = shutil.which("strace") is None
# In continuous integration a missing strace is an error, not a reason to skip.
needs_strace = pytest.mark.skipif(MISSING and not IN_CI, reason="strace is not installed")

CALLS = "openat,open,creat,write,writev,pwrite64,pwritev,pwritev2,fsync,fdatasync,sync_file_range,syncfs,sync"
CALLS += ",linkat,link,rename,renameat,renameat2,sendto,sendmsg,unlink,unlinkat,mkdir,io_uring_setup"


@dataclass(frozen=True)
class Call:
    """A finished call: name, arguments and result as strace shows them, and the file that it opened."""

    name: str
    arguments: str
    result: int
    opened: str
    started: int
    ended: int

    @property
    def path(self) -> str:
        """The file behind the first descriptor: `3</a/b>` shows as `/a/b`, and a deleted mark is left out."""
        match = re.match(r"\d+<(.*?)>(?:\(deleted\))?(?:,|$)", self.arguments)
        return match[1] if match else ""


def trace(output: Path) -> tuple[str, ...]:
    """The command that runs another one under strace, descriptors shown with their files, and what is written as a
    whole: text as it is, bytes in hexadecimal.

    `-D` keeps strace from standing between the test and the process: signals go to the process itself.
    """
    options = ("-D", "-f", "--seccomp-bpf", "-yy", "-x", "-s", str(1 << 20), "-e", f"trace={CALLS}")
    return ("strace", *options, "-o", str(output), "--")


def read_trace(output: Path) -> list[Call]:
    """The finished calls in the order in which they ended. `started` and `ended` are line numbers of the trace."""
    pending: dict[str, tuple[int, str]] = {}
    calls = []
    for number, line in enumerate(output.read_text(errors="replace").splitlines()):
        thread, _, text = line.partition(" ")
        text = text.strip()
        started = number
        if text.endswith("<unfinished ...>"):
            pending[thread] = (number, text.removesuffix("<unfinished ...>").rstrip())
            continue
        resumed = re.match(r"<\.\.\. \w+ resumed>", text)
        if resumed:
            started, begun = pending.pop(thread)
            text = begun + text[resumed.end() :]
        if text.startswith("+++ exited with "):
            calls.append(Call("exit", "", int(text.split()[3]), "", number, number))
        match = re.match(r"(\w+)\((.*)\)\s+= (-?\d+)(?:<(.*?)>)?", text)
        if match:
            calls.append(Call(match[1], match[2], int(match[3]), match[4] or "", started, number))
    return calls
