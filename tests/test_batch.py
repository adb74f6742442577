"""Many messages in one request, or in one file: a result for each, in order."""

import gzip
import json
import random
import signal
import socket
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batches import LINES, CommandBatch, Conversation, HttpBatch, as_lines, message, parsed, post_while_reading
from curl import curl
from daemon import TIMEOUT, Daemon, assert_problem
from peak import peak_of
from pickup_reader import read
from raw_http import head
from strategies import examples

GOOD = json.dumps(message()).encode()
BAD = b'{"from": "shop@example.com", "to": "nobody"}'
MERGE = json.dumps(
    {"from": "shop@example.com", "text": "Hi", "recipients": ["bo@example.org", "cy@example.org"]}
).encode()


@pytest.fixture(params=["http", "command"])
def batch(request: pytest.FixtureRequest, binary: Path, pickup: Path):
    if request.param == "command":
        return CommandBatch(binary, pickup)
    return HttpBatch(request.getfixturevalue("daemon"))


def places(results) -> list:
    """For each result "ok", or its place and status."""
    return [(place(line), line["status"]) if "status" in line else "ok" for line in results.lines]


def place(result: dict) -> int | None:
    """Where a problem is; a receipt does not say it."""
    return result.get("line", result.get("index"))


def assert_handed_over(batch, results) -> None:
    """What stands in the pickup directory is what the receipts say, and each file is right."""
    names = [name for receipt in results.receipts for name in receipt["files"]]
    assert sorted(names) == sorted(path.name for path in batch.pickup.iterdir())
    for receipt in results.receipts:
        files = [(batch.pickup / name).read_bytes() for name in receipt["files"]]
        assert sum(map(len, files)) == receipt["octets"]
        assert sum(len(read(file).addresses) for file in files) == receipt["recipients"]


CASES = {
    "nothing": (b"", True, []),
    "blank lines": (b"\n \r\n\t\n", True, []),
    "one": (GOOD, True, ["ok"]),
    "several": (GOOD + b"\n" + GOOD + b"\n", True, ["ok", "ok"]),
    "bad ones": (b"\n".join([BAD, GOOD, b"{", b"[]", GOOD]), True, [(1, 422), "ok", (3, 400), (4, 422), "ok"]),
    "blank between": (b"\n\n" + BAD + b"\r\n\r\n" + GOOD + b"\r\n" + BAD, True, [(3, 422), "ok", (6, 422)]),
    "byte order mark": (b"\xef\xbb\xbf" + GOOD + b"\n" + BAD, True, ["ok", (2, 422)]),
    "a merge": (MERGE + b"\n" + GOOD, True, ["ok", "ok"]),
    "no UTF-8": (b'{"from": "\xff"}\n' + GOOD, True, [(1, 400), "ok"]),
    "half a surrogate pair": (b'{"from": "a@b.c", "to": "d@e.f", "text": "\\ud800"}\n' + GOOD, True, [(1, 422), "ok"]),
    "deep": (b"[" * 100_000 + b"\n" + GOOD, True, [(1, 400), "ok"]),
    "unknown field": (json.dumps(message(nothing="x")).encode(), True, [(1, 422)]),
    "empty array": (b" [ ]\n", False, []),
    "array": (
        b"[" + b",\n".join([GOOD, BAD, MERGE, b"1", b"null"]) + b"]",
        False,
        ["ok", (1, 422), "ok", (3, 422), (4, 422)],
    ),
    "array with byte order mark": (b"\xef\xbb\xbf[" + GOOD + b"]", False, ["ok"]),
    "array without UTF-8": (b'[{"from": "\xff"},' + GOOD + b"]", False, [(0, 400), "ok"]),
    "broken array": (b"[" + GOOD + b',{"from": tru},' + GOOD + b"]", False, ["ok", (1, 400)]),
    "quotation mark too many": (b'[{"text": "a"b"},' + GOOD + b"]", False, [(0, 400)]),
    "array without end": (b"[" + GOOD + b"," + GOOD, False, ["ok", (1, 400)]),
    "array with comma at its end": (b"[" + GOOD + b",]", False, ["ok", (1, 400)]),
    "more behind the array": (b"[" + GOOD + b"] " + GOOD, False, ["ok", (1, 400)]),
}


@pytest.mark.parametrize("name", CASES)
def test_each_message_has_its_result(batch, name: str):
    body, lines, expected = CASES[name]
    results = batch.submit(body, lines=lines)
    assert places(results) == expected
    is_good = all(place == "ok" for place in expected)
    assert results.status == (200 if batch.name == "http" else 0 if is_good else 65)
    assert_handed_over(batch, results)


