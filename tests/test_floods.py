"""Floods: the daemon takes little memory, and others are served."""

import gzip
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from itertools import chain, product, repeat
from pathlib import Path
from threading import Event

import pytest

from compressed import zstd
from daemon import Daemon
from floods import (
    CONTINUATION,
    DATA,
    HEADERS,
    PING,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    answer_of,
    beside,
    connections,
    frame,
    many_files,
    send_all,
)
from raw_http import MESSAGE, head

SILENT = b""
PART_OF_A_HEAD = head("Content-Length: 100")[:-2]
PART_OF_A_BODY = head("Content-Length: 100000") + b'{"text":"'
HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0)


@pytest.mark.parametrize(
    "sent",
    [SILENT, head("Content-Length: 0", path="/x"), PART_OF_A_HEAD, PART_OF_A_BODY, HTTP2],
    ids=["silent", "after a request", "in a head", "in a body", "http2"],
)
def test_ten_thousand_connections(start_daemon, sent: bytes, long: bool):
    """More than the daemon takes: the others wait with the system until those that do nothing give way."""
    daemon: Daemon = start_daemon()
    most = next(entry["max_connections"] for entry in daemon.entries() if entry["event"] == "listening")
    with many_files() as files, ExitStack() as stack:
        wanted = 10_000 if long else most + 200
        count = min(wanted, files - 200)
        if count < wanted:
            print(f"the limit on open files lets this process have {count} connections alone")
        with beside(daemon) as client:
            for connection in connections(daemon, count, stack):
                send_all(connection, sent)
            client.post(20)


def test_slow_senders(start_daemon):
    """Each sends an octet now and then: of the head, or of the body."""
    daemon: Daemon = start_daemon()
    with many_files(), ExitStack() as stack, beside(daemon):
        slow = connections(daemon, 800, stack)
        for number, connection in enumerate(slow):
            send_all(connection, PART_OF_A_HEAD if number % 2 else PART_OF_A_BODY)
        for octet in b"X-Slow: x" * 2:
            for connection in slow:
                send_all(connection, bytes([octet]))


# ---- large bodies

PIECE = b" " * (1 << 20)

PATHS = ["/messages", "/messages/batch"]
# Media type and beginning; white space follows.
BODIES = {
    "white space": ("application/json", b""),
    "a text": ("application/json", MESSAGE[:-2]),
    "an unknown field": ("application/json", MESSAGE[:-1] + b',"x":"'),
    "a recipient of JSON": ("application/json", b'{"from":"a@example.com","recipients":[{"address":"'),
    "a line": ("application/x-ndjson", MESSAGE[:-2]),
    "a recipient's line": ("application/x-ndjson", b'{"from":"a@example.com"}\n{"address":"'),
    "a mail": ("message/rfc822", b"From: a@example.com\r\nTo: b@example.org\r\n\r\n"),
    "a head of a mail": ("message/rfc822", b"From: a@example.com\r\nTo: b@example.org\r\nSubject: "),
    "a form": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="message"\r\n\r\n',
    ),
    "a table": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="message"\r\n\r\n{"from":"a@example.com"}\r\n'
        b'--x\r\nContent-Disposition: form-data; name="recipients"; filename="a.csv"\r\n'
        b'Content-Type: text/csv\r\n\r\n"',
    ),
    "before a form": ("multipart/form-data; boundary=x", b""),
}


def answered(daemon: Daemon, fields: list[str], pieces: Iterable[bytes], path: str = "/messages") -> tuple[int, bytes]:
    """The status, and all of the answer. It may come, and the connection end, before all is sent."""
    is_chunked = not any(field.startswith("Content-Length") for field in fields)
    with daemon.socket() as connection:
        chunked = ["Transfer-Encoding: chunked"] if is_chunked else []
        connection.sendall(head(*fields, *chunked, "Connection: close", path=path))
        with suppress(BrokenPipeError, ConnectionResetError):
            for piece in pieces:
                connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece)
            if is_chunked:
                connection.sendall(b"0\r\n\r\n")
        answer = answer_of(connection)
    assert answer.startswith(b"HTTP/1.1 "), "no answer"
    return int(answer[9:12]), answer


