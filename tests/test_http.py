"""The daemon over HTTP: answers, problem documents, limits, recovery, shutdown, the log."""

import json
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from daemon import Daemon, assert_problem
from pickup_reader import read
from raw_http import BAD, MESSAGE, exchange, head, read_answer

CANARY = "kanarienvogel"
LIMIT = 32 * 1024 * 1024
MERGE_LIMIT = 1024 * 1024 * 1024


def only_file(daemon: Daemon) -> bytes:
    (path,) = daemon.files()
    return path.read_bytes()


# ---- submissions


def test_a_submission_answers_with_its_receipt(daemon: Daemon):
    answer = daemon.post(MESSAGE)
    receipt = answer.json()
    (path,) = daemon.files()
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert set(receipt) == {"id", "messageId", "files", "recipients", "octets"}
    assert receipt["files"] == [path.name] == [f"{receipt['id']}.eml"]
    assert (receipt["recipients"], receipt["octets"]) == (1, path.stat().st_size)
    assert f"Message-ID: <{receipt['messageId']}>\r\n".encode() in path.read_bytes()
    assert read(path.read_bytes()).envid == receipt["id"]


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="headers"),
        pytest.param({"verp": True, "dsn": {"ret": "full"}}, id="bsmtp"),
        pytest.param({"to": [f"r{n}@example.org" for n in range(5_001)]}, id="several files"),
        pytest.param({"date": "2026-01-15T09:30:00Z", "messageId": "1@example.com"}, id="fixed"),
    ],
)
def test_the_receipts_id_is_the_envelope_id(daemon: Daemon, fields: dict):
    receipt = daemon.post(json.dumps({**json.loads(MESSAGE), **fields}).encode()).json()
    files = [read((daemon.pickup / name).read_bytes()) for name in receipt["files"]]
    assert {file.envid for file in files} == {receipt["id"]}
    assert daemon.post(json.dumps({**json.loads(MESSAGE), "envid": "order-42"}).encode()).status == 200
    assert "order-42" in {read(path.read_bytes()).envid for path in daemon.files()}


def test_the_file_can_be_read_by_its_group(daemon: Daemon):
    daemon.post(MESSAGE)
    (path,) = daemon.files()
    assert path.stat().st_mode & 0o777 in (0o640, 0o660, 0o644)


@pytest.mark.parametrize(
    "content_type", [None, "application/json", "application/x-www-form-urlencoded", "text/plain", "image/png", "x"]
)
def test_any_content_type(shared_daemon: Daemon, content_type: str | None):
    headers = {} if content_type is None else {"Content-Type": content_type}
    assert shared_daemon.post(MESSAGE, "/messages/check", **headers).status == 200


def test_render_and_check_write_nothing(daemon: Daemon):
    rendered = daemon.post(MESSAGE, "/messages/render")
    assert (rendered.status, rendered.headers["content-type"]) == (200, "message/rfc822")
    assert rendered.body.endswith(b"Hello.\r\n")
    assert daemon.post(MESSAGE, "/messages/check").status == 200
    assert daemon.files() == []


def test_a_slash_at_the_end_changes_nothing(daemon: Daemon):
    assert daemon.post(MESSAGE, "/messages/").status == 200
    assert_problem(daemon.post(BAD, "/messages/"), 422)
    assert daemon.request("GET", "/messages/").headers["allow"] == "POST"
    assert len(daemon.files()) == 1


def test_identifiers_differ(daemon: Daemon):
    receipts = [daemon.post(MESSAGE).json() for _ in range(20)]
    assert len({receipt["id"] for receipt in receipts}) == 20
    assert len({receipt["messageId"] for receipt in receipts}) == 20


# ---- problems


@pytest.mark.parametrize("path", ["/messages", "/messages/render", "/messages/check"])
def test_problems_are_listed(daemon: Daemon, path: str):
    document = assert_problem(daemon.post(BAD, path), 422)
    (error,) = document["errors"]
    assert set(error) == {"code", "pointer", "detail"}
    assert error["pointer"] == "#/to/1"
    assert daemon.files() == []


@pytest.mark.parametrize("path", ["/messages", "/messages/render", "/messages/check"])
@pytest.mark.parametrize("body", [b"", b"hello", b"[]x", MESSAGE[:-1], MESSAGE + b"{}", b"\xff"])
def test_invalid_json_is_400(daemon: Daemon, path: str, body: bytes):
    assert_problem(daemon.post(body, path), 400)
    assert daemon.files() == []


