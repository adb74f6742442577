"""Faults of the store of idempotency keys: submissions without keys do not meet them."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from daemon import TIMEOUT
from faults.directory import fill, free
from faults.place import Place, Row
from faults.submissions import KEY, KEYED, SINGLE, Client, clear, kind_of


def state_of(client: Client) -> Path:
    return client.daemon.pickup.with_name("pickup.state")


def use(client: Client) -> None:
    """So that it is open."""
    assert client.daemon.post(SINGLE, **{KEY: "used"}).status == 200
    clear(client.daemon)


@contextmanager
def full(place: Place) -> Iterator[Row]:
    client = place.client("--state-limit", "20kB")
    taken = sum(client.daemon.post(SINGLE, **{KEY: f"{number}"}).status == 200 for number in range(100))
    assert 10 < taken < 100
    clear(client.daemon)
    outcome = client.refused("during", KEYED)
    yield Row(outcome.answer, outcome.retry_after, "nothing", client.wait_until_ready_is(lambda found: found != "ok"))
    client.daemon.stop()
    clear(client.daemon)
    place.client("--state-limit", "1MB").taken("during")


@contextmanager
def removed(place: Place) -> Iterator[Row]:
    """The first to meet it are refused, the next begin another."""
    client = place.client()
    use(client)
    shutil.rmtree(state_of(client))
    answer = client.daemon.post(SINGLE, **{KEY: "first"})
    found = "nothing" if client.daemon.files() == [] else "?"
    yield Row(f"{answer.status} `{kind_of(answer.json())}`", answer.headers["Retry-After"], found, client.ready())
    client.taken("after")
    assert (state_of(client) / "keys.redb").exists()


@contextmanager
def damaged(place: Place) -> Iterator[Row]:
    """What is in memory is good; what is on the disk is found out by the next look, at the next start at the latest."""
    client = place.client()
    for number in range(30):
        client.daemon.post(SINGLE, **{KEY: f"{number}"})
    client.daemon.signal(9)
    client.daemon.wait()
    store = state_of(client) / "keys.redb"
    whole = store.read_bytes()
    store.write_bytes(whole[:5000] + bytes(len(whole) - 5000))
    command = [place.binary, "--listen", "127.0.0.1:0", "--pickup", client.daemon.pickup]
    done = subprocess.run(command, capture_output=True, check=False, timeout=TIMEOUT)
    assert done.returncode != 0
    assert b"it is damaged" in done.stderr
    yield Row("none", "", "nothing", "none")
    store.unlink()
    clear(client.daemon)
    place.client().taken("after")


def disk_full(place: Place):
    disk = place.disk()
    client = place.client("--state", str(disk / "state"))
    return place.refusing(client, lambda: fill(disk), lambda: free(disk), kinds=KEYED, is_seen=False)


def in_use(place: Place):
    first = place.start_daemon()
    first.post(SINGLE, **{KEY: "first"})
    client = place.client()
    clear(client.daemon)
    return place.refusing(client, lambda: None, first.stop, kinds=KEYED)
