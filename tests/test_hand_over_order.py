"""The order proof against traces written by hand: it must see each wrong order."""

from pathlib import Path

import pytest

from hand_over_order import order_faults
from strace import read_trace

PICKUP = "/var/pickup"
GOOD = [
    '10 openat(AT_FDCWD</>, "/var/pickup", O_WRONLY|O_TMPFILE, 0660) = 11</var/pickup/#7>(deleted)',
    '10 writev(11</var/pickup/#7>(deleted), [{iov_base="x-sender", iov_len=8}], 1) = 8',
    "10 fdatasync(11</var/pickup/#7>(deleted) <unfinished ...>",
    '12 writev(13</var/pickup/#8>(deleted), [{iov_base="x-sender", iov_len=8}], 1) = 8',
    "10 <... fdatasync resumed>) = 0",
    '10 linkat(AT_FDCWD</>, "/proc/self/fd/11", 12</var/pickup>, "a.eml", AT_SYMLINK_FOLLOW) = 0',
    "10 fsync(12</var/pickup>) = 0",
    '10 writev(9<TCP:[127.0.0.1:1->127.0.0.1:2]>, [{iov_base="HTTP/1.1 200 OK a", iov_len=17}], 1) = 17',
]
FILE = "the whole file is not synced before it has its name"
DIRECTORY = "the directory is not synced between the name and the answer"


def faults(lines: list[str], tmp_path: Path) -> list[str]:
    trace = tmp_path / "trace"
    trace.write_text("\n".join(lines))
    calls = read_trace(trace)
    (answered,) = [call for call in calls if "HTTP/1.1" in call.arguments]
    return order_faults(calls, Path(PICKUP), "a.eml", answered)


def without(*numbers: int) -> list[str]:
    return [line for number, line in enumerate(GOOD) if number not in numbers]


def moved(number: int, to: int) -> list[str]:
    lines = without(number)
    return [*lines[:to], GOOD[number], *lines[to:]]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (GOOD, []),
        ([*GOOD[:2], "10 syncfs(12</var/pickup>) = 0", *GOOD[5:]], []),
        (without(1), ["nothing is written"]),
        (without(2, 4), [FILE]),
        (without(5), ["the file gets its name 0 times"]),
        ([*GOOD[:6], *GOOD[5:]], ["the file gets its name 2 times"]),
        (without(6), [DIRECTORY]),
        (moved(6, 4), [DIRECTORY]),
        (moved(7, 6), [DIRECTORY]),
        (moved(1, 4), [FILE]),
        (moved(1, 5), [FILE]),
        (moved(4, 5), [FILE]),
        ([line.replace("fdatasync(11</var/pickup/#7>", "fdatasync(11</var/pickup/#8>") for line in GOOD], [FILE]),
        ([line.replace("fdatasync resumed>) = 0", "fdatasync resumed>) = -1 EIO") for line in GOOD], [FILE]),
        ([line.replace("fsync(12</var/pickup>) = 0", "fsync(12</var/pickup>) = -1 EIO") for line in GOOD], [DIRECTORY]),
        ([line.replace("fsync(12</var/pickup>", "fsync(12</var>") for line in GOOD], [DIRECTORY]),
    ],
)
def test_order(lines: list[str], expected: list[str], tmp_path: Path):
    assert faults(lines, tmp_path) == expected


def test_a_rename_gives_a_name_too(tmp_path: Path):
    lines = [line.replace("/var/pickup/#7>(deleted)", "/var/staging/7>") for line in GOOD]
    lines[5] = '10 renameat(AT_FDCWD</>, "/var/staging/7", 12</var/pickup>, "a.eml") = 0'
    assert faults(lines, tmp_path) == []
