"""The daemon refuses messages while PowerMTA or its disk cannot keep up, and tells of files that PowerMTA refused."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from batches import LINES, Conversation
from daemon import TIMEOUT, Daemon, assert_problem
from raw_http import MESSAGE

PROBLEM = "urn:pmtaemail:problem:back-pressure"
MERGE = b'{"from":"ann@example.com","text":"Hello"}\n"bo@example.org"\n'


def wait_for_health(daemon: Daemon, is_reached: Callable[[dict], object]) -> dict:
    """Asks until the daemon says so: it looks every second or so."""
    limit = time.monotonic() + TIMEOUT
    while True:
        answer = daemon.request("GET", "/health")
        document = answer.json()
        assert answer.status == (503 if "cause" in document else 200)
        if is_reached(document):
            return document
        assert time.monotonic() < limit, document


def wait_for_cause(daemon: Daemon, cause: str | None) -> dict:
    document = wait_for_health(daemon, lambda document: document.get("cause") == cause)
    assert document["status"] == ("ok" if cause is None else "back-pressure")
    return document


def assert_refused(daemon: Daemon, cause: str, option: str) -> None:
    before = daemon.files()
    answer = daemon.post(MESSAGE)
    problem = assert_problem(answer, 503)
    assert (problem["type"], problem["cause"]) == (PROBLEM, cause)
    assert option in problem["detail"]
    assert answer.headers["retry-after"] == "10"
    assert daemon.files() == before
    # Nothing is handed over by these.
    for path in ("/messages/check", "/messages/render"):
        assert daemon.post(MESSAGE, path).status == 200


def told(daemon: Daemon) -> list[tuple[int, str]]:
    """What was logged of limits, when the daemon has ended."""
    assert daemon.stop() == 0
    return [(entry["status"], entry["cause"]) for entry in daemon.entries() if entry["event"] == "back_pressure"]


def wait(path: Path, count: int) -> list[Path]:
    """Files that PowerMTA does not take."""
    files = [path / f"waits-{number}.eml" for number in range(count)]
    for file in files:
        file.touch()
    return files


def test_too_many_files(start_daemon):
    daemon = start_daemon("--max-depth", "10")
    wait_for_cause(daemon, None)
    (daemon.pickup / "a folder is no file").mkdir()
    files = wait(daemon.pickup, 10)
    document = wait_for_health(daemon, lambda document: document["pickup"] == {"files": 10})
    assert document["status"] == "ok"
    (daemon.pickup / "eleventh.eml").touch()
    assert wait_for_cause(daemon, "max-depth")["pickup"] == {"files": 11}
    for _ in range(3):
        assert_refused(daemon, "max-depth", "--max-depth")
    # Down to the limit is not yet down to 80 % of it.
    files.pop().unlink()
    files.pop().unlink()
    document = wait_for_health(daemon, lambda document: document["pickup"] == {"files": 9})
    assert document["cause"] == "max-depth"
    files.pop().unlink()
    wait_for_cause(daemon, None)
    assert daemon.post(MESSAGE).status == 200
    # Once at each change, whatever the number of requests.
    assert told(daemon) == [(503, "max-depth"), (200, "max-depth")]
    shut = next(entry for entry in daemon.entries() if entry["event"] == "back_pressure")
    assert (shut["level"], shut["value"], shut["limit"], shut["unit"]) == ("ERROR", 11, 10, "files")


def test_a_reader_that_pauses_and_continues(start_daemon):
    daemon = start_daemon("--max-depth", "5")
    limit = time.monotonic() + TIMEOUT
    taken = 0
    while (answer := daemon.post(MESSAGE)).status == 200:
        taken += 1
        assert time.monotonic() < limit
    assert answer.json()["cause"] == "max-depth"
    assert len(daemon.files()) == taken > 5
    for file in daemon.files():
        file.unlink()
    while daemon.post(MESSAGE).status == 503:
        assert time.monotonic() < limit
    assert len(daemon.files()) == 1


def test_files_that_wait_too_long(start_daemon):
    daemon = start_daemon("--max-age", "1h")
    assert wait_for_cause(daemon, None)["pickup"] == {"ageSeconds": 0}
    new, old = wait(daemon.pickup, 2)

    def age(seconds: int) -> None:
        then = time.time() - seconds
        os.utime(old, (then, then))

    age(2 * 3600)
    assert wait_for_cause(daemon, "max-age")["pickup"]["ageSeconds"] >= 2 * 3600
    assert_refused(daemon, "max-age", "--max-age")
    # Of an hour, 80 % are 48 minutes.
    age(52 * 60)
    document = wait_for_health(daemon, lambda document: document["pickup"]["ageSeconds"] < 3600)
    assert document["cause"] == "max-age"
    age(40 * 60)
    wait_for_cause(daemon, None)
    old.unlink()
    wait_for_health(daemon, lambda document: document["pickup"]["ageSeconds"] < 39 * 60)
    assert new.exists()
    assert told(daemon) == [(503, "max-age"), (200, "max-age")]


MIB = 1 << 20


def test_little_space(start_daemon, small_disk):
    disk = small_disk("size=32m")
    daemon = start_daemon("--min-free", "8MiB", pickup=disk / "pickup")
    pickup = wait_for_cause(daemon, None)["pickup"]
    assert 8 * MIB < pickup["freeOctets"] <= 32 * MIB
    assert pickup["freeInodes"] > 1000
    ballast = disk / "ballast"
    ballast.write_bytes(b"x" * (25 * MIB))
    assert wait_for_cause(daemon, "min-free")["pickup"]["freeOctets"] < 8 * MIB
    assert_refused(daemon, "min-free", "--min-free")
    # At 125 % of the limit, which are 10 MiB, there is enough again.
    os.truncate(ballast, 23 * MIB)
    document = wait_for_health(daemon, lambda document: document["pickup"]["freeOctets"] > 8 * MIB)
    assert document["cause"] == "min-free"
    os.truncate(ballast, 21 * MIB)
    wait_for_cause(daemon, None)
    assert daemon.post(MESSAGE).status == 200
    assert told(daemon) == [(503, "min-free"), (200, "min-free")]


def test_few_inodes(start_daemon, small_disk):
    disk = small_disk("size=4m,nr_inodes=200")
    daemon = start_daemon("--min-free-inodes", "100", pickup=disk / "pickup")
    assert wait_for_cause(daemon, None)["pickup"]["freeInodes"] > 100
    (disk / "others").mkdir()
    files = wait(disk / "others", 150)
    wait_for_cause(daemon, "min-free-inodes")
    assert_refused(daemon, "min-free-inodes", "--min-free-inodes")
    for file in files:
        file.unlink()
    wait_for_cause(daemon, None)
    # Where bytes have to be free, a thousand inodes have to be.
    second = start_daemon("--min-free", "1", pickup=disk / "pickup")
    assert wait_for_cause(second, "min-free-inodes")["pickup"].keys() == {"freeOctets", "freeInodes"}


def test_a_restart_knows_from_the_first_request(start_daemon):
    daemon = start_daemon("--max-depth", "3")
    wait(daemon.pickup, 4)
    wait_for_cause(daemon, "max-depth")
    assert daemon.stop() == 0
    again = start_daemon("--max-depth", "3", "--max-age", "1h")
    assert_refused(again, "max-depth", "--max-depth")
    listening = next(entry for entry in again.entries() if entry["event"] == "listening")
    assert (listening["max_depth"], listening["max_age_ms"]) == (3, 3_600_000)


@pytest.mark.parametrize("path", ["/messages", "/messages/batch?atomic=true"])
def test_a_body_that_comes_slowly(start_daemon, path: str):
    daemon = start_daemon("--max-depth", "3")

    def body() -> Iterator[bytes]:
        yield MERGE if path == "/messages" else MESSAGE + b"\n"
        wait(daemon.pickup, 4)
        wait_for_cause(daemon, "max-depth")
        yield b'"cy@example.org"\n' if path == "/messages" else MESSAGE + b"\n"

    answer = daemon.post(body(), path, **LINES)
    assert assert_problem(answer, 503)["type"] == PROBLEM
    assert len(daemon.files()) == 4


def test_a_batch_ends_where_messages_are_refused(start_daemon):
    daemon = start_daemon("--max-depth", "3")
    with Conversation(daemon) as batch:
        batch.send(MESSAGE + b"\n")
        results = batch.results()
        assert "id" in next(results)
        wait(daemon.pickup, 4)
        wait_for_cause(daemon, "max-depth")
        batch.send(MESSAGE + b"\n")
        (problem,) = results
    assert (problem["status"], problem["type"], problem["cause"]) == (503, PROBLEM, "max-depth")
    # It was not handed over, nor is what comes behind it.
    assert problem["line"] == 2
    assert len(daemon.files()) == 5
    answer = daemon.post(MESSAGE + b"\n", "/messages/batch", **LINES)
    assert assert_problem(answer, 503)["type"] == PROBLEM
    assert answer.headers["retry-after"] == "10"
    assert len(daemon.files()) == 5


def test_a_directory_that_goes_and_comes(start_daemon):
    daemon = start_daemon("--max-depth", "3")
    files = wait(daemon.pickup, 4)
    wait_for_cause(daemon, "max-depth")
    for file in files:
        file.unlink()
    daemon.pickup.rmdir()
    wait_for_health(daemon, lambda document: "pickup" not in document)
    daemon.wait_for_event("not_measured")
    daemon.pickup.mkdir()
    wait_for_cause(daemon, None)
    assert daemon.post(MESSAGE).status == 200


def test_only_the_daemon_asks(start_daemon, run):
    daemon = start_daemon("--max-depth", "3")
    wait(daemon.pickup, 4)
    wait_for_cause(daemon, "max-depth")
    done = run("submit", "-pickup", daemon.pickup, stdin=MESSAGE, env={**os.environ, "PMTAEMAIL_MAX_DEPTH": "3"})
    assert done.returncode == 0, done.stderr
    assert len(daemon.files()) == 5


def test_without_options_nothing_is_watched(daemon: Daemon):
    names = {(thread / "comm").read_text().strip() for thread in Path(f"/proc/{daemon.process.pid}/task").iterdir()}
    assert "back-pressure" not in names
    assert daemon.request("GET", "/health").json().keys() == {"status", "version"}


# ---- bad mail


@pytest.fixture
def badmail(tmp_path: Path) -> Path:
    path = tmp_path / "badmail"
    path.mkdir()
    return path


def test_bad_mail_is_joined_to_its_submission(start_daemon, badmail: Path):
    daemon = start_daemon("--badmail", str(badmail))
    document = wait_for_cause(daemon, None)
    assert document["badmail"] == {"files": 0, "arrived": 0}
    assert "pickup" not in document
    receipt = daemon.post(MESSAGE).json()
    (file,) = daemon.files()
    file.rename(badmail / file.name)
    daemon.wait_for_event("badmail")
    (badmail / "from ann@example.com.eml").write_bytes(MESSAGE)
    assert wait_for_health(daemon, lambda document: document["badmail"]["files"] == 2)["badmail"]["arrived"] == 2
    # It may be mended and tried again.
    (badmail / file.name).rename(file)
    wait_for_health(daemon, lambda document: document["badmail"] == {"files": 1, "arrived": 2})
    file.rename(badmail / file.name)
    wait_for_health(daemon, lambda document: document["badmail"] == {"files": 2, "arrived": 3})
    assert daemon.stop() == 0
    by_id = [entry for entry in daemon.entries() if entry.get("id") == receipt["id"]]
    assert [entry["event"] for entry in by_id] == ["submission", "badmail", "badmail"]
    assert (by_id[1]["level"], by_id[1]["file"]) == ("WARN", file.name)
    others = [entry["others"] for entry in daemon.entries() if entry["event"] == "badmail" and "others" in entry]
    assert others == [1]
    assert b"ann@example.com" not in b"".join(daemon.log)


def test_bad_mail_of_a_submission_of_many_files(start_daemon, badmail: Path):
    daemon = start_daemon("--badmail", str(badmail))
    body = b'{"from":"a@example.com","text":"Hi","merge":"expanded","recipients":["b@example.org","c@example.org"]}'
    answer = daemon.post(body)
    receipt = answer.json()
    assert (answer.status, len(receipt["files"])) == (200, 2)
    for file in daemon.files():
        file.rename(badmail / file.name)
    wait_for_health(daemon, lambda document: document["badmail"]["arrived"] == 2)
    assert daemon.stop() == 0
    lines = [entry for entry in daemon.entries() if entry["event"] == "badmail"]
    assert sorted(entry["file"] for entry in lines) == sorted(receipt["files"])
    assert {entry["id"] for entry in lines} == {receipt["id"]}


def test_bad_mail_of_before_the_start(start_daemon, badmail: Path):
    name = "1ng7qwf4c52q7bj9v8dsqnkxqv.eml"
    (badmail / name).touch()
    daemon = start_daemon("--badmail", str(badmail))
    assert wait_for_cause(daemon, None)["badmail"] == {"files": 1, "arrived": 0}
    assert daemon.stop() == 0
    at_start = [entry for entry in daemon.entries() if entry["event"].startswith("badmail")]
    assert [(entry["level"], entry.get("id"), entry.get("files")) for entry in at_start] == [
        ("INFO", None, 1),
        ("INFO", name[:26], None),
    ]


def test_a_folder_for_bad_mail_that_is_missing(start_daemon, badmail: Path):
    badmail.rmdir()
    daemon = start_daemon("--badmail", str(badmail))
    assert wait_for_cause(daemon, None)["badmail"] == {"files": None, "arrived": 0}
    assert daemon.post(MESSAGE).status == 200
    badmail.mkdir()
    wait_for_health(daemon, lambda document: document["badmail"]["files"] == 0)
    assert daemon.stop() == 0
    failed = [entry for entry in daemon.entries() if entry["event"] == "not_measured"]
    assert [(entry["level"], entry["option"]) for entry in failed] == [("ERROR", "badmail")]
