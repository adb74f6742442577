"""What workers tell: a pipe whose content outlives them."""

import itertools
import json
import os
import threading
from collections import defaultdict
from pathlib import Path

from .judge import Told
from .message import Work

TIMEOUT = 120


class Ledger:
    """Lines of JSON from all workers. Each is short enough to be written at once, or not at all.

    `["begun", worker, tag, kind, lines]` before a submission under a key, `["told", tag, id, files]` after each that
    was acknowledged, `["killed"]` for each process that a worker has killed itself, `["failed", text]`.
    """

    def __init__(self) -> None:
        self.reads, self.writes = os.pipe()
        self.begun: dict[str, dict[str, Work]] = defaultdict(dict)
        self.told: list[Told] = []
        self.known: set[str] = set()
        self.killed = 0
        self.failures: list[str] = []
        self.marks = itertools.count()
        self.seen = -1
        self.news = threading.Condition()
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self) -> None:
        with os.fdopen(self.reads, "rb") as lines:
            for line in lines:
                with self.news:
                    self.take(*json.loads(line))
                    self.news.notify_all()

    def take(self, event: str, *values: object) -> None:
        if event == "begun":
            worker, tag, kind, lines = values
            self.begun[worker].setdefault(tag, Work(tag, kind, lines, is_keyed=True))
        elif event == "told":
            self.told.append(Told(*values))
            self.known.add(values[0])
        elif event == "killed":
            self.killed += 1
        elif event == "failed":
            self.failures.append(*values)
        else:
            (self.seen,) = values

    def catch_up(self) -> None:
        """Until all is read that was written before."""
        mark = next(self.marks)
        os.write(self.writes, json.dumps(["mark", mark]).encode() + b"\n")
        with self.news:
            assert self.news.wait_for(lambda: self.seen >= mark, TIMEOUT), "the ledger hangs"

    def wait_for_more(self, count: int) -> None:
        with self.news:
            wanted = len(self.told) + count
            assert self.news.wait_for(lambda: len(self.told) >= wanted, TIMEOUT), "nothing is acknowledged any more"

    def close(self) -> None:
        os.close(self.writes)
        self.thread.join(TIMEOUT)
        assert not self.thread.is_alive()


def files_of(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*")] if folder.is_dir() else []


def strays(state: Path) -> list[str]:
    """What is in a folder for stores of keys and is none."""
    return [str(path) for path in state.rglob("*") if path.is_file() and path.name != "keys.redb"]
