"""How much memory a program takes at most, in bytes."""

import os
import re
import subprocess
import sys
from pathlib import Path

from daemon import Daemon

# A small process of its own starts the program, so that the memory of pytest is not counted.
PEAK = """
import resource, subprocess, sys
with open(sys.argv[1], "rb") as standard_input:
    done = subprocess.run(sys.argv[2:], stdin=standard_input, stdout=subprocess.DEVNULL)
print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""


def peak_of(daemon: Daemon) -> int:
    """Of a daemon since its start."""
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def peak_of_command(*command: str | Path, standard_input: str | Path = os.devnull, exit_code: int = 0) -> int:
    """Of a command, which has to end with this exit code."""
    run = [sys.executable, "-c", PEAK, standard_input, *command]
    code, peak = map(int, subprocess.run(run, capture_output=True, check=True).stdout.split())
    assert code == exit_code, command
    return peak
