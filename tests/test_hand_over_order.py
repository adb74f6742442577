"""The order proof against traces written by hand: it must see each wrong order."""

from pathlib import Path

import pytest

from hand_over_order import Order
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
    return Order(calls, Path(PICKUP)).file_faults("a.eml", answered)


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


# ---- several files

FOLDER = "/var/pickup.staging/pmtaemail-10-0-0123456789abcdef.private"
SEVERAL = [
    '10 openat(AT_FDCWD</>, "/var/pickup", O_WRONLY|O_TMPFILE, 0660) = 11</var/pickup/#7>(deleted)',
    '10 writev(11</var/pickup/#7>(deleted), [{iov_base="x-sender", iov_len=8}], 1) = 8',
    '10 openat(AT_FDCWD</>, "/var/pickup", O_WRONLY|O_TMPFILE, 0660) = 12</var/pickup/#8>(deleted)',
    '10 writev(12</var/pickup/#8>(deleted), [{iov_base="x-sender", iov_len=8}], 1) = 8',
    f'10 linkat(AT_FDCWD</>, "/proc/self/fd/11", 13<{FOLDER}>, "0.a.eml", AT_SYMLINK_FOLLOW) = 0',
    f'10 linkat(AT_FDCWD</>, "/proc/self/fd/12", 13<{FOLDER}>, "0.b.eml", AT_SYMLINK_FOLLOW) = 0',
    "10 fdatasync(11</var/pickup/#7>(deleted)) = 0",
    "10 fdatasync(12</var/pickup/#8>(deleted)) = 0",
    "10 fsync(14</var/pickup.staging>) = 0",
    f"10 fsync(13<{FOLDER}>) = 0",
    f'10 openat(AT_FDCWD</>, "{FOLDER}/decided-0", O_WRONLY|O_CREAT|O_EXCL, 0666) = 15<{FOLDER}/decided-0>',
    f"10 fsync(13<{FOLDER}>) = 0",
    f'10 renameat2(AT_FDCWD</>, "{FOLDER}/0.a.eml", 16</var/pickup>, "a.eml", RENAME_NOREPLACE) = 0',
    f'10 renameat2(AT_FDCWD</>, "{FOLDER}/0.b.eml", 16</var/pickup>, "b.eml", RENAME_NOREPLACE) = 0',
    "10 fsync(16</var/pickup>) = 0",
    f"10 fsync(13<{FOLDER}>) = 0",
    f'10 unlink("{FOLDER}/decided-0") = 0',
    '10 write(1</dev/null>, "HTTP/1.1 said", 13) = 13',
]


def faults_of_several(lines: list[str], tmp_path: Path, is_keyed: bool = False) -> list[str]:
    trace = tmp_path / "trace"
    trace.write_text("\n".join(lines))
    calls = read_trace(trace)
    (answered,) = [call for call in calls if "HTTP/1.1" in call.arguments]
    order = Order(calls, Path(PICKUP))
    return order.key_faults(["a.eml"], answered) if is_keyed else order.record_faults(["a.eml", "b.eml"], answered)


@pytest.mark.parametrize(
    ("left_out", "to", "expected"),
    [
        (None, None, None),
        (6, None, "not synced: the data"),
        (7, 11, "not synced: the data"),
        (8, None, "not synced: the folder's own name"),
        (9, None, "not synced: names in the folder"),
        (4, 10, "a file is staged after the record is made"),
        (10, None, "there are 0 records"),
        (10, 12, "a file is visible before the record is made"),
        (11, None, "not synced: the record"),
        (11, 13, "not synced: the record"),
        (13, None, "of 2 files 1 are staged, 1 moved on"),
        (14, None, "not synced: the pickup directory"),
        (14, 12, "not synced: the pickup directory"),
        (14, 16, "not synced: the pickup directory"),
        (15, None, "not synced: the folder that the files have left"),
        (16, None, "0 records are removed"),
        (16, 12, "the record is removed too early or too late"),
        (16, 17, "the record is removed too early or too late"),
    ],
)
def test_order_of_several(left_out: int | None, to: int | None, expected: str | None, tmp_path: Path):
    """One line is left out, or stands elsewhere."""
    lines = [line for number, line in enumerate(SEVERAL) if number != left_out]
    if to is not None:
        lines.insert(to, SEVERAL[left_out])
    found = faults_of_several(lines, tmp_path)
    assert expected in found if expected else found == []