@pytest.mark.parametrize("name", BODIES)
def test_a_large_body(start_daemon, name: str, long: bool):
    """A gigabyte, or what is over the limit of a message three times."""
    media_type, beginning = BODIES[name]
    daemon: Daemon = start_daemon()
    count = 1_000_000_000 >> 20 if long else 96
    length = f"Content-Length: {len(beginning) + (count << 20)}"
    with beside(daemon):
        for path, framing in product(PATHS if long else PATHS[:1], ([], [length])):
            fields = [f"Content-Type: {media_type}", *framing]
            status, answer = answered(daemon, fields, chain([beginning], repeat(PIECE, count)), path)
            assert_refused(status, answer)
    assert {file.name[-4:] for file in daemon.files()} == {".eml"}


def assert_refused(status: int, answer: bytes) -> None:
    # The lines of a batch say what is wrong.
    assert status in (400, 413, 415, 422) or (status == 200 and b'"status":4' in answer), answer


# ---- nesting

MILLION = 1_000_000
QUICK = ("/messages", "application/json")
NESTED = {
    "arrays": b"[" * MILLION,
    "objects": b'{"a":' * MILLION,
    "closed arrays": b"[" * MILLION + b"]" * MILLION,
    "in variables": b'{"from":"a@example.com","template":"jinja","variables":{"a":'
    + b"[" * MILLION
    + b"]" * MILLION
    + b"}}",
    "in recipients": b'{"from":"a@example.com","recipients":' + b"[" * MILLION,
    "in a recipient": b'{"from":"a@example.com","recipients":[{"variables":{"a":' + b'{"a":' * MILLION,
    "in an unknown field": MESSAGE[:-1] + b',"x":' + b"[" * MILLION + b"]" * MILLION + b"}",
    "jinja": b'{"from":"a@example.com","to":"b@example.org","template":"jinja","text":"{{ ' + b"(" * MILLION + b' }}"}',
    "jinja blocks": b'{"from":"a@example.com","to":"b@example.org","template":"jinja","text":"'
    + b"{% if x %}" * 100_000
    + b'"}',
    "sparkpost": b'{"from":"a@example.com","to":"b@example.org","template":"sparkpost","text":"{{ '
    + b"(" * MILLION
    + b' }}"}',
    "sparkpost blocks": b'{"from":"a@example.com","to":"b@example.org","template":"sparkpost","text":"'
    + b"{{ if x }}" * 100_000
    + b'"}',
    "comments of an address": b'{"from":"' + b"(" * MILLION + b'a@example.com","to":"b@example.org"}',
}


@pytest.mark.parametrize("name", NESTED)
def test_a_million_brackets(start_daemon, name: str, long: bool):
    daemon: Daemon = start_daemon()
    with beside(daemon):
        for path, media_type in product(PATHS, ["application/json", "application/x-ndjson"]) if long else [QUICK]:
            assert_refused(*answered(daemon, [f"Content-Type: {media_type}"], [NESTED[name]], path))


def many_small(count: int) -> bytes:
    """Each of them takes a hundred times as much as its brackets."""
    values = b",".join([b"[]"] * count)
    return MESSAGE[:-1] + b',"template":"jinja","variables":{"a":[' + values + b"]}}"


def test_many_small_values(start_daemon):
    with_limit: Daemon = start_daemon("--memory", "64MiB")
    with beside(with_limit):
        assert_refused(*answered(with_limit, [], [many_small(MILLION)]))
    # Without one, ten times as many are too many.
    daemon: Daemon = start_daemon()
    with beside(daemon):
        status, answer = answered(daemon, [], [many_small(10 * MILLION)])
    assert status == 413
    assert b"--memory" in answer