@pytest.mark.parametrize(
    "path", ["/", "/message", "/messages//", "/messages/1", "/messages/../etc", "//messages", "/x"]
)
def test_unknown_paths_are_404(shared_daemon: Daemon, path: str):
    assert_problem(shared_daemon.post(MESSAGE, path), 404)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
@pytest.mark.parametrize("path", ["/messages", "/messages/render", "/messages/check"])
def test_other_methods_are_405(shared_daemon: Daemon, method: str, path: str):
    answer = shared_daemon.request(method, path, MESSAGE)
    assert_problem(answer, 405)
    assert answer.headers["allow"] == "POST"


def test_head_is_405_without_a_body(shared_daemon: Daemon):
    answer = shared_daemon.request("HEAD", "/messages")
    assert (answer.status, answer.headers["allow"], answer.body) == (405, "POST", b"")


def test_health(shared_daemon: Daemon):
    assert shared_daemon.request("GET", "/health").status == 200
    answer = shared_daemon.post(b"", "/health")
    assert_problem(answer, 405)
    assert set(answer.headers["allow"].replace(" ", "").split(",")) == {"GET", "HEAD"}


# ---- sizes and framing


def test_a_content_length_over_the_limit_is_413_before_the_body(shared_daemon: Daemon):
    with shared_daemon.socket() as connection:
        answer = exchange(connection, head(f"Content-Length: {MERGE_LIMIT + 1}"))
    assert_problem(answer, 413)
    with shared_daemon.socket() as connection:
        fields = ("Content-Type: message/rfc822", f"Content-Length: {LIMIT + 1}")
        answer = exchange(connection, head(*fields))
    assert_problem(answer, 413)


def test_chunks_over_the_limit_are_413(start_daemon):
    daemon = start_daemon("--body-limit", "1000")
    with daemon.socket() as connection:
        connection.sendall(head("Transfer-Encoding: chunked"))
        connection.sendall(b"258\r\n" + b" " * 600 + b"\r\n")
        answer = exchange(connection, b"258\r\n" + b" " * 600 + b"\r\n")
    assert_problem(answer, 413)
    assert daemon.files() == []


def test_a_body_of_the_limit_is_taken(start_daemon):
    daemon = start_daemon("--body-limit", "1000")
    assert daemon.post(MESSAGE.ljust(1000)).status == 200
    assert_problem(daemon.post(MESSAGE.ljust(1001)), 413)


def test_large_bodies_are_taken(daemon: Daemon):
    text = "0123456789abcde\n" * 655_360
    message = json.dumps({"from": "ann@example.com", "to": "bo@example.org", "text": text}).encode()
    assert daemon.post(message).status == 200
    assert read(only_file(daemon)).message.count(b"0123456789abcde\r\n") == 655_360


def test_chunked_bodies(daemon: Daemon):
    answer = daemon.post(iter([MESSAGE[:10], MESSAGE[10:]]))
    assert answer.status == 200
    assert read(only_file(daemon)).addresses == ["bo@example.org"]


def test_many_requests_on_one_connection(daemon: Daemon):
    with daemon.socket() as connection:
        for body, status in [(MESSAGE, 200), (BAD, 422), (b"x", 400), (MESSAGE, 200)]:
            assert exchange(connection, head(f"Content-Length: {len(body)}") + body).status == status
    assert len(daemon.files()) == 2


def test_pipelined_requests(daemon: Daemon):
    request = head(f"Content-Length: {len(MESSAGE)}") + MESSAGE
    with daemon.socket() as connection:
        connection.sendall(request * 3)
        assert [read_answer(connection).status for _ in range(3)] == [200] * 3
    assert len(daemon.files()) == 3


def test_expect_continue(daemon: Daemon):
    with daemon.socket() as connection:
        connection.sendall(head(f"Content-Length: {len(MESSAGE)}", "Expect: 100-continue"))
        interim = b""
        while not interim.endswith(b"\r\n\r\n"):
            interim += connection.recv(1)
        assert interim.startswith(b"HTTP/1.1 100 ")
        assert exchange(connection, MESSAGE).status == 200


def test_a_client_that_leaves_within_the_body_leaves_nothing(daemon: Daemon):
    with daemon.socket() as connection:
        connection.sendall(head(f"Content-Length: {len(MESSAGE)}") + MESSAGE[:-1])
        connection.shutdown(1)
        connection.recv(65_536)
    assert daemon.post(MESSAGE).status == 200
    assert len(daemon.files()) == 1


