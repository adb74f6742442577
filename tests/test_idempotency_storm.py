"""kill -9, again and again, under keyed load: under each key one submission is handed over."""

import random
import time
from pathlib import Path

import pytest

from keyed_load import Load, Reader, Service, any_kind


@pytest.mark.parametrize("durability", ["durable", "none"])
def test_each_key_is_one_submission(binary: Path, pickup: Path, durability: str, long: bool):
    kills = 300 if long else 15
    begun = time.monotonic()
    with Service(binary, pickup, "--durability", durability) as service, Reader(pickup) as reader:
        with Load(service) as load:
            for _ in range(kills - 1):
                load.wait_for_some()
                service.kill()
        # Some are tried again after the reader took their files, across a restart.
        service.kill()
        sample = random.sample(sorted(load.kinds), min(20, len(load.kinds)))
        again = [told for key in sample for told in any_kind(service, key, load.kinds[key]).items()]
    reader.take()
    assert all(told == (load.receipts[key], True) for key, told in again)
    assert len(load.receipts) > kills
    print(
        f"{kills} kills, {len(load.receipts)} keys, {sum(reader.taken.values())} files, {load.replayed[True]} receipts "
        f"given again, {time.monotonic() - begun:.0f} s"
    )
    assert not reader.damaged
    assert max(reader.taken.values()) == 1, "a file came twice"
    assert reader.names == {key: set(receipt["files"]) for key, receipt in load.receipts.items()}
    # Without syncs there is next to no time between the record and the answer.
    assert load.replayed[True] > 0 or durability == "none", "no answer was lost on its way"
    assert list(pickup.with_name("pickup.staging").iterdir()) == []
