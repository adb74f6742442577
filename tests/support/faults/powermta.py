"""Faults of PowerMTA: it takes no files."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faults.place import Place, Row
from faults.submissions import SINGLE, outcomes


def waiting(pickup: Path, count: int) -> list[Path]:
    """Files that PowerMTA does not take."""
    files = [pickup / f"waits-{number}.eml" for number in range(count)]
    for file in files:
        file.touch()
    return files


def too_deep(place: Place):
    client = place.client("--max-depth", "30")
    files: list[Path] = []

    def end() -> None:
        for file in files:
            file.unlink()

    return place.refusing(client, lambda: files.extend(waiting(client.daemon.pickup, 31)), end, looks=True)


def too_old(place: Place):
    client = place.client("--max-age", "1h")
    old = client.daemon.pickup / "waits.eml"

    def age() -> None:
        old.touch()
        then = time.time() - 2 * 3600
        os.utime(old, (then, then))

    return place.refusing(client, age, old.unlink, looks=True)


@contextmanager
def not_watched(place: Place) -> Iterator[Row]:
    client = place.client()
    waiting(client.daemon.pickup, 100)
    (outcome,) = outcomes(client.ask("POST", "/messages", SINGLE))
    found = "the file" if len(client.daemon.files()) == 101 else "?"
    yield Row(outcome.answer, outcome.retry_after or "", found, client.ready())