@pytest.mark.parametrize(
    "fields",
    [
        ["Content-Length: -1"],
        ["Content-Length: 1", "Content-Length: 2"],
        ["Content-Length: 99999999999999999999999"],
        ["Content-Length: x"],
        ["Transfer-Encoding: gzip"],
    ],
)
def test_bad_framing_is_refused_and_serving_goes_on(daemon: Daemon, fields: list[str]):
    with daemon.socket() as connection:
        connection.sendall(head(*fields) + MESSAGE)
        status = connection.recv(12)
    assert status in (b"HTTP/1.1 400", b"HTTP/1.1 413", b"HTTP/1.1 501")
    assert daemon.files() == []
    assert daemon.post(MESSAGE).status == 200


def test_64_posts_at_once(daemon: Daemon):
    def post(number: int):
        return daemon.post(MESSAGE.replace(b"bo@", b"r%d@" % number))

    with ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(post, range(640)))
    assert {answer.status for answer in answers} == {200}
    receivers = {read(path.read_bytes()).addresses[0] for path in daemon.files()}
    assert receivers == {f"r{number}@example.org" for number in range(640)}


# ---- the pickup directory


def assert_unavailable(daemon: Daemon):
    answer = daemon.post(MESSAGE)
    assert_problem(answer, 503)
    assert int(answer.headers["retry-after"]) > 0


def test_a_pickup_directory_removed_and_made_again(daemon: Daemon):
    assert daemon.post(MESSAGE).status == 200
    shutil.rmtree(daemon.pickup)
    assert_unavailable(daemon)
    daemon.pickup.mkdir()
    assert daemon.post(MESSAGE).status == 200
    assert len(daemon.files()) == 1


def test_a_pickup_directory_moved_and_replaced(daemon: Daemon, tmp_path: Path):
    daemon.pickup.rename(tmp_path / "old")
    assert_unavailable(daemon)
    daemon.pickup.mkdir()
    assert daemon.post(MESSAGE).status == 200
    assert len(daemon.files()) == 1
    assert list((tmp_path / "old").iterdir()) == []


# ---- shutdown


def test_sigterm_finishes_the_request_in_flight(daemon: Daemon):
    with daemon.socket() as connection:
        connection.sendall(head(f"Content-Length: {len(MESSAGE)}", "Expect: 100-continue"))
        # The interim answer shows that the daemon has read the head and waits for the body.
        assert connection.recv(65_536).startswith(b"HTTP/1.1 100 ")
        connection.sendall(MESSAGE[:30])
        daemon.signal(signal.SIGTERM)
        daemon.wait_for_event("stopping")
        assert exchange(connection, MESSAGE[30:]).status == 200
    assert daemon.wait() == 0
    assert len(daemon.files()) == 1


def test_sigterm_refuses_new_connections_while_it_finishes(daemon: Daemon):
    with daemon.socket() as connection:
        connection.sendall(head(f"Content-Length: {len(MESSAGE)}", "Expect: 100-continue"))
        assert connection.recv(65_536).startswith(b"HTTP/1.1 100 ")
        daemon.signal(signal.SIGTERM)
        daemon.wait_for_event("stopping")
        assert not is_served(daemon)
        assert exchange(connection, MESSAGE).status == 200
    assert daemon.wait() == 0


def is_served(daemon: Daemon) -> bool:
    """Whether a new connection is answered, rather than refused or closed at once."""
    try:
        with daemon.socket() as connection:
            connection.sendall(head(f"Content-Length: {len(MESSAGE)}") + MESSAGE)
            return connection.recv(1) != b""
    except OSError:
        return False


def real_time_signals() -> range:
    return range(signal.SIGRTMIN, signal.SIGRTMAX + 1)


def test_other_signals_do_not_end_the_daemon(binary: Path, pickup: Path):
    with Daemon(binary, pickup) as daemon:
        without_a_word = {
            signal.SIGALRM,
            signal.SIGVTALRM,
            signal.SIGPROF,
            signal.SIGIO,
            signal.SIGXCPU,
            signal.SIGXFSZ,
        }
        for number in without_a_word | {signal.SIGSTKFLT, signal.SIGPWR} | set(real_time_signals()):
            daemon.signal(number)
        told = [signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2]
        for number in told:
            daemon.signal(number)
            assert daemon.post(b'{"from": "a@example.com", "to": "b@example.org"}').status == 200
        assert daemon.stop() == 0
        signals = [entry["signal"] for entry in daemon.entries() if entry["event"] == "signal_ignored"]
        assert sorted(signals) == [number.name for number in told]


