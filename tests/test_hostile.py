"""Every line of `hostile.jsonl` is refused behind every door, and leaves no file."""

import make_hostile
from daemon import Daemon
from doors import Door, Refused

LINES = make_hostile.FILE.read_bytes().splitlines()


def test_the_list_is_fresh():
    assert make_hostile.FILE.read_text(encoding="ascii") == make_hostile.lines()
    assert len(LINES) >= 300


def test_hostile_messages_are_refused(door: Door):
    taken = [line for line in LINES if not is_refused(door, line)]
    assert taken == []


def is_refused(door: Door, line: bytes) -> bool:
    try:
        door.check(line)
    except Refused as refused:
        return bool(refused.problems)
    return False


def test_hostile_messages_leave_no_file(daemon: Daemon):
    assert {daemon.post(line).status for line in LINES} <= {400, 422}
    assert daemon.files() == []
