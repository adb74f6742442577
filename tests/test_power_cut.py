"""The power fails, again and again: what was acknowledged is there, and of each submission all or nothing.

The disk is ext4 in a file. Its file system is shut down at an instant without writing its journal out: what it
has not written to the disk by then is lost, and mounting it again finds what a real power cut would have left of it.
"""

import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from daemon import Daemon
from faults import Place, cut_power
from keyed_load import Load, Reader, Service
from raw_http import MESSAGE


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


def test_the_proof_sees_a_daemon_that_does_not_sync(place: Place):
    pickup = place.disk(64 << 20) / "pickup"
    daemon = place.start_daemon("--durability", "none", pickup=pickup)
    assert [daemon.post(MESSAGE).status for _ in range(20)] == [200] * 20
    power_fails(place, daemon)
    # Nor was the directory itself synced when it was made.
    assert not pickup.exists() or len(list(pickup.iterdir())) < 20
