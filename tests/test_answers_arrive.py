"""Each answer reaches its client, whatever the client is still sending, and says what is wrong."""

import http
import http.client
import json
import re
import subprocess
from pathlib import Path

import pytest

from daemon import TIMEOUT, Daemon, assert_problem
from raw_http import MESSAGE, head, read_answer

ROOT = Path(__file__).parent.parent
LARGE = b" " * 8_000_000
CURL_STREAM_ERROR = 92
RACES = 5
"""So often in a row curl does not end its stream early."""
REFUSED = [
    ("POST", "/elsewhere", {}, 404),
    ("PUT", "/messages", {}, 405),
    ("POST", "/health", {}, 405),
    ("POST", "/messages", {"Origin": "http://evil.example"}, 403),
    ("POST", "/messages", {"Idempotency-Key": "k" * 256}, 400),
    ("POST", "/messages", {"Content-Encoding": "br"}, 415),
    ("POST", "/messages", {"Content-Type": "message/rfc822"}, 413),
]


def chunks():
    yield from [LARGE[:65_536]] * (len(LARGE) // 65_536)


@pytest.fixture(scope="module")
def small(binary: Path, tmp_path_factory: pytest.TempPathFactory):
    """A daemon that takes small bodies."""
    with Daemon(binary, tmp_path_factory.mktemp("pickup"), "--body-limit", "1000", "--merge-limit", "1000") as daemon:
        yield daemon


@pytest.mark.parametrize(("method", "path", "headers", "status"), REFUSED)
@pytest.mark.parametrize("body", [lambda: LARGE, chunks], ids=["announced", "chunked"])
def test_pythons_client_sees_the_answer(small: Daemon, method: str, path: str, headers: dict, status: int, body):
    # It sends all of a body before it reads; a connection that is reset meanwhile is a broken pipe.
    for _ in range(3):
        assert_problem(small.request(method, path, body(), headers), status)


# In HTTP/2 curl expects nothing by itself. Told to, it often ends its stream early, and the error that follows (the
# body is shorter than announced) hides the answer. Where the answer comes while it sends, that happens now and then.
@pytest.mark.parametrize(
    ("protocol", "expect"),
    [
        ("--http1.1", "Expect:"),
        ("--http1.1", "Expect: 100-continue"),
        ("--http2-prior-knowledge", "Expect:"),
    ],
)
@pytest.mark.parametrize(("method", "path", "headers", "status"), REFUSED)
def test_curl_sees_the_answer(
    small: Daemon, protocol: str, expect: str, method: str, path: str, headers: dict, status: int
):
    fields = [argument for name, value in headers.items() for argument in ("-H", f"{name}: {value}")]
    command = ["curl", protocol, "-sS", "-m", "60", "-X", method, "-H", expect, *fields, "--data-binary", "@-"]
    for _ in range(RACES):
        done = subprocess.run(
            [*command, small.url + path], input=LARGE, capture_output=True, check=False, timeout=TIMEOUT
        )
        if done.returncode != CURL_STREAM_ERROR:
            break
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == status


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (head("Content-Length: -1") + LARGE, 400),
        (head("Content-Length: 1", "Content-Length: 2") + LARGE, 400),
        (head("Transfer-Encoding: gzip") + LARGE, 400),
        (head("X: " + "x" * 70_000), 431),
        (head(*["X: y"] * 101), 431),
        (head(path="/" + "x" * 66_000), 431),
        (b"GET / HTTP/1.1\r\nHo", 408),
    ],
)
def test_what_is_not_http_is_answered_as_such(binary: Path, pickup: Path, octets: bytes, status: int):
    with Daemon(binary, pickup, "--header-timeout", "500ms") as daemon:
        for before in (b"", head(f"Content-Length: {len(MESSAGE)}", path="/messages/check") + MESSAGE):
            with daemon.socket() as connection:
                connection.sendall(before + octets)
                if before:
                    assert read_answer(connection).status == 200
                answer = read_answer(connection)
                assert connection.recv(1) == b""
            assert assert_problem(answer, status)["detail"]
            assert answer.headers["connection"] == "close"


def test_a_connection_goes_on_after_small_bodies(daemon: Daemon):
    connection = http.client.HTTPConnection(daemon.host, daemon.port, timeout=TIMEOUT)
    connection.connect()
    first = connection.sock
    for method, path, status in [("POST", "/elsewhere", 404), ("PUT", "/messages", 405), ("POST", "/messages", 200)]:
        connection.request(method, path, MESSAGE)
        answer = connection.getresponse()
        assert (answer.status, len(answer.read()) > 0) == (status, True)
        assert connection.sock is first
    connection.close()


def test_a_body_that_does_not_end_is_read_within_bounds(small: Daemon):
    """The client sees the answer at once, and that the daemon has enough of it when it sends nothing more."""
    with small.socket() as connection:
        connection.sendall(head("Content-Length: 100000000", path="/elsewhere") + b"x" * 100_000)
        assert read_answer(connection).status == 404
        while connection.recv(65_536):
            pass


def test_the_documentation_has_every_status():
    names = {status.name: status.value for status in http.HTTPStatus}
    names |= {"PAYLOAD_TOO_LARGE": 413, "UNPROCESSABLE_ENTITY": 422}
    page = (ROOT / "docs/http.md").read_text(encoding="utf-8").partition("| status | when |")[2].partition("\n\n")[0]
    daemon = ROOT / "cli/src/daemon"
    source = "".join(path.read_text() for path in [*daemon.glob("*.rs"), daemon / "error/head.rs"])
    used = {names[name] for name in re.findall(r"StatusCode::([A-Z_]+)", source)}
    table = re.findall(r"^\| (\d{3}) \|", page, re.MULTILINE)
    assert used >= {200, 404, 503}
    assert sorted(map(int, table)) == sorted(used)
