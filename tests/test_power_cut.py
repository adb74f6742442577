"""The power fails, again and again: what was acknowledged is there, and of each submission all or nothing.

The disk is ext4 in a file. Its file system is shut down at an instant without writing its journal out: what it
has not written to the disk by then is lost, and mounting it again finds what a real power cut would have left of it.
"""

import json
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from daemon import Daemon
from faults.place import Place, cut_power
from faults.submissions import KEY, REQUESTS
from keyed_load import Load, Reader, Service


@pytest.fixture
def place(binary: Path, start_daemon, tmp_path: Path):
    with ExitStack() as stack:
        yield Place(binary, start_daemon, tmp_path, False, stack)


def power_fails(place: Place, daemon: Daemon) -> None:
    cut_power(place.folder / "disk")
    daemon.signal(9)
    daemon.wait()
    subprocess.run(["umount", place.folder / "disk"], check=True)
    place.mount()


class Powered(Service):
    """One whose host loses power."""

    # What it says when the disk has gone, in the moment before it goes itself.
    tolerated = (409, 500, 503)

    def cut(self, place: Place) -> None:
        self.is_up.clear()
        power_fails(place, self.daemon)
        self.daemon = self.start()
        self.is_up.set()


def test_each_key_is_one_submission(place: Place, long: bool):
    cuts = 100 if long else 4
    pickup = place.disk(64 << 20) / "pickup"
    # It takes nothing away before the end: what it removes and does not sync would come back. So what was
    # acknowledged and lost at a cut is missing at the end.
    reader = Reader(pickup)
    with Powered(place.binary, pickup) as service, Load(service) as load:
        for _ in range(cuts):
            load.wait_for_some()
            service.cut(place)
    reader.take()
    given_again = load.replayed[True]
    print(f"{cuts} cuts, {len(load.receipts)} keys, {len(reader.taken)} files, {given_again} receipts given again")
    assert not reader.damaged
    assert reader.names == {key: set(receipt["files"]) for key, receipt in load.receipts.items()}
    assert list(pickup.with_name("pickup.staging").rglob("*")) == []


def lost(place: Place, durability: str) -> set[str]:
    """Which kinds of submissions lose something when the power fails as soon as they are answered."""
    pickup = place.disk(64 << 20) / "pickup"
    found = set()
    for kind, (path, body, headers) in REQUESTS.items():
        daemon = place.start_daemon("--durability", durability, pickup=pickup)
        answer = daemon.post(body, path, **{**headers, **({KEY: kind} if KEY in headers else {})})
        assert answer.status == 200
        files = {name for line in answer.body.splitlines() for name in json.loads(line)["files"]}
        power_fails(place, daemon)
        # It does not last for more than this: nothing was synced when it was made.
        pickup.mkdir(exist_ok=True)
        # What was decided is moved on by the next start.
        place.start_daemon("--durability", durability, pickup=pickup).stop()
        if not files <= {path.name for path in pickup.iterdir()}:
            found.add(kind)
    return found


def test_what_was_answered_is_there(place: Place):
    assert lost(place, "durable") == set()


def test_the_proof_sees_a_daemon_that_does_not_sync(place: Place):
    assert lost(place, "none")
