"""What the program that this project replaces does wrong: each of its errors is right here."""

import json
from pathlib import Path

import pytest

from daemon import Daemon
from pickup_reader import PickupFile, read
from raw_http import exchange, head
from strace import needs_strace, trace

GOOD = {"from": "ann@example.com", "to": "bo@example.org", "subject": "Test", "text": "This is a test"}


def submit(daemon: Daemon, **changes: object) -> PickupFile:
    """The pickup file of one accepted submission."""
    answer = daemon.post(json.dumps({**GOOD, **changes}))
    assert answer.status == 200, answer.body
    (path,) = daemon.files()
    return read(path.read_bytes())


def refused(daemon: Daemon, body: object, status: int) -> list[dict]:
    """The problems of one refused submission, which leaves nothing behind."""
    answer = daemon.post(json.dumps(body))
    assert answer.status == status
    assert daemon.files() == []
    return answer.json()["errors"]


def test_the_temporary_folder_may_lie_on_another_file_system(start_daemon):
    other = Path("/dev/shm")
    daemon = start_daemon(TMPDIR=str(other))
    if other.stat().st_dev == daemon.pickup.stat().st_dev:
        pytest.skip("there is no second file system here")
    before = set(other.iterdir())
    submit(daemon)
    assert set(other.iterdir()) <= before


@needs_strace
def test_the_file_and_the_directory_are_synced(start_daemon, tmp_path: Path):
    daemon = start_daemon(wrapper=trace(tmp_path / "trace"))
    submit(daemon)
    assert daemon.stop() == 0
    calls = (tmp_path / "trace").read_text()
    assert "fdatasync(" in calls or "fsync(" in calls


def test_the_example_with_a_name_in_the_from_string(daemon: Daemon):
    file = submit(daemon, **{"from": "Jim <jim@foo.bar>", "to": "you@example.com"})
    assert (file.sender, file.addresses) == ("jim@foo.bar", ["you@example.com"])
    assert b"\r\nFrom: Jim <jim@foo.bar>\r\n" in b"\r\n" + file.message


def test_long_header_fields_are_folded(daemon: Daemon):
    file = submit(daemon, to=[f"Recipient {n} <r{n}@example.org>" for n in range(50)], subject="word " * 50 + "end")
    assert max(map(len, file.message.split(b"\r\n"))) <= 78


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject", "a\r\nBcc: eve@example.com"),
        ("subject", "a\nb"),
        ("subject", "a\rb"),
        ("from", {"name": "Ann\r\nX: y", "address": "ann@example.com"}),
        ("from", "ann@example.com\r\nx-receiver: eve@example.com"),
        ("sender", "ann@example.com\r\nx-receiver: eve@example.com"),
        ("to", "bo@example.org\nx-receiver: eve@example.com"),
        ("bcc", ["bo@example.org\r\n"]),
        ("replyTo", "Bo\r\n <bo@example.org>"),
        ("messageId", "a@b\r\nX: y"),
    ],
)
def test_line_ends_in_headers_and_envelope_are_refused(daemon: Daemon, field: str, value: object):
    problems = refused(daemon, {**GOOD, field: value}, 422)
    assert all(problem["pointer"].startswith(f"#/{field}") for problem in problems)


def test_a_message_without_a_recipient_is_refused(daemon: Daemon):
    (problem,) = refused(daemon, {"from": "ann@example.com", "text": "x"}, 422)
    assert problem["code"] == "no_recipients"


def test_there_is_a_message_id(daemon: Daemon):
    assert submit(daemon).message.count(b"Message-ID: <") == 1


def test_an_empty_line_precedes_the_first_boundary(daemon: Daemon):
    message = submit(daemon, html="<p>This is a test</p>").message
    assert b"\r\n\r\n--" in message
    assert message.index(b"\r\n\r\n") == message.index(b"\r\n\r\n--")


def test_a_full_disk_publishes_nothing(start_daemon, tmp_path: Path):
    # A limit on the size of a file fails the write half way, as a full disk does.
    daemon = start_daemon(wrapper=("sh", "-c", 'ulimit -f 64; exec "$@"', "sh"))
    answer = daemon.post(json.dumps({**GOOD, "text": "0123456789abcde\n" * 65_536}))
    assert answer.status == 503
    assert daemon.files() == []
    submit(daemon)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(daemon: Daemon, method: str):
    assert daemon.request(method, "/messages", json.dumps(GOOD)).status == 405
    assert daemon.files() == []


def test_a_body_of_any_size_is_not_taken(daemon: Daemon):
    with daemon.socket() as connection:
        assert exchange(connection, head("Content-Length: 1000000000000")).status == 413


def test_unknown_fields_are_not_dropped_without_a_word(daemon: Daemon):
    (problem,) = refused(daemon, {**GOOD, "subjct": "x"}, 422)
    assert (problem["code"], problem["pointer"]) == ("unknown_field", "#/subjct")
    assert "subject" in problem["detail"]


# What it does right, and must stay.


def test_json_that_cannot_be_read_is_400(daemon: Daemon):
    assert daemon.post(b"{").status == 400


def test_names_in_any_letter_case_and_the_undocumented_reply_to(daemon: Daemon):
    body = {"FROM": "ann@example.com", "To": "bo@example.org", "ReplyTo": "cy@example.org", "SUBJECT": "x"}
    answer = daemon.post(json.dumps(body))
    (path,) = daemon.files()
    assert answer.status == 200
    assert b"\r\nReply-To: cy@example.org\r\n" in path.read_bytes()
