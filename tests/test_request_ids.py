"""Each answer names its request, and one line of the log has that name."""

import json
import re
import subprocess
from collections.abc import Callable

import pytest

from daemon import Daemon
from raw_http import BAD, MESSAGE, head, read_answer

POST = f"Content-Length: {len(MESSAGE)}"

# What is sent, and the status of its answer.
REQUESTS = {
    "a message": (head(POST) + MESSAGE, 200),
    "a problem": (head(f"Content-Length: {len(BAD)}") + BAD, 422),
    "no such path": (head(method="GET", path="/nothing"), 404),
    "another method": (head(method="GET"), 405),
    "another site's page": (head(POST, "Origin: https://evil.example") + MESSAGE, 403),
    "no host": (b"GET /health HTTP/1.1\r\n\r\n", 400),
    "no HTTP": (b"nonsense\r\n\r\n", 400),
    "a doubtful length": (head("Content-Length: 1", "Content-Length: 2"), 400),
    "a head that is too large": (head("X: " + "x" * 70_000), 431),
    "a head that does not come": (b"POST /messages HTTP/1.1\r\nHost:", 408),
    "a body that does not come": (head(POST), 408),
    "a body that is too large": (head("Content-Length: 3000000000"), 413),
    "an unknown coding": (head(POST, "Content-Encoding: br") + MESSAGE, 415),
    "a broken coding": (head(POST, "Content-Encoding: gzip") + MESSAGE, 400),
    "broken chunks": (head("Transfer-Encoding: chunked") + b"nonsense\r\n", 400),
    "a query": (head(POST, path="/messages?nothing=1") + MESSAGE, 400),
    "health": (head(method="GET", path="/health"), 200),
    "a batch of another type": (head(POST, "Content-Type: text/csv", path="/messages/batch") + MESSAGE, 415),
}


@pytest.mark.parametrize(("sent", "status"), REQUESTS.values(), ids=REQUESTS)
def test_each_answer_names_its_request(start_daemon: Callable, sent: bytes, status: int):
    daemon = start_daemon("--header-timeout", "1s", "--body-timeout", "1s", "--log-level", "debug")
    with daemon.socket() as connection:
        connection.sendall(sent)
        answer = read_answer(connection)
    assert answer.status == status
    name = answer.headers["x-request-id"]
    daemon.stop()
    [entry] = [entry for entry in daemon.entries() if entry.get("request_id") == name]
    assert entry["status"] == status


def test_one_that_is_told_to_go_on_later_has_a_name_too(start_daemon: Callable):
    daemon = start_daemon("--min-free", "4000000GiB")
    answer = daemon.post(MESSAGE)
    assert answer.status == 503
    daemon.stop()
    [entry] = [entry for entry in daemon.entries() if entry.get("request_id") == answer.headers["x-request-id"]]
    assert entry["status"] == 503


def test_over_http2_as_well(daemon: Daemon):
    names = []
    for path, status in [("/messages", 200), ("/nothing", 404)]:
        done = subprocess.run(
            ["curl", "-sS", "--http2-prior-knowledge", "-i", "-d", MESSAGE, f"{daemon.url}{path}"],
            capture_output=True,
            check=True,
            timeout=60,
        )
        told = done.stdout.decode()
        assert told.startswith(f"HTTP/2 {status}")
        names.append(re.search(r"x-request-id: (\S+)", told)[1])
    daemon.stop()
    logged = [entry.get("request_id") for entry in daemon.entries()]
    assert [logged.count(name) for name in names] == [1, 1]


def test_a_message_of_a_batch_is_found_by_the_name_of_its_batch(daemon: Daemon):
    answer = daemon.post(
        b"\n".join([MESSAGE, BAD]),
        "/messages/batch",
        **{"Content-Type": "application/x-ndjson", "X-Request-Id": "mine"},
    )
    assert answer.headers["x-request-id"] == "mine"
    problem = json.loads(answer.body.splitlines()[1])
    daemon.stop()
    named = [entry for entry in daemon.entries() if entry.get("request_id") == "mine"]
    [line] = [entry for entry in named if entry.get("line") == problem["line"]]
    assert line["status"] == problem["status"] == 422