PLAIN = b'{"from": "a@example.com", "to": "b@example.org"}'


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        # A name that its owner let lead to this host.
        {"Origin": "http://evil.example", "Host": "evil.example"},
    ],
)
def test_pages_of_other_sites_are_refused(shared_daemon: Daemon, headers: dict[str, str]):
    for path in ("/messages", "/messages/check", "/nothing"):
        answer = shared_daemon.post(PLAIN, path, **headers)
        assert "--allow-origin" in assert_problem(answer, 403)["detail"]
    assert shared_daemon.request("GET", "/health", headers=headers).status == 403


def test_pages_of_the_daemon_and_named_ones_may_send(start_daemon):
    daemon = start_daemon("--allow-origin", "https://app.example,http://mail.example:8000")
    for headers in (
        {"Origin": daemon.url, "Sec-Fetch-Site": "same-origin"},
        {"Origin": f"http://localhost:{daemon.port}", "Host": f"localhost:{daemon.port}"},
        {"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://mail.example:8000", "Host": "mail.example:8000"},
        {"Host": "other.example"},
    ):
        assert daemon.post(PLAIN, "/messages/check", **headers).status == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_connection_does_not_hold_up_the_end(daemon: Daemon, number: int):
    with daemon.socket() as connection:
        assert exchange(connection, head(f"Content-Length: {len(MESSAGE)}") + MESSAGE).status == 200
        daemon.signal(number)
        assert daemon.wait() == 0


# ---- the log


def test_one_line_for_each_submission(daemon: Daemon):
    receipt = daemon.post(MESSAGE).json()
    assert daemon.post(BAD).status == 422
    assert daemon.stop() == 0
    entries = daemon.entries()
    accepted, refused = [entry for entry in entries if entry["event"] == "submission"]
    assert {key: accepted[key] for key in ("status", "id", "recipients", "octets")} == {
        "status": 200,
        "id": receipt["id"],
        "recipients": 1,
        "octets": receipt["octets"],
    }
    assert (refused["status"], refused["codes"]) == (422, ["invalid_address"])
    assert [entry["event"] for entry in entries if entry["event"] != "submission"] == [
        "listening",
        "stopping",
        "stopped",
    ]


def hostile_bodies() -> list[bytes]:
    """Bad messages with the canary in every place where a value can stand."""
    good = {"from": "ann@example.com", "to": "bo@example.org"}
    bad: list[object] = [
        {**good, CANARY: 1},
        {**good, "to": CANARY},
        {**good, "to": {"address": CANARY}},
        {**good, "to": f"{CANARY}\r\n@example.org"},
        {**good, "from": f"{CANARY} <a@b>, c@d"},
        {**good, "from": {"name": f"{CANARY}\r\nBcc: x@y", "address": "ann@example.com"}},
        {**good, "subject": f"{CANARY}\r\nX: y"},
        {**good, "subject": {CANARY: CANARY}},
        {**good, "date": CANARY},
        {**good, "messageId": CANARY},
        {**good, "sender": f"{CANARY}@@example.com"},
        {**good, "to": f"bo@{CANARY}..org"},
        {**good, "to": f"bo@[{CANARY}]"},
        CANARY,
        [CANARY],
    ]
    texts = [json.dumps(message) for message in bad]
    texts += [f'{{"{CANARY}', f'{{"from":"{CANARY}"', f"{CANARY}", f'{{"from":"a@b.example","from":"{CANARY}"}}']
    texts += [f'{{"subject":"{CANARY}\\ud800"}}', f'{{"subject":"{CANARY}\\x"}}', f'{{"text":"{CANARY}\n"}}']
    return [text.encode() for text in texts]


def test_no_value_of_the_caller_is_repeated(daemon: Daemon):
    bodies = hostile_bodies()
    for body in bodies:
        answer = daemon.post(body)
        assert answer.status in (400, 422), body
        said = answer.body
        if answer.status == 422:
            # A pointer spells the caller's own field names: that is what a pointer is.
            document = answer.json()
            said = json.dumps([{**error, "pointer": ""} for error in document.pop("errors")] + [document]).encode()
        assert CANARY.encode() not in said, body
    sent = {
        "from": f"{CANARY}@example.com",
        "to": f"{CANARY} <{CANARY}@example.org>",
        "subject": CANARY,
        "text": CANARY,
    }
    assert daemon.post(json.dumps(sent)).status == 200
    daemon.request("GET", f"/{CANARY}?{CANARY}={CANARY}", headers={"Cookie": CANARY})
    daemon.request(CANARY.upper(), "/messages", headers={"X-Forwarded-For": CANARY})
    shutil.rmtree(daemon.pickup)
    assert CANARY.encode() not in daemon.post(json.dumps(sent)).body
    assert daemon.stop() == 0
    assert CANARY.encode() not in b"".join(daemon.log).lower()
