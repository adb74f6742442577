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
    subprocess.run(sys.argv[2:], stdin=standard_input, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""


def peak_of(daemon: Daemon) -> int:
    """Of a daemon since its start."""
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def peak_of_command(*command: str | Path, standard_input: str | Path = os.devnull) -> int:
    """Of a command, whatever its exit code."""
    run = [sys.executable, "-c", PEAK, standard_input, *command]
    return int(subprocess.run(run, capture_output=True, check=True).stdout)