# ---- bombs


def deflate(body: bytes) -> bytes:
    return zlib.compress(body, 9)


def gzipped(body: bytes) -> bytes:
    return gzip.compress(body, 9)


BOMBS = {
    "gzip": [gzipped],
    "deflate": [deflate],
    "zstd": [lambda body: zstd(body, "-3")],
    "zstd with a window": [lambda body: zstd(body, "--ultra", "-20", "--zstd=wlog=23")],
    "gzip, gzip": [gzipped, gzipped],
    "gzip, deflate, gzip": [gzipped, deflate, gzipped],
    "deflate, zstd, gzip": [deflate, lambda body: zstd(body, "-3"), gzipped],
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(start_daemon, name: str, long: bool):
    """Each hundreds of times as large as it looks: one, and as many as come where memory has a limit."""
    size = 1_000_000_000 if long else 50_000_000
    bomb = MESSAGE[:-2] + b" " * size
    for encode in BOMBS[name]:
        bomb = encode(bomb)
    assert len(bomb) < size / 500
    fields = [f"Content-Encoding: {name.partition(' with')[0]}", f"Content-Length: {len(bomb)}"]
    types = ["application/json", "message/rfc822", "application/x-ndjson"]
    one: Daemon = start_daemon()
    with beside(one):
        for media_type in types if long else types[:1]:
            status, answer = answered(one, [*fields, f"Content-Type: {media_type}"], [bomb])
            assert_refused(status, answer)
    many: Daemon = start_daemon("--memory", "64MiB", pickup=one.pickup.with_name("another"))
    with beside(many, refused=True), ThreadPoolExecutor(8) as pool:
        done = [pool.submit(answered, many, [*fields, f"Content-Type: {types[n % 3]}"], [bomb]) for n in range(16)]
        statuses = {future.result()[0] for future in done}
    assert statuses <= {413, 422, 503}, statuses


# ---- access keys


@pytest.mark.parametrize("key", [None, "wrong"])
@pytest.mark.parametrize("sent", [MESSAGE, MESSAGE[:-2] + b"x" * 1_000_000], ids=["small", "a megabyte"])
def test_a_flood_without_keys(start_daemon, run, tmp_path: Path, key: str | None, sent: bytes, long: bool):
    file = tmp_path / "keys.toml"
    good = run("keys", "add", "shop", "--keys", file).stdout.decode().strip()
    daemon: Daemon = start_daemon("--keys", str(file))
    fields = [f"Authorization: Bearer pmta_{'x' * 40}"] if key else []
    request = head(f"Content-Length: {len(sent)}", *fields) + sent

    def flood(_: int) -> bytes:
        with daemon.socket() as connection:
            send_all(connection, request)
            return answer_of(connection)[9:12]

    count = 20_000 if long else 600
    with beside(daemon, Authorization=f"Bearer {good}"), ThreadPoolExecutor(32) as pool:
        statuses = Counter(pool.map(flood, range(count if sent == MESSAGE else count // 10)))
    # Where it is gone before the answer is read there is none.
    assert set(statuses) <= {b"403" if key else b"401", b""}, statuses
    assert statuses[b""] <= sum(statuses.values()) / 10


# ---- framing of HTTP/1.1

IN_CHUNKS = head("Transfer-Encoding: chunked")
# What is sent first, what follows without an end, and how it is answered.
FRAMING = {
    "chunks of an octet": (IN_CHUNKS, b"1\r\n \r\n", {413, 408}),
    "a large extension at each": (IN_CHUNKS, b"1;" + b"x" * 8_000 + b"\r\n \r\n", {400, 408}),
    "an extension without an end": (IN_CHUNKS + b"1;", b"x" * 8_000, {400, 408}),
    "a size without an end": (IN_CHUNKS, b"0" * 8_000, {408}),
    "blanks behind a size": (IN_CHUNKS + b"1", b" " * 8_000, {408}),
    "trailers without an end": (IN_CHUNKS + b"0\r\n", b"X: y\r\n" * 1_000, {400, 408}),
    "a trailer without an end": (IN_CHUNKS + b"0\r\nX: ", b"y" * 8_000, {400, 408}),
    "blank lines in front": (b"", b"\r\n" * 4_000, {400, 431}),
    "a field without an end": (head()[:-2] + b"X: ", b"y" * 8_000, {431}),
    "fields without an end": (head()[:-2], b"X: y\r\n" * 1_000, {431}),
    "a path without an end": (b"POST /", b"x" * 8_000, {400, 414, 431}),
}


@pytest.mark.parametrize("name", FRAMING)
def test_framing_without_an_end(start_daemon, name: str, long: bool):
    daemon: Daemon = start_daemon(
        "--body-limit", "1MB", "--merge-limit", "1MB", "--body-timeout", "30s" if long else "1s"
    )
    first, more, expected = FRAMING[name]
    pieces = 20_000 if long else 2_000

    def flood(_: int) -> int:
        with daemon.socket() as connection:
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(first)
                for _ in range(pieces // 100 if len(more) > 100 else pieces):
                    connection.sendall(more * 100)
            answer = answer_of(connection)
        # Where the rest of a flood is not read the answer may be lost with it.
        return int(answer[9:12]) if answer else 0

    with ThreadPoolExecutor(8) as pool, beside(daemon):
        statuses = Counter(pool.map(flood, range(8)))
    print(name, dict(statuses))
    assert set(statuses) <= {*expected, 0}, statuses
    assert statuses[0] < 8, "nobody was told"


# ---- HTTP/2

POST = b"\x83\x86\x04\x09/messages\x01\x09localhost"
END_STREAM, END_HEADERS = 1, 4
OPENING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0)
LONG_FIELD = b"\x00\x01x\x7f\x80\x7e" + b"y" * 16_255


def opened(number: int) -> bytes:
    return frame(HEADERS, END_HEADERS, 2 * number + 1, POST)


FRAMES: dict[str, Callable[[int], bytes]] = {
    "rapid reset": lambda number: opened(number) + frame(RST_STREAM, 0, 2 * number + 1, b"\0\0\0\x08"),
    "continuations": lambda number: frame(CONTINUATION, 0, 1, LONG_FIELD) if number else frame(HEADERS, 0, 1, POST),
    "many streams": lambda number: opened(number) + frame(DATA, 0, 2 * number + 1, b'{"text":"' + b"x" * 1_000),
    "pings": lambda _: frame(PING, 0, 0, b"12345678"),
    "settings": lambda _: frame(SETTINGS, 0, 0, b"\0\x04\0\0\xff\xff"),
    "empty data": lambda number: frame(DATA, 0, 1) if number else opened(0),
    "windows": lambda number: frame(WINDOW_UPDATE, 0, 1, b"\0\0\0\x01") if number else opened(0),
}


@pytest.mark.parametrize("name", FRAMES)
def test_frames(start_daemon, name: str, long: bool):
    """Clients that send such frames and read nothing."""
    daemon: Daemon = start_daemon()
    frames = [FRAMES[name](number) for number in range(3_000)]

    def flood(_: int) -> None:
        with daemon.socket() as connection:
            connection.settimeout(2)
            # Where it waits for the client to read, that is as good as an end.
            with suppress(OSError):
                connection.sendall(OPENING)
                for _ in range(20 if long else 1):
                    connection.sendall(b"".join(frames))
            ends.wait(20)

    ends = Event()
    with many_files(), ThreadPoolExecutor(16) as pool, beside(daemon) as client:
        floods = [pool.submit(flood, number) for number in range(16)]
        client.post(20)
        ends.set()
        for each in floods:
            each.result()