@pytest.mark.parametrize("name", CASES)
def test_all_or_none(batch, name: str):
    body, lines, expected = CASES[name]
    results = batch.submit(body, lines=lines, atomic=True)
    bad = [place for place in expected if place != "ok"]
    assert places(results) == (bad or expected)
    assert results.status == ((422 if bad else 200) if batch.name == "http" else 65 if bad else 0)
    assert_handed_over(batch, results)
    assert list(batch.pickup.iterdir()) == [] or not bad


def test_an_array_is_told_from_lines_by_its_first_character(run, pickup: Path):
    for body, count in [
        (GOOD + b"\n" + GOOD, 2),
        (b"\n [" + GOOD + b"]", 1),
        (b"\xef\xbb\xbf[" + GOOD + b"]", 1),
        (b"", 0),
    ]:
        done = run("submit", "--pickup", pickup, "--batch", "-", stdin=body)
        assert done.returncode == 0, done.stderr
        assert len(parsed(done.stdout)) == count
    path = pickup.with_name("batch.jsonl")
    path.write_bytes(b"[1]\n" + GOOD)
    done = run("submit", "--pickup", pickup, "--batch", path)
    assert [line.get("line") for line in parsed(done.stdout)] == [1, None]
    assert b"1 of 2 messages were not submitted" in done.stderr


def test_what_is_not_a_batch_is_refused(daemon: Daemon):
    for body, media_type, status, kind in [
        (GOOD, "application/json", 400, "urn:pmtaemail:problem:not-a-batch"),
        (b"", "application/json", 400, "urn:pmtaemail:problem:not-a-batch"),
        (GOOD, "message/rfc822", 415, "about:blank"),
        (GOOD, "multipart/form-data; boundary=x", 415, "about:blank"),
        (GOOD, "text/csv", 415, "about:blank"),
    ]:
        for query in "", "?atomic=true":
            answer = daemon.post(body, f"/messages/batch{query}", **{"Content-Type": media_type})
            assert assert_problem(answer, status)["type"] == kind
    for query in "atomic=maybe", "atomic=true&atomic=true", "Atomic=true", "limit=1":
        assert_problem(daemon.post(GOOD, f"/messages/batch?{query}", **LINES), 400)
    assert_problem(daemon.post(GOOD, "/messages/batch", **LINES, **{"Idempotency-Key": "x"}), 400)
    assert_problem(daemon.request("GET", "/messages/batch"), 405)
    for query, status in ("atomic", 422), ("atomic=1", 422), ("atomic=false", 200), ("atomic=0", 200):
        assert daemon.post(BAD, f"/messages/batch?{query}", **LINES).status == status
    assert daemon.files() == []


def test_several_messages_to_another_path_are_reported(daemon: Daemon):
    for body, headers in [
        (b"[" + GOOD + b"]", {}),
        (GOOD + b"\n" + GOOD, {}),
        (b'{"from": "a@b.c", "to": "d@e.f"}\n' + GOOD, LINES),
    ]:
        for path in "/messages", "/messages/check", "/messages/render":
            problem = daemon.post(body, path, **headers).json()
            assert any("/messages/batch" in error["detail"] for error in problem["errors"]), problem


def test_a_message_has_a_limit_and_the_batch_has_none(start_daemon):
    daemon = start_daemon("-body-limit", "1000", "-merge-limit", "4000")
    batch = HttpBatch(daemon)
    large = json.dumps(message(text="x" * 1_000)).encode()
    body = b"\n".join([GOOD, large, *[GOOD] * 50])
    results = batch.submit(body, lines=True)
    assert places(results) == ["ok", (2, 413), *["ok"] * 50]
    assert_handed_over(batch, results)
    results = batch.submit(b"[" + b",".join([GOOD, large, GOOD]) + b"]", lines=False)
    assert places(results) == ["ok", (1, 413), "ok"]
    # An atomic batch waits on the disk, and has a limit therefore.
    assert_problem(daemon.post(body, "/messages/batch?atomic=true", **LINES), 413)
    results = batch.submit(b"\n" * 1_001 + GOOD, lines=True)
    assert places(results) == [(1_002, 413)]


def test_compressed_batches(daemon: Daemon):
    body = as_lines(message(text=str(number)) for number in range(1_000))
    headers = {**LINES, "Content-Encoding": "gzip"}
    answer = daemon.post(gzip.compress(body), "/messages/batch", **headers)
    assert len(parsed(answer.body)) == len(daemon.files()) == 1_000
    answer = daemon.post(gzip.compress(body)[:-20], "/messages/batch", **headers)
    # Where nothing was submitted before, the answer is a problem like any other.
    is_refused = answer.status == 400
    *receipts, last = [answer.json()] if is_refused else parsed(answer.body)
    assert last["status"] == 400
    assert last.get("line") == (None if is_refused else len(receipts) + 1)
    assert len(daemon.files()) == 1_000 + len(receipts)


