"""Where one request ends and the next begins: as other servers and proxies see it, or the connection ends.

A proxy in front that sees other requests than the daemon lets somebody's request carry a part of another's ("request
smuggling"). So whatever is sent, the daemon and each of these parsers see the same requests, up to where one of them
refuses to go on.
"""

import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon import TIMEOUT, Daemon
from http_judges import Llhttp, Seen, seen_by_h11
from raw_http import read_answer


def message(subject: str) -> bytes:
    return json.dumps({"from": "a@example.com", "to": "b@example.org", "text": "-", "subject": subject}).encode()


def chunked(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


def request(body: bytes, *fields: bytes, line: bytes = b"POST /messages HTTP/1.1", end: bytes = b"\r\n") -> bytes:
    return end.join([line, b"Host: localhost", *fields, b"", b""]) + body


def plain(subject: str) -> bytes:
    return request(message(subject), b"Content-Length: %d" % len(message(subject)))


SMUGGLED = plain("smuggled")
# Several: a request that is read as the end of the one before it leaves a gap among them.
NAMES = [f"after {number}" for number in range(4)]
AFTER = b"".join(map(plain, NAMES))
FIRST = message("first")
LENGTH = b"Content-Length: %d" % len(FIRST)
CHUNKED = b"Transfer-Encoding: chunked"
# A body of this length holds one that is not meant to be read as a request.
HIDING = b"0\r\n\r\n" + SMUGGLED


def with_size(size: bytes, data: bytes = FIRST, last: bytes = b"0\r\n\r\n") -> bytes:
    return request(size + b"\r\n" + data + b"\r\n" + last, CHUNKED) + AFTER


def with_field(field: bytes) -> bytes:
    return request(FIRST, LENGTH, field) + AFTER


SIZE = b"%x" % len(FIRST)
CASES: dict[str, bytes] = {
    "length, then chunks": request(HIDING, b"Content-Length: %d" % len(HIDING), CHUNKED) + AFTER,
    "chunks, then length": request(chunked(FIRST), CHUNKED, b"Content-Length: 5") + AFTER,
    "two lengths": request(FIRST + SMUGGLED, LENGTH, b"Content-Length: %d" % len(FIRST + SMUGGLED)),
    "two lengths in one": request(FIRST, b"Content-Length: %d, %d" % (len(FIRST), len(FIRST))) + AFTER,
    "the same length twice": request(FIRST, LENGTH, LENGTH) + AFTER,
    "no length": request(SMUGGLED) + AFTER,
    "one chunked after another": request(chunked(FIRST), CHUNKED, CHUNKED) + AFTER,
    "chunked, identity": request(chunked(FIRST), CHUNKED, b"Transfer-Encoding: identity") + AFTER,
    "identity, chunked": request(chunked(FIRST), b"Transfer-Encoding: identity, chunked") + AFTER,
    "gzip, chunked": request(chunked(FIRST), b"Transfer-Encoding: gzip, chunked") + AFTER,
    "chunked, gzip": request(chunked(FIRST), b"Transfer-Encoding: chunked, gzip") + AFTER,
    "HTTP/1.0 with chunks": request(chunked(FIRST), CHUNKED, line=b"POST /messages HTTP/1.0") + AFTER,
    "HTTP/1.0 with both": request(HIDING, CHUNKED, LENGTH, line=b"POST /messages HTTP/1.0") + AFTER,
    "lines that end with LF": request(FIRST, LENGTH, end=b"\n") + AFTER,
    "lines that end with CR": request(FIRST, LENGTH, end=b"\r") + AFTER,
    "a folded field": request(chunked(FIRST), b"X-A: b\r\n Transfer-Encoding: chunked") + AFTER,
    "a folded length": request(FIRST, b"Content-Length:\r\n %d" % len(FIRST)) + AFTER,
    "a blank line in front": b"\r\n" + AFTER,
    "LF in front": b"\n" + AFTER,
    "blanks in front": b"  " + AFTER,
    "no Host": b"POST /messages HTTP/1.1\r\n" + LENGTH + b"\r\n\r\n" + FIRST + AFTER,
    "two Hosts": with_field(b"Host: elsewhere"),
    "HTTP/0.9": b"POST /messages\r\n\r\n" + AFTER,
    "HTTP/1.2": request(FIRST, LENGTH, line=b"POST /messages HTTP/1.2") + AFTER,
    "HTTP/2.0": request(FIRST, LENGTH, line=b"POST /messages HTTP/2.0") + AFTER,
    "http/1.1": request(FIRST, LENGTH, line=b"POST /messages http/1.1") + AFTER,
    "two blanks": request(FIRST, LENGTH, line=b"POST  /messages  HTTP/1.1") + AFTER,
    "a tab in the line": request(FIRST, LENGTH, line=b"POST\t/messages HTTP/1.1") + AFTER,
    "a blank in the target": request(FIRST, LENGTH, line=b"POST /messages HTTP/1.1 HTTP/1.1") + AFTER,
    "CONNECT": request(SMUGGLED, line=b"CONNECT localhost:80 HTTP/1.1") + AFTER,
    "a GET with a body": request(SMUGGLED, b"Content-Length: %d" % len(SMUGGLED), line=b"GET /health HTTP/1.1") + AFTER,
    "a body of a path that is not there": request(
        SMUGGLED, b"Content-Length: %d" % len(SMUGGLED), line=b"POST /none HTTP/1.1"
    )
    + AFTER,
    "a change of protocol": with_field(b"Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk"),
    "an expectation": with_field(b"Expect: 100-continue"),
    "another expectation": with_field(b"Expect: 200-ok"),
    "the connection ends": with_field(b"Connection: close"),
    "the connection hides the length": with_field(b"Connection: Content-Length"),
    "no name": with_field(b": x"),
    "no colon": with_field(b"Transfer-Encoding chunked"),
    "an extension": with_size(SIZE + b";a=b"),
    "an extension in quotes": with_size(SIZE + b';a="b;\\"c"'),
    "an extension with LF": with_size(SIZE + b";a\n" + b"b"),
    "an extension with CR": with_size(SIZE + b";a\rb"),
    "a size with an extension of LF alone": request(SIZE + b";\n" + FIRST + b"\r\n0\r\n\r\n", CHUNKED) + AFTER,
    "a size that ends with LF": request(SIZE + b"\n" + FIRST + b"\r\n0\r\n\r\n", CHUNKED) + AFTER,
    "a chunk that ends with LF": request(SIZE + b"\r\n" + FIRST + b"\n0\r\n\r\n", CHUNKED) + AFTER,
    "a chunk that ends with two other octets": request(SIZE + b"\r\n" + FIRST + b"xx0\r\n\r\n", CHUNKED) + AFTER,
    "a chunk that does not end": request(SIZE + b"\r\n" + FIRST + b"0\r\n\r\n", CHUNKED) + AFTER,
    "a last chunk of many zeros": with_size(SIZE, last=b"0" * 30 + b"\r\n\r\n"),
    "trailers": with_size(SIZE, last=b"0\r\nX-Trailer: a\r\nContent-Length: 3\r\n\r\n"),
    "trailers that say chunked": with_size(SIZE, last=b"0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "broken trailers": with_size(SIZE, last=b"0\r\nno colon\r\n\r\n"),
    "trailers that end with LF": with_size(SIZE, last=b"0\r\nX: a\n\n"),
    "no end of trailers": with_size(SIZE, last=b"0\r\n"),
} | {
    f"length {value!r}": request(FIRST, b"Content-Length:" + value) + AFTER
    for value in [
        b" +%d" % len(FIRST),
        b" -%d" % len(FIRST),
        b" 0x%x" % len(FIRST),
        b" 0%d" % len(FIRST),
        b" %d " % len(FIRST),
        b"\t%d\t" % len(FIRST),
        b"\x0b%d" % len(FIRST),
        b" %d.0" % len(FIRST),
        b" 1_0",
        b" 1e2",
        b" %d;" % len(FIRST),
        b"",
        b" %d" % (2**64 + len(FIRST)),
        b" \xd9\xa1\xd9\xa2",
    ]
} | {
    f"coding {value!r}": request(chunked(FIRST), b"Transfer-Encoding:" + value) + AFTER
    for value in [
        b" Chunked",
        b" chunked ",
        b"\tchunked",
        b"\x0bchunked",
        b" \x00chunked",
        b" chunked\x00",
        b" xchunked",
        b' "chunked"',
        b" chunked;a=b",
        b" chunked,",
        b" ,chunked",
        b" chunked, chunked",
        b"",
        b" cow",
    ]
} | {
    f"field {name!r}": request(HIDING, name + b": chunked", b"Content-Length: %d" % len(HIDING)) + AFTER
    for name in [
        b"Transfer-Encoding ",
        b"Transfer-Encoding\t",
        b" Transfer-Encoding",
        b"Transfer_Encoding",
        b"Transfer-Encoding\x00",
        b"Transfer\xadEncoding",
        b"X: y\nTransfer-Encoding",
        b"X: y\rTransfer-Encoding",
        b"X: y\r\r\nTransfer-Encoding",
        b"transfer-encoding",
    ]
} | {
    f"size {size!r}": with_size(size)
    for size in [
        b"+" + SIZE,
        b"-" + SIZE,
        b"0x" + SIZE,
        b"0" + SIZE,
        b"0" * 20 + SIZE,
        SIZE.upper(),
        SIZE + b" ",
        SIZE + b"\t",
        b" " + SIZE,
        SIZE + b"h",
        b"1" + b"0" * 15 + SIZE,
        b"f" * 16,
        b"f" * 17,
        b"",
        b"_" + SIZE,
        SIZE + b"\x00",
    ]
}  # fmt: skip


@dataclass(frozen=True)
class Taken:
    """The subjects of what the daemon hands over of a connection, in its order; whether its last answer ends it."""

    subjects: list[str]
    ended: bool


def taken(daemon: Daemon, sent: bytes) -> Taken:
    """What the daemon takes of a connection that sends this and no more."""
    with daemon.socket() as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(TIMEOUT)
        answers = b""
        while piece := connection.recv(65_536):
            answers += piece
    names = [name for receipt in re.findall(rb'\{"id":[^\r\n]*\}', answers) for name in json.loads(receipt)["files"]]
    files = {path.name: path for path in daemon.files()}
    # What is handed over is acknowledged: nothing is by the way.
    assert sorted(names) == sorted(files)
    subjects = []
    for name in names:
        mail = message_from_bytes(files[name].read_bytes(), policy=default)
        subjects.append(str(mail["Subject"]))
        files[name].unlink()
    last = re.split(rb"(?=HTTP/1\.[01] \d{3} )", answers)[-1].partition(b"\r\n\r\n")[0].lower()
    return Taken(subjects, b"\r\nconnection: close" in last or last.startswith(b"http/1.0"))


def subjects(daemon: Daemon, seen: list[Seen]) -> list[str]:
    """What would be handed over of whole requests: their bodies may be no messages any more."""
    messages = [each.body for each in seen if (each.method, each.target) == ("POST", "/messages")]
    return [json.loads(body)["subject"] for body in messages if daemon.post(body, "/messages/check").status == 200]


@pytest.fixture(scope="module")
def serving(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(binary, tmp_path_factory.mktemp("pickup"), "--durability", "none") as daemon:
        yield daemon


@pytest.fixture(scope="module")
def llhttp() -> Iterator[Llhttp]:
    with Llhttp() as judge:
        yield judge


def disagreement(daemon: Daemon, found: Taken, llhttp: Llhttp, sent: bytes) -> str | None:
    """How the daemon, which has taken this, understands what is sent otherwise than another parser does.

    Each of them may refuse to go on, and sees no more then.
    """
    for judge, connection in ("h11", seen_by_h11(sent)), ("llhttp", llhttp.read(sent)):
        wanted = subjects(daemon, connection.requests)
        both = min(len(found.subjects), len(wanted))
        is_same = found.subjects[:both] == wanted[:both]
        sees_more = len(found.subjects) > both and not connection.refused
        sees_less = len(wanted) > both and not found.ended
        if not is_same or sees_more or sees_less:
            return f"{judge} sees {wanted}{', then refuses' * connection.refused}, the daemon {found}"
    return None


def test_what_is_right_is_taken(serving: Daemon, llhttp: Llhttp):
    """Else the others would be easily passed."""
    for sent in plain("first") + AFTER, request(chunked(FIRST), CHUNKED) + AFTER:
        assert disagreement(serving, taken(serving, sent), llhttp, sent) is None
        assert taken(serving, sent) == Taken(["first", *NAMES], False)


def test_the_judges_see_a_server_that_reads_no_body_of_a_get(serving: Daemon, llhttp: Llhttp):
    sent = CASES["a GET with a body"]
    found = taken(serving, sent.replace(b"Content-Length", b"X-Length", 1))
    assert found.subjects[0] == "smuggled"
    assert disagreement(serving, found, llhttp, sent)


@pytest.mark.parametrize("found", [[], ["first"], ["first", *NAMES[1:]]])
def test_the_judges_see_a_server_that_swallows_a_request(serving: Daemon, llhttp: Llhttp, found: list[str]):
    assert disagreement(serving, Taken(found, False), llhttp, plain("first") + AFTER)
    if found[1:]:
        assert disagreement(serving, Taken(found, True), llhttp, plain("first") + AFTER)


@pytest.mark.parametrize("name", CASES)
def test_requests_end_where_others_see_it(serving: Daemon, llhttp: Llhttp, name: str):
    assert disagreement(serving, taken(serving, CASES[name]), llhttp, CASES[name]) is None
    assert taken(serving, AFTER) == Taken(NAMES, False)


@pytest.mark.parametrize(
    "fields",
    [
        [b"Transfer-Encoding: gzip, chunked"],
        [b"Transfer-Encoding: identity, chunked"],
        [b"Transfer-Encoding: chunked, chunked"],
        [b"Transfer-Encoding: ,chunked"],
        [CHUNKED, CHUNKED],
        [b"Transfer-Encoding: gzip", CHUNKED],
    ],
)
def test_another_transfer_coding_is_501_and_ends_the_connection(serving: Daemon, fields: list[bytes]):
    with serving.socket() as connection:
        connection.sendall(request(chunked(FIRST), *fields) + AFTER)
        assert read_answer(connection).status == 501
        assert connection.recv(1) == b""
    assert serving.files() == []


def test_length_and_chunks_end_the_connection(serving: Daemon):
    """RFC 9112 section 6.3: the chunks hold, and nothing that comes after them is read."""
    for fields in [(LENGTH, CHUNKED), (CHUNKED, LENGTH)]:
        assert taken(serving, request(chunked(FIRST), *fields) + AFTER) == Taken(["first"], True)


PIECES = [
    *(b"\r\n", b"\n", b"\r", b" ", b"\t", b"\0", b":", b",", b";", b"0\r\n\r\n", b"0\r\n", SIZE + b"\r\n", b"1\r\n"),
    *(CHUNKED, LENGTH, b"Content-Length: 0", b"Content-Length: 5", b"Transfer-Encoding: identity", b"Host: x"),
    *(b"Expect: 100-continue", b"Connection: close", b"\r\n" + CHUNKED, b"\r\n" + LENGTH, b"X: y"),
    *(b"GET /health HTTP/1.1\r\n", b"HTTP/1.0", b"HTTP/1.1", b"chunked", b"f" * 16, b";a=b", SMUGGLED),
]  # fmt: skip
BASES = [
    plain("first") + AFTER,
    request(chunked(FIRST), CHUNKED) + AFTER,
    request(HIDING, b"Content-Length: %d" % len(HIDING)) + AFTER,
    request(chunked(SMUGGLED), CHUNKED, b"X-A: b") + AFTER,
]


@st.composite
def abused(draw: st.DrawFn) -> bytes:
    """Requests into which pieces of framing were put, or out of which octets were taken."""
    sent = draw(st.sampled_from(BASES))
    for _ in range(draw(st.integers(1, 3))):
        # The ends of lines are where it matters.
        places = [match.start() for match in re.finditer(rb"\r\n|[ :]|\d", sent)]
        place = draw(st.sampled_from(places)) + draw(st.integers(0, 2))
        gone = draw(st.sampled_from([0, 0, 0, 1, 2]))
        sent = sent[:place] + draw(st.sampled_from([b"", *PIECES])) + sent[place + gone :]
    return sent


def test_whatever_is_sent_requests_end_where_others_see_it(serving: Daemon, llhttp: Llhttp, long: bool):
    @settings(
        max_examples=20_000 if long else 400,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=not long,
        database=None,
    )
    @given(abused())
    def run(sent: bytes) -> None:
        assert disagreement(serving, taken(serving, sent), llhttp, sent) is None

    run()
