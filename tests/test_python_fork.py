"""Processes that fork while their threads hand over, as gunicorn --preload, Celery and multiprocessing do.

The pre-fork kind, whose forks live long, is among the storms of test_kill_storm.py.
"""

import time
from pathlib import Path

import pytest

from storm.conductor import Storm
from storm.judge import Verdict
from storm.ledger import TIMEOUT

WAYS = ["threads", "generations", "keys", "fork", "forkserver", "spawn"]


@pytest.mark.parametrize("way", WAYS)
def test_forks_can_use_the_pickup_of_their_parent(binary: Path, tmp_path: Path, way: str, long: bool):
    """A third of them is killed, and now and then the parent with all of them."""
    begun = time.monotonic()
    with Storm(binary, tmp_path) as storm:
        storm.add_python_forks(way)
        storm.run(*((40, 60) if long else (4, 20)))
        verdict = storm.end()
    print(f"{way}: {storm.summary()}, {time.monotonic() - begun:.0f} s")
    assert verdict == Verdict()
    assert storm.ledger.killed or not long


def test_a_fork_that_hangs_is_seen(binary: Path, tmp_path: Path):
    with Storm(binary, tmp_path) as storm:
        storm.add_python_forks("hangs")
        with storm.ledger.news:
            assert storm.ledger.news.wait_for(lambda: storm.ledger.failures, TIMEOUT)
        with pytest.raises(AssertionError, match=r"a fork (ended with -14|hangs)"):
            storm.end()
