"""PowerMTA at one pickup directory."""

import json
import subprocess
import sys
import threading
from pathlib import Path

from .judge import Taken
from .ledger import TIMEOUT
from .process import Process


class PowerMta:
    """Takes all files out of a pickup directory from now on; `taken` holds what it took, when it has ended."""

    def __init__(self, pickup: Path, log: Path, *weaknesses: str):
        command = [sys.executable, "-m", "storm.powermta", pickup, *weaknesses]
        self.process = Process("powermta", command, subprocess.PIPE, log)
        self.process.start(again=[])
        self.taken: list[Taken] = []
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self) -> None:
        for line in self.process.process.stdout:
            self.taken.append(Taken(*json.loads(line)))

    def take_all(self) -> list[Taken]:
        """Takes what is there, and ends."""
        self.process.stop()
        self.reader.join(TIMEOUT)
        return self.taken

    def end(self) -> None:
        self.process.end()
        self.reader.join(TIMEOUT)
