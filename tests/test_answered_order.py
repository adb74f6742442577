"""Behind every door: synced, visible, directory synced, store committed, answered, in this order and no other."""

import time
from collections import Counter
from pathlib import Path

import pytest

from order_doors import DOORS, KEY, NAME, RECORD, faults, files_by_subject
from strace import needs_strace

# About 30 files and up to 25 submissions a round; the command has a process for each.
ROUNDS = {"daemon": 3, "command": 1, "python": 2, "node": 2}
MANY_ROUNDS = {"daemon": 100, "command": 25, "python": 120, "node": 100}
SYNCFS = pytest.mark.parametrize("options", [[], ["--no-syncfs"]], ids=["as it is", "without syncfs"])


@needs_strace
@pytest.mark.parametrize("door", DOORS)
@SYNCFS
def test_nothing_is_answered_before_it_is_durable(
    binary: Path, tmp_path: Path, pickup: Path, door: str, options: list[str], long: bool
):
    begun = time.monotonic()
    rounds = (MANY_ROUNDS if long else ROUNDS)[door]
    order, told = DOORS[door](binary, pickup, tmp_path / "trace", options, rounds)
    assert not [call for call in order.calls if call.name == "io_uring_setup"], "strace is blind to io_uring"
    files = files_by_subject(pickup)
    assert {one.decides for one in told} == {NAME, RECORD, KEY}
    assert sum(one.files for one in told) == sum(map(len, files.values()))
    found = Counter(fault for one in told for fault in faults(order, one, files))
    syncs = sum(call.name in ("fsync", "fdatasync", "syncfs") for call in order.calls)
    print(
        f"{door} {options}: {len(told)} submissions of {sum(map(len, files.values()))} files, {syncs} syncs, "
        f"{time.monotonic() - begun:.0f} s"
    )
    assert not found


@needs_strace
@pytest.mark.parametrize("door", DOORS)
def test_the_proof_sees_that_nothing_is_synced(binary: Path, tmp_path: Path, pickup: Path, door: str):
    order, told = DOORS[door](binary, pickup, tmp_path / "trace", ["--durability", "none"], 1)
    files = files_by_subject(pickup)
    for one in told:
        found = faults(order, one, files)
        assert "the whole file is not synced before it has its name" in found
        assert "the directory is not synced between the name and the answer" in found
        if one.decides == RECORD:
            assert "not synced: the record" in found
        if one.decides == KEY:
            assert "the store is not synced with the record of the key before a file is visible" in found