def test_http2_has_the_same_results(daemon: Daemon):
    body = as_lines([message(), message(to="nobody")] * 2_000)
    url = f"{daemon.url}/messages/batch"
    version, status, answer = curl(url, "-H", "Content-Type: application/x-ndjson", "--data-binary", "@-", body=body)
    assert (version, status) == ("2", 200)
    results = parsed(answer)
    assert [line.get("line", 0) for line in results] == [0 if number % 2 else number for number in range(1, 4_001)]
    assert len(daemon.files()) == 2_000


# ---- order, and each by itself


def test_results_are_in_the_order_of_the_lines(batch):
    chance = random.Random(1)
    sizes = [chance.choice([1, 10, 1_000, 300_000]) for _ in range(300)]
    body = as_lines(message(subject=f"number {number}", text="x" * size) for number, size in enumerate(sizes))
    if batch.name == "http":
        path = batch.pickup.with_name("batch.ndjson")
        path.write_bytes(body)
        receipts = post_while_reading(batch.daemon, path)
    else:
        receipts = batch.submit(body, lines=True).receipts
    assert len(receipts) == len(sizes)
    for number, receipt in enumerate(receipts):
        (name,) = receipt["files"]
        assert f"Subject: number {number}\r\n".encode() in (batch.pickup / name).read_bytes()


FIXED = {"date": "2026-11-23T05:33:54Z", "messageId": "a@example.com", "envid": "e"}
MESSAGES = st.sampled_from(
    [
        message(**FIXED),
        message(**FIXED, subject="Grüße\n"),
        message(**FIXED, to=["ann@example.org", "nobody"]),
        message(**FIXED, too=1),
        {"from": "shop@example.com", **FIXED, "to": "ann@example.org", "html": "<p>Hi</p>"},
        [],
        None,
        "x",
    ]
)


@given(st.lists(MESSAGES, max_size=12), st.booleans(), st.integers(0, 2))
@examples(30)
def test_a_batch_is_its_messages_one_by_one(shared_daemon: Daemon, messages: list, lines: bool, blank: int):
    def outcome(result: dict) -> object:
        if "status" in result:
            return result["errors"]
        paths = [shared_daemon.pickup / name for name in result["files"]]
        contents = [path.read_bytes() for path in paths]
        for path in paths:
            path.unlink()
        return contents

    body = json.dumps(messages).encode()
    if lines:
        body = b"".join(line + b"\n" * (1 + blank) for line in as_lines(messages).splitlines())
    results = HttpBatch(shared_daemon).submit(body, lines=lines)
    singles = [shared_daemon.post(json.dumps(one).encode()).json() for one in messages]
    assert list(map(outcome, results.lines)) == list(map(outcome, singles))
    for number, result in enumerate(results.lines):
        expected = 1 + number * (1 + blank) if lines else number
        assert place(result) == (expected if "status" in result else None)


# ---- while it comes


def test_a_result_does_not_wait_for_the_next_line(daemon: Daemon):
    with Conversation(daemon) as conversation:
        results = conversation.results()
        for number in range(1, 4):
            conversation.send(GOOD[:10])
            conversation.send(GOOD[10:] + b"\n" + BAD + b"\n")
            (name,) = next(results)["files"]
            assert (daemon.pickup / name).exists()
            assert next(results)["line"] == 2 * number
        conversation.send(GOOD)
        conversation.end()
        assert len(list(results)) == 1
    assert conversation.status == 200


