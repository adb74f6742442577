"""What all workers in Python have in common."""

import json
import os
import sys
import threading
import traceback
from collections.abc import Callable

from storm.message import Work


class Orders:
    """What a worker is told at its start, and that it shall end."""

    def __init__(self) -> None:
        # Without its buffer, whose lock would be in the way when the process ends.
        self.input = sys.stdin.buffer.raw
        orders = json.loads(self.input.readline())
        self.worker = orders["worker"]
        self.life = f"{self.worker}-{orders['life']}"
        self.again = [Work(tag, kind, lines, is_keyed=True) for tag, kind, lines in orders["again"]]
        self.is_idle = orders.get("idle", False)
        self.end = threading.Event()
        threading.Thread(target=self.wait_for_end, daemon=True).start()
        global WORKER
        WORKER = self.worker

    def wait_for_end(self) -> None:
        self.input.read()
        self.end.set()

    @property
    def is_over(self) -> bool:
        return self.is_idle or self.end.is_set()


WORKER = ""


def tell(*event: object) -> None:
    """One call of the system: whoever is killed has told all of it, or nothing."""
    os.write(1, json.dumps(event).encode() + b"\n")


def guarded(work: Callable, *arguments: object) -> None:
    """The conductor hears of what goes wrong, also if it kills the worker a moment later."""
    try:
        work(*arguments)
    except BaseException:
        failure = traceback.format_exc()
        tell("failed", failure[-2_000:])
        raise


def start(work: Callable, *arguments: object) -> threading.Thread:
    thread = threading.Thread(target=guarded, args=(work, *arguments))
    thread.start()
    return thread


def begun(work: Work) -> None:
    tell("begun", WORKER, work.tag, work.kind, work.lines)


def told(tag: str, id: str, files: int) -> None:
    tell("told", tag, id, files)
