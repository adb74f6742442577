"""Each limit of docs/limits.md: what is at it is taken, and what is over it is told as the page says."""

import gzip
import json
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from daemon import Answer, Daemon
from raw_http import MESSAGE, exchange, head

PAGE = (Path(__file__).parent.parent / "docs/limits.md").read_text()
PLAIN = {"from": "ann@example.com", "to": "bo@example.org", "text": "Hello"}
MERGE = {"from": "ann@example.com", "text": "Hello"}
RFC822 = {"Content-Type": "message/rfc822"}
FORM = {"Content-Type": "multipart/form-data; boundary=b"}


@dataclass(frozen=True)
class Sent:
    """What is posted, and with which header fields and options of the daemon."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    path: str = "/messages"
    options: tuple[str, ...] = ()


def plain(**fields: object) -> Sent:
    return Sent(json.dumps({**PLAIN, **fields}).encode())


def merge(**fields: object) -> Sent:
    return Sent(json.dumps({**MERGE, **fields}).encode())


def raw(count: int) -> Sent:
    fields = b"From: ann@example.com\r\nTo: bo@example.org\r\n" + b"X-A: b\r\n" * (count - 2)
    return Sent(fields + b"\r\nHello\r\n", RFC822)


def encoded(recipients: int) -> Sent:
    mail = "From: ann@example.com\nTo: " + ",\n ".join(["bo@example.com"] * recipients) + "\n\nHello\n"
    return Sent(json.dumps({"raw": {"content": b64encode(mail.encode()).decode(), "encoding": "base64"}}).encode())


def nested(depth: int) -> Sent:
    return Sent(
        json.dumps({**PLAIN, "template": "none"}).encode()[:-1]
        + b', "variables": {"a": '
        + b"[" * (depth - 2)
        + b"]" * (depth - 2)
        + b"}}"
    )


def form(files: int) -> Sent:
    part = 'Content-Disposition: form-data; name="{}"\r\n\r\n{}\r\n--b'
    names = [f"file{number}" for number in range(files)]
    message = json.dumps({**PLAIN, "attachments": [{"part": name} for name in names]})
    parts = [part.format("message", message), *(part.format(name, "x") for name in names)]
    return Sent(("--b\r\n" + "\r\n".join(parts) + "--\r\n").encode(), FORM)


def ids(count: int) -> list[str]:
    return [f"<{number}@example.com>" for number in range(count)]


def compressed(size: int, *options: str) -> Sent:
    body = json.dumps({**PLAIN, "text": "x" * (size - len(json.dumps({**PLAIN, "text": ""})))}).encode()
    assert len(body) == size
    return Sent(gzip.compress(body), {"Content-Encoding": "gzip"}, options=options)


def text(size: int) -> bytes:
    return json.dumps({**PLAIN, "text": "x" * (size - len(json.dumps({**PLAIN, "text": ""})))}).encode()


SMALL = ("--body-limit", "100kB", "--merge-limit", "200kB")
WINDOW = {"start": "2026-12-01T08:00:00Z", "end": "2026-12-01T09:00:00Z"}
LOCAL = "a" * 64
DOMAIN = ".".join(["d" * 45] * 4)
# By the first column of the page: what is at the limit, and what is over it.
LIMITS = {
    "nested content codings": (
        Sent(gzip.compress(gzip.compress(gzip.compress(MESSAGE))), {"Content-Encoding": "gzip, gzip, gzip"}),
        Sent(MESSAGE, {"Content-Encoding": "gzip, gzip, gzip, gzip"}),
    ),
    "`Idempotency-Key`": tuple(Sent(MESSAGE, {"Idempotency-Key": "k" * length}) for length in (255, 256)),
    "message in JSON, without its recipients": (compressed(100_000, *SMALL), compressed(100_001, *SMALL)),
    "body": tuple(
        Sent(json.dumps({**MERGE, "recipients": ["bo@example.org"] * count}).encode(), options=SMALL)
        for count in (11_000, 12_000)
    ),
    "finished message, form": tuple(
        Sent(b"From: ann@example.com\r\nTo: bo@example.org\r\n\r\n" + b"x\r\n" * count, RFC822, options=SMALL)
        for count in (33_000, 34_000)
    ),
    "message of a batch": tuple(
        Sent(text(size), {"Content-Type": "application/x-ndjson"}, "/messages/batch", SMALL)
        for size in (100_000, 100_001)
    ),
    "files of a form": (form(1_000), form(1_001)),
    "nested arrays and objects": (nested(127), nested(128)),
    "recipient of a mail merge, row of a table": tuple(
        merge(template="none", recipients=[{"address": "bo@example.org", "variables": {"a": "x" * ((4 << 20) - less)}}])
        for less in (100, 0)
    ),
    "seeds": tuple(
        merge(recipients=["bo@example.org"], seeds=[f"s{n}@example.org" for n in range(count)])
        for count in (5_000, 5_001)
    ),
    "attachments": tuple(plain(attachments=[{"content": "", "filename": "a"}] * count) for count in (1_000, 1_001)),
    "file name": tuple(plain(attachments=[{"content": "", "filename": "a" * count}]) for count in (255, 256)),
    "additional header fields": tuple(
        plain(headers=[{"name": "X-A", "value": "b"}] * count) for count in (1_000, 1_001)
    ),
    "header of a finished message in base64": (encoded(61_000), encoded(62_000)),
    "header fields of a finished message": (raw(1_000), raw(1_001)),
    "message identifiers of a field": (plain(references=ids(1_000)), plain(references=" ".join(ids(1_001)))),
    "message identifier": tuple(plain(messageId="a" * length + "@example.com") for length in (888, 889)),
    "address": tuple(
        plain(to=f"{LOCAL}@{DOMAIN}{'e' * more}") for more in (254 - 65 - len(DOMAIN), 255 - 65 - len(DOMAIN))
    ),
    "delivery windows": (plain(schedule=[WINDOW] * 20), plain(schedule=[WINDOW] * 21)),
    "envelope ID": (plain(envid="e" * 100), plain(envid="e" * 101)),
    # What is at it takes too long without optimisation.
    "nested statements, or nested parts of an expression": tuple(
        plain(template="sparkpost", text="{{ if x }}" * depth + "{{ end }}" * depth) for depth in (50, 51)
    ),
    # The placeholder and its variable are two of them.
    "parts of all expressions of a message": tuple(
        plain(template="sparkpost", text="{{ x" + ".a" * (count - 2) + " }}") for count in (250_000, 250_001)
    ),
    "text with templates": (plain(), plain(template="jinja", text="{{ 1 }}" + "x\n" * (2 << 20))),
}
# Those that other tests bring about, and where.
ELSEWHERE = {
    "connections": "test_room_for_connections.py",
    "connections of one client": "test_limits.py",
    "concurrent requests on an HTTP/2 connection": "test_http2.py",
    "head of a request": "test_limits.py",
    "fields of a head": "test_limits.py",
    "time for a head, for a TLS handshake, without a request": "test_listeners.py",
    "time for a body": "test_request_ids.py",
    "time for which a response may stay unread": "test_http.py",
    "messages in progress": "test_admission.py",
    "bytes of bodies in memory": "test_admission.py",
    "memory of all messages": "test_memory_limit.py",
    "reported problems": "test_merge_skip.py",
    "recipients": "test_message_rules.py",
    "batch in Resend's API": "test_resend_http.py",
    "`to` of a message in Resend's API": "test_resend_http.py",
    "texts of one recipient, with values filled in": "test_merge_problems.py",
}


def told_by_the_page() -> dict[str, str]:
    """The answer of each row, by its first column."""
    rows = re.findall(r"^\| (.+?) \| .* \| ?(.*?) ?\|$", PAGE, re.MULTILINE)
    return {name: answer for name, answer in rows if name not in ("limit", "---")}


def told(answer: Answer) -> str:
    """As the page has it."""
    document = json.loads(answer.body.splitlines()[0])
    code = document.get("errors", [{}])[0].get("code")
    kind = document["type"].rpartition(":")[2]
    word = code or (kind if document["type"] != "about:blank" else None)
    return f"{document['status']} `{word}`" if word else str(document["status"])


def post(daemon: Daemon, sent: Sent) -> Answer:
    return daemon.post(sent.body, sent.path, **sent.headers)


def test_each_row_of_the_page_is_tried():
    assert told_by_the_page().keys() == LIMITS.keys() | ELSEWHERE.keys()
    assert not LIMITS.keys() & ELSEWHERE.keys()
    assert all((Path(__file__).parent / name).exists() for name in ELSEWHERE.values())


@pytest.mark.parametrize("name", LIMITS)
def test_what_exceeds_a_limit_is_reported(start_daemon: Callable, shared_daemon: Daemon, name: str):
    at, over = LIMITS[name]
    daemon = start_daemon(*at.options) if at.options else shared_daemon
    before = {*daemon.files()}
    answer = post(daemon, at)
    assert answer.status == 200, answer
    assert "status" not in json.loads(answer.body.splitlines()[0])
    assert told(post(daemon, over)) == told_by_the_page()[name].partition(",")[0]
    for file in {*daemon.files()} - before:
        file.unlink()


def test_heads_have_limits(daemon: Daemon):
    assert told_by_the_page()["head of a request"] == told_by_the_page()["fields of a head"] == "431"
    for fields, status in [
        (["X: " + "x" * 60_000], 200),
        (["X: " + "x" * 66_000], 431),
        (["X: x"] * 99, 200),
        (["X: x"] * 100, 431),
    ]:
        with daemon.socket() as connection:
            answer = exchange(connection, head(*fields, method="GET", path="/health/live"))
            assert answer.status == status


def test_one_client_has_so_many_connections(start_daemon: Callable):
    daemon = start_daemon("--max-connections-per-client", "2")
    assert daemon.entries()[0]["max_connections_per_client"] == 2
    live = head(method="GET", path="/health/live")
    with daemon.socket() as first, daemon.socket() as second:
        assert [exchange(connection, live).status for connection in (first, second)] == [200, 200]
        with daemon.socket() as third:
            answer = exchange(third, live)
            assert answer.status == 429
            document = json.loads(answer.body)
            assert (
                f"429 `{document['type'].rpartition(':')[2]}`, and the connection is closed"
                == (told_by_the_page()["connections of one client"])
            )
            assert answer.headers["retry-after"] == "1"
            assert third.recv(1) == b""
        # One that ends makes room.
        second.close()
        with daemon.socket() as fourth:
            status = exchange(fourth, live).status
        while status != 200:
            with daemon.socket() as fourth:
                status = exchange(fourth, live).status
        assert exchange(first, live).status == 200


def test_the_page_has_the_defaults_of_the_options():
    options = (Path(__file__).parent.parent / "docs/options.md").read_text()
    defaults = dict(re.findall(r"^\| `([a-z-]+)` \| `\w+` \| .*? \| `(.*?)` \|", options, re.MULTILINE))
    values = {
        "1536": "1,536",
        "1024": "1,024",
        "10s": "10 s",
        "30s": "30 s",
        "1GiB": "1 GiB",
        "32MiB": "32 MiB",
        "256MiB": "256 MiB",
    }
    rows = re.findall(r"^\| .+? \| (.+?) \| `([a-z-]+)` \|", PAGE, re.MULTILINE)
    assert len(rows) > 10
    for value, name in rows:
        if name in defaults:
            assert value.startswith(values[defaults[name]]), name
