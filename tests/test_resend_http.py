"""Resend's API as it is spoken over HTTP: what its clients do not try by themselves."""

import base64
import email.policy
import gzip
import hashlib
import json
import re
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from daemon import TIMEOUT, Answer, Daemon
from peak import peak_of
from pickup_reader import read

EMAIL = {"from": "Shop <shop@example.com>", "to": "ann@example.org", "subject": "Hello", "text": "Hi"}
NAMED = {"filename": "a", "content_id": "a", "content": ""}
LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
ICS = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:x
METHOD:REQUEST
BEGIN:VEVENT
UID:1
DTSTAMP:20260101T000000Z
DTSTART:20260101T000000Z
ORGANIZER:mailto:a@example.com
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")


def post(daemon: Daemon, body: object, path: str = "/emails", **headers: str) -> Answer:
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    return daemon.post(octets, path, **{name.replace("_", "-"): value for name, value in headers.items()})


def batch(daemon: Daemon, body: object, **headers: str) -> Answer:
    return post(daemon, body, "/emails/batch", **headers)


def get(daemon: Daemon, id_: str, method: str = "GET", **headers: str) -> Answer:
    return daemon.request(method, f"/emails/{id_}", headers=headers)


def is_id(text: str) -> bool:
    return str(uuid.UUID(text)) == text


def sent(answer: Answer) -> str:
    """The identifier of what was submitted."""
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json"), answer.body
    assert [*answer.json()] == ["id"]
    assert is_id(answer.json()["id"])
    return answer.json()["id"]


def all_sent(answer: Answer) -> list[str]:
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json"), answer.body
    ids = [item["id"] for item in answer.json()["data"]]
    assert all(map(is_id, ids))
    assert len({*ids}) == len(ids)
    return ids


def refused(answer: Answer, status: int, name: str) -> str:
    """What is said of a refusal."""
    assert (answer.status, answer.headers["content-type"]) == (status, "application/json"), answer.body
    document = answer.json()
    assert {*document} == {"statusCode", "name", "message"}
    assert (document["statusCode"], document["name"]) == (status, name), document
    assert document["message"]
    return document["message"]


def place(message: str) -> str:
    return (re.findall("^`(.*?)`: ", message) or [""])[0]


def arrived(daemon: Daemon) -> list[tuple[list[str], EmailMessage]]:
    """Who gets what; it is taken away."""
    found = []
    for path in daemon.files():
        file = read(path.read_bytes())
        found.append((list(file.addresses), email.message_from_bytes(file.message, policy=email.policy.default)))
        path.unlink()
    return found