def test_a_result_does_not_wait_for_the_next_line_of_a_pipe(binary: Path, pickup: Path):
    command = [binary, "submit", "--pickup", pickup, "--batch", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        for _ in range(3):
            process.stdin.write(GOOD + b"\n")
            process.stdin.flush()
            (name,) = json.loads(process.stdout.readline())["files"]
            assert (pickup / name).exists()
        process.stdin.close()
        assert process.stdout.read() == b""
        assert process.wait(TIMEOUT) == 0


def test_the_rest_of_a_broken_array_does_not_hide_the_results(daemon: Daemon):
    rest = b"," + b"[1]," * 5_000_000
    answer = daemon.post(b"[" + GOOD + b", x" + rest, "/messages/batch", **{"Content-Type": "application/json"})
    assert list(map(place, parsed(answer.body))) == [None, 1]
    assert len(daemon.files()) == 1


def test_a_client_that_stops_sending_gets_an_answer(start_daemon):
    daemon = start_daemon("-body-timeout", "1s")
    with Conversation(daemon) as conversation:
        conversation.send(GOOD + b"\n" + GOOD + b"\n\n" + GOOD[:5])
        *receipts, last = conversation.results()
    assert (last["status"], last["line"]) == (408, 4)
    assert len(receipts) == len(daemon.files()) == 2
    daemon.wait_for_event("batch_end")


def test_a_client_that_reads_nothing_is_left(start_daemon):
    daemon = start_daemon("-body-timeout", "2s", "-durability", "none")
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    small.settimeout(TIMEOUT)
    with small:
        small.connect((daemon.host, daemon.port))
        fields = ("Content-Type: application/x-ndjson", "Transfer-Encoding: chunked")
        small.sendall(head(*fields, path="/messages/batch"))
        piece = (BAD + b"\n") * 1_000
        with pytest.raises(OSError):  # noqa: PT012 - how much it takes first is the system's affair
            while True:
                small.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
        # Others do not notice.
        assert daemon.post(GOOD).status == 200
    daemon.wait_for_event("batch_end")
    (end,) = [entry for entry in daemon.entries() if entry["event"] == "batch_end"]
    assert end["error"] == "The client is not reading the results."
    print(f"{end['failed']} messages were taken; {peak_of(daemon) / 2**20:.1f} MiB")
    assert peak_of(daemon) < 64 << 20


def test_a_client_that_goes_away_leaves_nothing_half_done(daemon: Daemon):
    with Conversation(daemon) as conversation:
        conversation.send((MERGE + b"\n") * 500)
        next(conversation.results())
        conversation.socket.shutdown(socket.SHUT_RDWR)
    daemon.wait_for_event("batch_end")
    (end,) = [entry for entry in daemon.entries() if entry["event"] == "batch_end"]
    assert end["submitted"] == len(daemon.files())
    for path in daemon.files():
        assert len(read(path.read_bytes()).addresses) == 2
    assert daemon.post(GOOD).status == 200


def test_the_end_of_the_daemon_ends_a_batch(daemon: Daemon):
    with Conversation(daemon) as conversation:
        conversation.send((GOOD + b"\n") * 10)
        results = conversation.results()
        receipts = [next(results) for _ in range(10)]
        daemon.signal(signal.SIGTERM)
        (last,) = results
    assert (last["status"], last["type"], last["line"]) == (503, "urn:pmtaemail:problem:stopping", 11)
    assert daemon.wait() == 0
    assert [receipt["files"][0] for receipt in receipts] == [path.name for path in daemon.files()]
    assert daemon.entries()[-1]["event"] == "stopped"
    assert "abandoned" not in daemon.entries()[-1]


def test_a_message_is_found_in_the_log_by_its_id(daemon: Daemon):
    batch = HttpBatch(daemon)
    found = {
        atomic: batch.submit(GOOD + b"\n" + (GOOD if atomic else BAD), lines=True, atomic=atomic) for atomic in (0, 1)
    }
    daemon.stop()
    entries = daemon.entries()
    for atomic, results in found.items():
        for receipt in results.receipts:
            (entry,) = [entry for entry in entries if entry.get("id") == receipt["id"]]
            of_request = [other for other in entries if other.get("request_id") == entry["request_id"]]
            (end,) = [other for other in of_request if other["event"] == "batch_end"]
            assert entry["octets"] == receipt["octets"]
            assert (end["submitted"], end["failed"]) == (len(results.receipts), len(results.problems))
            assert end["atomic"] == atomic
    (bad,) = [entry for entry in entries if entry.get("codes")]
    assert (bad["status"], bad["line"]) == (422, 2)


def test_a_pickup_directory_that_is_gone(batch):
    batch.pickup.rename(batch.pickup.with_name("elsewhere"))
    for atomic in False, True:
        if batch.name == "http":
            results = batch.submit(GOOD + b"\n" + BAD + b"\n" + GOOD, lines=True, atomic=atomic)
            statuses = [503] if atomic else [503, 422, 503]
            assert [line["status"] for line in results.lines] == statuses
        else:
            assert batch.submit(GOOD, lines=True, atomic=atomic).status == 73


# ---- all or none, whenever it is killed


@pytest.mark.parametrize("seed", range(6))
def test_a_daemon_that_is_killed_leaves_all_or_none(start_daemon, seed: int):
    chance = random.Random(seed)
    daemon = start_daemon()
    count = 150
    with Conversation(daemon, "?atomic=true") as conversation:
        body = as_lines(message(text=str(number)) for number in range(count))
        if seed == 0:
            # In the middle of the body.
            conversation.send(body[:-100])
        else:
            killer = threading.Timer(chance.uniform(0, 0.15), daemon.signal, [signal.SIGKILL])
            killer.start()
            with suppress(OSError):
                conversation.send(body)
                conversation.end()
            killer.join()
        daemon.signal(signal.SIGKILL)
        daemon.wait()
    # The next one moves the rest on, if it was decided.
    again = start_daemon(pickup=daemon.pickup)
    assert len(again.files()) in ((0,) if seed == 0 else (0, count))
    for path in again.files():
        read(path.read_bytes())