# ---- under a key

TOKEN = bytes(range(200, 240)).hex()
HASH = "".join(f"\\x{octet:02x}" for octet in range(200, 232))
KEYED_FOLDER = "/var/pickup.staging/pmtaemail-10-0-0123456789abcdef-0123456789abcdef.keyed"
STORE = "/var/pickup.state/keys.redb"
KEYED = [
    '10 openat(AT_FDCWD</>, "/var/pickup", O_WRONLY|O_TMPFILE, 0660) = 11</var/pickup/#7>(deleted)',
    '10 writev(11</var/pickup/#7>(deleted), [{iov_base="x-sender", iov_len=8}], 1) = 8',
    f'10 linkat(11</var/pickup/#7>(deleted), "", 13<{KEYED_FOLDER}>, "0.{TOKEN}.a.eml", AT_EMPTY_PATH) = 0',
    "10 fdatasync(11</var/pickup/#7>(deleted)) = 0",
    "10 fsync(14</var/pickup.staging>) = 0",
    f"10 fsync(13<{KEYED_FOLDER}>) = 0",
    f'10 pwrite64(12<{STORE}>, "redb\\x1a", 320, 0) = 320',
    f'10 pwrite64(12<{STORE}>, "\\x01{HASH}\\x00", 4096, 8192) = 4096',
    f"10 fdatasync(12<{STORE}>) = 0",
    f'10 renameat2(AT_FDCWD</>, "{KEYED_FOLDER}/0.{TOKEN}.a.eml", 16</var/pickup>, "a.eml", RENAME_NOREPLACE) = 0',
    "10 fsync(16</var/pickup>) = 0",
    f"10 fsync(13<{KEYED_FOLDER}>) = 0",
    '10 write(1</dev/null>, "HTTP/1.1 said", 13) = 13',
]
STORE_FAULT = "the store is not synced with the record of the key before a file is visible"
FOLDER_LEFT = "not synced: the folder that the files have left"


@pytest.mark.parametrize(
    ("left_out", "to", "expected"),
    [
        (None, None, None),
        (2, 9, "a file is staged after the record is written"),
        (3, None, "not synced: the data"),
        (3, 8, "not synced: the data"),
        (4, None, "not synced: the folder's own name"),
        (4, 8, "not synced: the folder's own name"),
        (5, None, "not synced: names in the folder"),
        (5, 7, "not synced: names in the folder"),
        (5, 8, "not synced: names in the folder"),
        # Head and record are in one commit.
        (6, None, STORE_FAULT),
        (6, 8, STORE_FAULT),
        (7, None, STORE_FAULT),
        (7, 8, STORE_FAULT),
        (8, None, STORE_FAULT),
        (8, 6, STORE_FAULT),
        (8, 9, STORE_FAULT),
        (9, None, "of 1 files 0 are staged, 0 moved on"),
        (9, 5, STORE_FAULT),
        (10, None, "not synced: the pickup directory"),
        (10, 9, "not synced: the pickup directory"),
        (10, 12, "not synced: the pickup directory"),
        (11, None, FOLDER_LEFT),
        (11, 8, FOLDER_LEFT),
        (11, 12, FOLDER_LEFT),
        (12, 9, "not synced: the pickup directory"),
    ],
)
def test_order_under_a_key(left_out: int | None, to: int | None, expected: str | None, tmp_path: Path):
    """One line is left out, or stands elsewhere."""
    lines = [line for number, line in enumerate(KEYED) if number != left_out]
    if to is not None:
        lines.insert(to, KEYED[left_out])
    found = faults_of_several(lines, tmp_path, is_keyed=True)
    assert expected in found if expected else found == []


def test_the_record_of_another_key_decides_nothing(tmp_path: Path):
    lines = [line.replace(HASH, HASH.replace("\\xc8", "\\xc9")) for line in KEYED]
    assert faults_of_several(lines, tmp_path, is_keyed=True) == [STORE_FAULT]


def test_a_sync_of_the_store_that_fails_decides_nothing(tmp_path: Path):
    lines = list(KEYED)
    lines[8] = lines[8].replace("= 0", "= -1 EIO")
    assert faults_of_several(lines, tmp_path, is_keyed=True) == [STORE_FAULT]