@pytest.fixture(scope="module")
def common_daemon(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(binary, tmp_path_factory.mktemp("pickup")) as daemon:
        yield daemon


@pytest.fixture
def common(common_daemon: Daemon) -> Iterator[Daemon]:
    """A daemon that other tests use as well."""
    yield common_daemon
    for path in common_daemon.files():
        path.unlink()


# ---- one message


def test_all_of_a_message(common: Daemon):
    given = {
        "from": "Acme, Inc <shop@example.com>",
        "to": ["Ann Lee <ann@example.org>", "Bo (Home), Jr <bo@example.org>"],
        "cc": ["cy@example.org"],
        "bcc": "di@example.org, ed@example.org",
        "reply_to": "Desk: 1 <desk@example.com>",
        "subject": "Grüße {{ x }}",
        "text": "Hi {{ x }} [y]",
        "html": "<p>Hi {{ x }}</p>",
        "headers": {"X-Shop": "north", "X-Number": 7, "X-Nothing": None},
        "tags": [{"name": "campaign", "value": "spring"}],
        "scheduled_at": None,
        "attachments": [
            {"filename": "a.txt", "content": "R3LDvMOfZQ==", "content_type": 'text/plain; charset="utf-8"'},
            {"filename": "b.bin", "content": [0, 255, 10]},
            {"filename": "c.bin", "content": {"type": "Buffer", "data": [1, 2]}},
            {
                "filename": "d.ics",
                "content": ICS,
                "content_type": "text/calendar; method=REQUEST",
                "content_id": "d.ics",
            },
            {"filename": "My e.pdf", "content": "AA==", "content_id": "My e.pdf"},
            {"content": "AA==", "content_type": "image/png", "content_id": "logo"},
        ],
    }
    sent(post(common, given))
    ((addresses, message),) = arrived(common)
    assert addresses == [f"{name}@example.org" for name in ("ann", "bo", "cy", "di", "ed")]
    assert message["from"].addresses[0].display_name == "Acme, Inc"
    assert [it.display_name for it in message["to"].addresses] == ["Ann Lee", "Bo (Home), Jr"]
    assert [it.addr_spec for it in message["cc"].addresses] == ["cy@example.org"]
    assert message["bcc"] is None
    assert message["reply-to"].addresses[0].display_name == "Desk: 1"
    assert (message["subject"], message["x-shop"], message["x-number"]) == ("Grüße {{ x }}", "north", "7")
    assert "x-nothing" not in message
    assert message.get_body(("plain",)).get_content().rstrip() == "Hi {{ x }} [y]"
    files = [part for part in message.walk() if not part.is_multipart()][2:]
    by_name = {part.get_filename(): part for part in files}
    assert by_name["a.txt"].get_content() == "Grüße"
    assert by_name["b.bin"].get_content() == bytes([0, 255, 10])
    assert by_name["c.bin"].get_content() == bytes([1, 2])
    assert by_name["d.ics"].get_payload(decode=True).decode() == ICS
    for name in ("d.ics", "My e.pdf"):
        assert (by_name[name]["content-id"], by_name[name].get_content_disposition()) == (None, "attachment")
    assert (by_name[None]["content-id"], by_name[None].get_content_disposition()) == ("<logo>", "inline")


@pytest.mark.parametrize(
    ("change", "header", "value"),
    [
        # Swoosh
        ({"headers": [{"name": "X-Shop", "value": "ø"}]}, "X-Shop", "ø"),
        # Symfony: the first mailbox, and all of them
        ({"reply_to": "Acme, Inc <a@example.com>", "headers": {"Reply-To": '"Acme, Inc" <a@example.com>'}}, "Reply-To",
         '"Acme, Inc" <a@example.com>'),
        ({"reply_to": "a@example.com", "headers": {"Reply-To": "a@example.com, b@example.com"}}, "Reply-To",
         "a@example.com, b@example.com"),
        # Go
        ({"reply_to": "a@example.com, b@example.com"}, "Reply-To", "a@example.com, b@example.com"),
        ({"subject": ""}, "Subject", ""),
        # Laravel
        ({"cc": [], "bcc": [], "reply_to": [], "attachments": [], "tags": [], "html": None, "headers": []}, "Reply-To",
         None),
        ({"tags": [{"X-Tag": "spring"}]}, "X-Tag", None),
        ({"tags": {"campaign": "spring"}}, "X-Tag", None),
        ({"template": None, "topic_id": None, "scheduled_at": None}, "Subject", "Hello"),
        ({"to": "bo@example.org, Ann <ann@example.org>"}, "To", "bo@example.org, Ann <ann@example.org>"),
    ],
    ids=lambda value: str(value)[:50],
)  # fmt: skip
def test_what_clients_write(common: Daemon, change: dict, header: str, value: str | None):
    sent(post(common, {**EMAIL, **change}))
    ((_, message),) = arrived(common)
    assert message[header] == value


REFUSED = [
    ({"from": None}, "missing_required_field", "from"),
    ({"to": None}, "missing_required_field", "to"),
    ({"subject": None}, "missing_required_field", "subject"),
    ({"text": None}, "missing_required_field", "html"),
    ({"to": []}, "validation_error", "to"),
    ({"to": ["a@example.org"] * 51}, "validation_error", "to"),
    ({"to": 1}, "validation_error", "to"),
    ({"to": ["ann@example.org", "nobody"]}, "validation_error", "to/1"),
    ({"to": "ann@example.org, Acme, Inc <b@example.org>"}, "validation_error", "to"),
    ({"from": "Acme, Inc <nobody>"}, "validation_error", "from"),
    ({"from": ["a@example.com"]}, "validation_error", "from"),
    ({"cc": "a@example.org\r\nX: y"}, "validation_error", "cc"),
    ({"reply_to": "a@example.com", "headers": {"Reply-To": "b@example.com"}}, "validation_error", "headers/Reply-To"),
    ({"headers": {"X-A": "a\r\nBcc: b@example.org"}}, "validation_error", "headers/X-A"),
    ({"headers": {"To": "b@example.org"}}, "validation_error", "headers/To"),
    ({"headers": [{"name": "X-A"}]}, "missing_required_field", "headers/0/value"),
    ({"scheduled_at": "in 1 hour"}, "validation_error", "scheduled_at"),
    ({"template": {"id": "a"}, "text": None, "subject": None}, "validation_error", "template"),
    ({"topic_id": "a"}, "validation_error", "topic_id"),
    ({"tags": [{"name": "a"}]}, "missing_required_field", "tags/0/value"),
    ({"replyTo": "a@example.com"}, "validation_error", "replyTo"),
    ({"recipients": ["a@example.com"]}, "validation_error", "recipients"),
    ({"attachments": [{"path": "https://example.com/a"}]}, "invalid_attachment", "attachments/0/path"),
    ({"attachments": [{"filename": "a"}]}, "missing_required_field", "attachments/0/content"),
    ({"attachments": [{"content": "no base64!"}]}, "invalid_attachment", "attachments/0/content"),
    ({"attachments": [{"content": "Hello.", "content_type": "text/plain"}]}, "invalid_attachment",
     "attachments/0/content"),
    ({"attachments": [{"content": [256]}]}, "invalid_attachment", "attachments/0/content"),
    ({"attachments": [{"content": "", "filename": ".."}]}, "invalid_attachment", "attachments/0/filename"),
    ({"attachments": [{"content": "", "content_type": "x"}]}, "invalid_attachment", "attachments/0/content_type"),
    ({"attachments": [{"content": "", "content_id": "a b"}]}, "invalid_attachment", "attachments/0/content_id"),
]  # fmt: skip


def changed(change: dict) -> dict:
    return {name: value for name, value in {**EMAIL, **change}.items() if value is not None}


@pytest.mark.parametrize(("change", "name", "where"), REFUSED, ids=lambda value: str(value)[:60])
def test_each_refusal_has_its_name_and_its_place(common: Daemon, change: dict, name: str, where: str):
    message = refused(post(common, changed(change)), 422, name)
    assert place(message) == where
    message = refused(batch(common, [EMAIL, changed(change)]), 422, name)
    assert place(message) == f"1/{where}"
    assert not common.files()


def test_all_that_is_wrong_is_counted(common: Daemon):
    message = refused(post(common, {}), 422, "missing_required_field")
    assert message == "`from`: The field `from` is missing. There are 3 more problems."
    for body in (b"", b"{", b"[1,]", b'{"from": "a"} x'):
        refused(post(common, body), 400, "validation_error")
    for body in (b"[]", b"1", b"null"):
        refused(post(common, body), 422, "validation_error")
    assert not common.files()


def test_a_hostile_message_takes_no_hours(common: Daemon):
    """The time grows with the body alone; a client waits for a minute."""
    many = range(100_000)
    addresses = [f"r{number}@example.org" for number in many]
    for change, name in [
        ({f"x{number}": 1 for number in many}, "validation_error"),
        ({"headers": {f"X-{number}": "\n" for number in many}}, "validation_error"),
        ({"reply_to": addresses, "headers": {"Reply-To": ", ".join(addresses[::-1])}}, "validation_error"),
        ({"attachments": [NAMED] * 1_000, "html": "cid:" * 20_000}, "validation_error"),
    ]:
        refused(post(common, {**EMAIL, **change, "to": "nobody"}), 422, name)


@pytest.mark.parametrize("path", ["/emails", "/emails/batch"])
def test_a_file_of_numbers_may_be_as_large_as_others(start_daemon: Callable, path: str):
    """Clients for Python and Go write files so: the numbers are no values that would take memory each for itself."""
    daemon = start_daemon("--memory", "256MiB", "--durability", "none")
    octets = bytes(range(256)) * 4_000

    def request(name: str) -> Answer:
        email = {**EMAIL, "attachments": [{"filename": "a", name: [*octets]}]}
        return post(daemon, email if path == "/emails" else [email], path)

    assert request("content").status == 200
    message = email.message_from_bytes(read(daemon.files()[0].read_bytes()).message, policy=email.policy.default)
    (file,) = message.iter_attachments()
    assert file.get_content() == octets
    assert peak_of(daemon) < 256 << 20
    # Elsewhere they may be values, and each of those takes memory.
    refused(request("contents"), 413, "validation_error")


def test_one_message_may_be_large(common: Daemon):
    content = base64.b64encode(bytes(range(256)) * 12_000).decode()
    given = {**EMAIL, "attachments": [{"filename": "a", "content": content}]}
    for body, headers in ((given, {}), (gzip.compress(json.dumps(given).encode()), {"Content_Encoding": "gzip"})):
        sent(post(common, body, **headers))
        ((_, message),) = arrived(common)
        assert next(iter(message.iter_attachments())).get_content() == bytes(range(256)) * 12_000


# ---- its identifier


def second(id_: str) -> datetime:
    """When it was submitted, as the identifier says."""
    value = 0
    for letter in id_[:7]:
        value = value * 32 + LETTERS.index(letter)
    return datetime.fromtimestamp(value, UTC)


def test_a_message_is_known_by_its_identifier(daemon: Daemon, start_daemon: Callable):
    for number, headers in enumerate([{}, {"Idempotency_Key": "a"}]):
        answer = post(daemon, {**EMAIL, "subject": str(number)}, **headers)
        id_ = sent(answer)
        (path,) = daemon.files()
        own = answer.headers["x-pmtaemail-id"]
        assert path.name == f"{own}.eml"
        ((_, message),) = arrived(daemon)
        for _ in range(2):
            known = get(daemon, id_)
            assert (known.status, known.headers["content-type"]) == (200, "application/json")
            assert known.headers["x-pmtaemail-id"] == own
            document = known.json()
            expected = {"object": "email", "id": id_, "last_event": "queued", "message_id": message["message-id"]}
            assert {name: document.pop(name) for name in expected} == expected
            assert datetime.fromisoformat(document.pop("created_at")) == second(own)
            assert {*document} >= {"from", "to", "cc", "bcc", "reply_to", "subject", "html", "text"}
            assert {*document.values()} == {None}
            assert get(daemon, id_.upper()).json()["id"] == id_
            daemon.signal(signal.SIGKILL)
            daemon.wait()
            daemon = start_daemon()


def test_others_are_not_known(common: Daemon):
    id_ = sent(post(common, EMAIL))
    arrived(common)
    for unknown in (str(uuid.uuid4()), "00000000-0000-8000-8000-000000000000"):
        refused(get(common, unknown), 404, "not_found")
    for malformed in ("nonsense", id_.replace("-", ""), id_[:-1], f"{id_}0", "%00", "%C3%A5"):
        refused(get(common, malformed), 422, "invalid_parameter")
    refused(get(common, f"{id_}/cancel"), 404, "not_found")
    refused(get(common, f"{id_}?x=1"), 400, "validation_error")
    # What is submitted in our own words has no name there.
    own = common.post(b'{"from": "a@example.com", "to": "b@example.org"}')
    assert own.status == 200
    arrived(common)
    head = get(common, id_, "HEAD")
    assert (head.status, head.body, head.headers["content-type"]) == (200, b"", "application/json")


def test_a_question_may_have_a_body(common: Daemon):
    """As PyPI's client sends it; the connection is good for the next one."""
    id_ = sent(post(common, EMAIL))
    arrived(common)
    connection = common.connect()
    for _ in range(3):
        connection.request("GET", f"/emails/{id_}", b"{}", {"Content-Type": "application/json"})
        response = connection.getresponse()
        assert (response.status, json.loads(response.read())["id"]) == (200, id_)
    connection.close()


# ---- keys


def write_keys(path: Path, keys: dict[str, str]) -> tuple[str, str]:
    """The daemon's options for a file of keys with these further lines."""
    hashed = {name: hashlib.sha256(name.encode()).hexdigest() for name in keys}
    lines = [f'[keys.{name}]\nhash = "sha256:{hashed[name]}"\n{more}\n' for name, more in keys.items()]
    path.write_text("".join(lines))
    return "--keys", str(path)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_access_keys(start_daemon: Callable, tmp_path: Path):
    daemon = start_daemon(*write_keys(tmp_path / "keys", {"a": 'from = ["example.com"]', "b": ""}))
    for answer in (post(daemon, EMAIL), batch(daemon, [EMAIL]), get(daemon, "x")):
        refused(answer, 401, "missing_api_key")
    for answer in (post(daemon, EMAIL, **bearer("c")), batch(daemon, [EMAIL], **bearer("c"))):
        refused(answer, 403, "invalid_api_key")
    refused(get(daemon, "x", **bearer("c")), 403, "invalid_api_key")
    elsewhere = {**EMAIL, "from": "a@example.net"}
    refused(post(daemon, elsewhere, **bearer("a")), 403, "validation_error")
    refused(batch(daemon, [EMAIL, elsewhere], **bearer("a")), 403, "validation_error")
    assert not daemon.files()
    single = sent(post(daemon, EMAIL, Idempotency_Key="k", **bearer("a")))
    # Another's key of the same name is another.
    assert sent(post(daemon, EMAIL, Idempotency_Key="k", **bearer("b"))) != single
    ids = [single, sent(post(daemon, EMAIL, **bearer("a"))), *all_sent(batch(daemon, [EMAIL, EMAIL], **bearer("a")))]
    for id_ in ids:
        assert get(daemon, id_, **bearer("a")).json()["id"] == id_
        refused(get(daemon, id_, **bearer("b")), 404, "not_found")


def test_a_rate(start_daemon: Callable, tmp_path: Path):
    keys = {"a": 'rate = "2/m"', "b": 'rate = "2/m"', "c": "recipients-per-day = 3", "d": 'rate = "2/m"'}
    daemon = start_daemon(*write_keys(tmp_path / "keys", keys))
    sent(post(daemon, EMAIL, **bearer("a")))
    sent(post(daemon, EMAIL, **bearer("a")))
    # Each message of a batch counts, once.
    refused(batch(daemon, [EMAIL] * 3, **bearer("d")), 429, "rate_limit_exceeded")
    all_sent(batch(daemon, [EMAIL, EMAIL], **bearer("b")))
    count = len(daemon.files())
    for answer, limit in ((post(daemon, EMAIL, **bearer("a")), 2), (batch(daemon, [EMAIL, EMAIL], **bearer("b")), 2)):
        refused(answer, 429, "rate_limit_exceeded")
        assert (answer.headers["ratelimit-limit"], answer.headers["ratelimit-remaining"]) == (str(limit), "0")
        assert 1 <= int(answer.headers["ratelimit-reset"]) <= 60
        assert answer.headers["ratelimit-reset"] == answer.headers["retry-after"]
    all_sent(batch(daemon, [EMAIL, EMAIL], **bearer("c")))
    answer = batch(daemon, [EMAIL, EMAIL], **bearer("c"))
    refused(answer, 429, "daily_quota_exceeded")
    assert (answer.headers["ratelimit-limit"], answer.headers["ratelimit-remaining"]) == ("3", "0")
    sent(post(daemon, EMAIL, **bearer("c")))
    refused(post(daemon, EMAIL, **bearer("c")), 429, "daily_quota_exceeded")
    assert len(daemon.files()) == count + 3


# ---- idempotency


@pytest.mark.parametrize("path", ["/emails", "/emails/batch"])
def test_the_first_answer_is_given_again(start_daemon: Callable, path: str):
    daemon = start_daemon()
    # Of several files.
    many = [f"r{number}@example.org" for number in range(5_001)]
    several = [EMAIL, {**EMAIL, "cc": many}, {**EMAIL, "subject": "3"}]
    body = EMAIL if path == "/emails" else several
    first = post(daemon, body, path, Idempotency_Key="k")
    assert (first.status, first.headers["idempotent-replayed"]) == (200, None)
    assert len(arrived(daemon)) == (1 if path == "/emails" else 4)
    for number in (None, signal.SIGTERM, signal.SIGKILL):
        if number is not None:
            daemon.signal(number)
            daemon.wait()
            daemon = start_daemon()
        again = post(daemon, body, path, Idempotency_Key="k")
        assert (again.status, again.headers["idempotent-replayed"]) == (200, "true")
        assert again.body == first.body
        assert again.headers["x-pmtaemail-id"] == first.headers["x-pmtaemail-id"]
        assert not daemon.files()
    others = [{**EMAIL, "text": "other"}, {}, {**EMAIL, "scheduled_at": "x"}, {**EMAIL, "to": "nobody"}, several[:2]]
    for other in others:
        refused(post(daemon, other, path, Idempotency_Key="k"), 409, "invalid_idempotent_request")
    for other_path in ("/emails", "/emails/batch"):
        if other_path != path:
            refused(post(daemon, body, other_path, Idempotency_Key="k"), 409, "invalid_idempotent_request")
    conflict = post(daemon, body, path, Idempotency_Key="k", **{"x-batch-validation": "permissive"})
    assert conflict.status == (200 if path == "/emails" else 409)
    assert not daemon.files()
    ids = [first.json()["id"]] if path == "/emails" else [item["id"] for item in first.json()["data"]]
    assert [get(daemon, id_).json()["id"] for id_ in ids] == ids


def test_what_breaks_rules_takes_no_key(common: Daemon):
    for path, wrong, right in (("/emails", {}, EMAIL), ("/emails/batch", [EMAIL, {}], [EMAIL])):
        assert post(common, wrong, path, Idempotency_Key=path).status == 422
        answer = post(common, right, path, Idempotency_Key=path)
        assert (answer.status, answer.headers["idempotent-replayed"]) == (200, None)
        arrived(common)


@pytest.mark.parametrize("path", ["/emails", "/emails/batch"])
def test_a_key_is_printable_ascii_of_some_length(common: Daemon, path: str):
    body = EMAIL if path == "/emails" else [EMAIL]
    for key in ("", "x" * 257, "å", "a\tb"):
        message = refused(post(common, body, path, Idempotency_Key=key), 400, "invalid_idempotency_key")
        assert "1 to 256 printable ASCII characters" in message
    assert not common.files()
    for key in (f"{path} welcome/7", f"{path:x<256}"):
        assert post(common, body, path, Idempotency_Key=key).status == 200
        assert post(common, body, path, Idempotency_Key=key).headers["idempotent-replayed"] == "true"
        assert len(arrived(common)) == 1


# ---- batches


def test_a_batch(common: Daemon):
    emails = [{**EMAIL, "to": f"r{number}@example.org", "subject": f"Number {number}"} for number in range(100)]
    for given in (json.dumps(emails).encode(), json.dumps(emails, indent=2).encode()):
        answer = batch(common, given, **{"x-batch-validation": "strict"})
        assert [*answer.json()] == ["data"]
        ids = all_sent(answer)
        assert len(ids) == 100
        assert [get(common, id_).status for id_ in (ids[0], ids[99])] == [200, 200]
        names = sorted(path.name for path in common.files())
        # In the order of the messages.
        assert [get(common, id_).headers["x-pmtaemail-id"] + ".eml" for id_ in ids] == names
        told = sorted((addresses, message["subject"]) for addresses, message in arrived(common))
        assert told == sorted(([item["to"]], item["subject"]) for item in emails)


def test_a_batch_may_be_large(common: Daemon):
    content = base64.b64encode(bytes(range(256)) * 3_000).decode()
    file = {"filename": "My a", "content": content, "content_id": "My a"}
    all_sent(batch(common, [{**EMAIL, "attachments": [file]}] * 3))
    for _, message in arrived(common):
        assert next(iter(message.iter_attachments())).get_content() == bytes(range(256)) * 3_000


def test_a_batch_is_submitted_whole_or_not_at_all(common: Daemon):
    for emails, name, where in [
        ([], "validation_error", ""),
        ([EMAIL] * 101, "validation_error", ""),
        ({}, "validation_error", ""),
        (EMAIL, "validation_error", ""),
        ([EMAIL, 1], "validation_error", "1"),
        ([EMAIL, [EMAIL]], "validation_error", "1"),
        ([EMAIL, {**EMAIL, "to": "nobody"}, EMAIL], "validation_error", "1/to"),
        ([EMAIL, {**EMAIL, "cc": ["a@example.org", "b"]}], "validation_error", "1/cc/1"),
        ([{**EMAIL, "to": "nobody"}, {}], "validation_error", "0/to"),
        ([EMAIL, {**EMAIL, "from": "Acme, Inc <x>"}], "validation_error", "1/from"),
    ]:
        assert place(refused(batch(common, emails), 422, name)) == where
        assert not common.files()
    refused(batch(common, b"["), 400, "validation_error")
    message = refused(batch(common, [{**EMAIL, "to": "nobody"}, EMAIL, {}]), 422, "validation_error")
    assert message.endswith("There are 4 more problems.")
    assert not common.files()


def test_of_a_permissive_batch_those_that_are_right_are_submitted(common: Daemon):
    permissive = {"x-batch-validation": "permissive", "Idempotency_Key": "permissive"}
    emails = [EMAIL, {**EMAIL, "to": "nobody"}, {}, {**EMAIL, "subject": "last"}]
    answer = batch(common, emails, **permissive)
    ids = all_sent(answer)
    assert [message["subject"] for _, message in arrived(common)] == ["Hello", "last"]
    errors = answer.json()["errors"]
    assert [(error["index"], place(error["message"])) for error in errors] == [(1, "to"), (2, "from")]
    assert errors[1]["message"].endswith("There are 3 more problems.")
    again = batch(common, emails, **permissive)
    assert (again.body, again.headers["idempotent-replayed"]) == (answer.body, "true")
    assert [get(common, id_).status for id_ in ids] == [200, 200]
    for emails, count in (([{}, 1], 2), ([EMAIL], 0)):
        answer = batch(common, emails, **{"x-batch-validation": "permissive"})
        assert (len(answer.json()["data"]), len(answer.json()["errors"])) == (len(arrived(common)), count)
    refused(batch(common, [EMAIL], **{"x-batch-validation": "loose"}), 422, "validation_error")
    refused(batch(common, b"{}", **{"x-batch-validation": "permissive"}), 422, "validation_error")
    assert not common.files()


def wait_for_cause(daemon: Daemon, cause: str | None) -> None:
    """Asks until the daemon says so: it looks every second or so."""
    limit = time.monotonic() + TIMEOUT
    while daemon.request("GET", "/health").json().get("cause") != cause:
        assert time.monotonic() < limit


def test_what_is_not_taken_may_come_again(start_daemon: Callable, pickup: Path):
    """What waits for PowerMTA is refused as a whole, and its key is free."""
    daemon = start_daemon("--max-depth", "1")
    waiting = [pickup / "a", pickup / "b"]
    for path in waiting:
        path.touch()
    wait_for_cause(daemon, "max-depth")
    requests = [(EMAIL, "/emails"), ([EMAIL], "/emails/batch")]
    for body, path in requests:
        answer = post(daemon, body, path, Idempotency_Key=path)
        refused(answer, 503, "application_error")
        assert answer.headers["retry-after"] == "10"
    for path in waiting:
        path.unlink()
    wait_for_cause(daemon, None)
    for body, path in requests:
        answer = post(daemon, body, path, Idempotency_Key=path)
        assert (answer.status, answer.headers["idempotent-replayed"]) == (200, None)
        arrived(daemon)


def test_the_log_and_the_metrics_have_each_message_of_a_batch(daemon: Daemon):
    sent(post(daemon, EMAIL))
    refused(post(daemon, {}), 422, "missing_required_field")
    all_sent(batch(daemon, [EMAIL, EMAIL], Idempotency_Key="k"))
    all_sent(batch(daemon, [EMAIL, EMAIL], Idempotency_Key="k"))
    refused(batch(daemon, [EMAIL, {**EMAIL, "to": "nobody"}]), 422, "validation_error")
    permissive = batch(daemon, [EMAIL, {}], **{"x-batch-validation": "permissive"})
    assert permissive.status == 200
    values = dict(
        re.findall(r'^pmtaemail_submissions_total\{api="resend",outcome="(\w+)"\} (\d+)', metrics(daemon), re.M)
    )
    assert {name: int(value) for name, value in values.items() if value != "0"} == {
        "accepted": 4,
        "replayed": 2,
        "rejected": 3,
    }
    daemon.stop()
    ends = [entry for entry in daemon.entries() if entry["event"] == "batch_end"]
    told = [(end["status"], end["submitted"], end["failed"], end.get("replayed")) for end in ends]
    assert told == [(200, 2, 0, None), (200, 0, 0, True), (422, 0, 1, None), (200, 1, 1, None)]
    messages = [entry for entry in daemon.entries() if entry["event"] == "batch_message"]
    assert [entry["index"] for entry in messages if entry.get("codes")] == [1, 1]
    assert all("example" not in line.decode() for line in daemon.log if b"batch" in line)


def metrics(daemon: Daemon) -> str:
    return daemon.request("GET", "/metrics").body.decode()


# ---- what is no message


def test_every_answer_is_in_resends_form(start_daemon: Callable):
    daemon = start_daemon("--body-limit", "2000", "--merge-limit", "3000")
    large = json.dumps({**EMAIL, "text": "Hello " * 1000}).encode()
    for method, path, body, headers, status, name in [
        ("GET", "/emails", None, {}, 405, "method_not_allowed"),
        ("PATCH", "/emails/x", b"{}", {}, 405, "method_not_allowed"),
        ("POST", "/emails/x/cancel", b"", {}, 404, "not_found"),
        ("GET", "/emails/batch", None, {}, 405, "method_not_allowed"),
        ("POST", "/emails", large, {}, 413, "validation_error"),
        ("POST", "/emails/batch", b"[" + large + b"]", {}, 413, "validation_error"),
        ("POST", "/emails", b"x", {"Content-Type": "message/rfc822"}, 415, "validation_error"),
        ("POST", "/emails/batch", b"{}", {"Content-Type": "application/x-ndjson"}, 415, "validation_error"),
        ("POST", "/emails", b"x", {"Content-Encoding": "br"}, 415, "validation_error"),
        ("POST", "/emails?x=1", b"{}", {}, 400, "validation_error"),
        ("POST", "/emails/batch?atomic=true", b"{}", {}, 400, "validation_error"),
        ("POST", "/emails", b"{}", {"Origin": "https://example.net"}, 403, "validation_error"),
    ]:
        refused(daemon.request(method, path, body, headers), status, name)
    assert not daemon.files()


def test_it_may_be_turned_off(start_daemon: Callable):
    daemon = start_daemon("--no-compat")
    for method, path in (("POST", "/emails"), ("POST", "/emails/batch"), ("GET", f"/emails/{uuid.uuid4()}")):
        answer = daemon.request(method, path, json.dumps(EMAIL).encode())
        assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")
