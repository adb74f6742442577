"""`--memory` holds, whatever comes at once: what there is no memory for is answered 503 or 413."""

import base64
import json
import os
import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from batches import as_lines
from daemon import TIMEOUT, Daemon, assert_problem
from peak import peak_of
from raw_http import MESSAGE

SIZE = 20 << 20
LIMIT = 256 << 20


def resident_of(daemon: Daemon) -> int:
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024


def listening(daemon: Daemon) -> dict:
    return next(entry for entry in daemon.entries() if entry["event"] == "listening")


@pytest.fixture(scope="module")
def large() -> bytes:
    content = base64.b64encode(os.urandom(SIZE)).decode()
    attachment = {"filename": "big.bin", "content": content}
    return json.dumps({"from": "a@b.example", "to": "c@d.example", "attachments": [attachment]}).encode()


def test_thirty_two_large_messages_at_once(start_daemon, large: bytes):
    daemon: Daemon = start_daemon("--memory", "256MiB", "--durability", "none")
    assert listening(daemon)["memory"] == LIMIT
    with ThreadPoolExecutor(40) as threads:
        answers = [threads.submit(daemon.post, large) for _ in range(32)]
        small = [threads.submit(daemon.post, MESSAGE) for _ in range(50)]
        statuses = Counter(answer.result().status for answer in answers)
        # Small ones find room beside large ones, or are told to come again.
        small = Counter(answer.result().status for answer in small)
    assert set(statuses) == {200, 503}, statuses
    assert small[200]
    assert set(small) <= {200, 503}, small
    refused = next(answer.result() for answer in answers if answer.result().status == 503)
    assert_problem(refused, 503)
    assert refused.headers["retry-after"] == "1"
    peak = peak_of(daemon)
    print(f"{statuses}, {peak / 2**20:.0f} MiB")
    assert peak < LIMIT
    # All of it was given back: the next one is taken.
    assert daemon.post(large).status == 200
    assert len(daemon.files()) == statuses[200] + small[200] + 1


def test_memory_is_given_back(start_daemon, large: bytes):
    """The allocator keeps none of it, with which small messages would be paid for ever after."""
    daemon: Daemon = start_daemon("--durability", "none")
    assert daemon.post(large).status == 200
    limit = time.monotonic() + TIMEOUT
    while resident_of(daemon) >= 40 << 20:
        assert time.monotonic() < limit


def test_a_message_that_needs_more_than_there_is(start_daemon):
    daemon: Daemon = start_daemon("--memory", "64MiB")
    # What the reserve of 24 MiB leaves has room for two and a half times the body.
    limit = listening(daemon)["body_limit"]
    assert limit == (40 << 20) // 5 * 2
    document = assert_problem(daemon.post(b'"' + b"x" * limit, **{"Content-Type": "message/rfc822"}), 413)
    assert document["detail"].startswith(f"A body may be at most {limit} bytes")
    assert "--memory" in document["detail"]
    # A list in a list is hundreds of times as large as its brackets.
    values = {
        "from": "a@b.example",
        "to": "c@d.example",
        "template": "jinja",
        "text": "x",
        "variables": {"a": [[]] * 200_000},
    }
    document = assert_problem(daemon.post(json.dumps(values).encode()), 413)
    assert "--memory" in document["detail"]
    assert peak_of(daemon) < 64 << 20
    assert daemon.post(MESSAGE).status == 200


def values_of(count: int) -> dict:
    """A message with so many lists, each of which needs 500 times its three bytes."""
    message = {"from": "a@b.example", "to": "c@d.example", "template": "jinja", "text": "x"}
    return message | {"variables": {"a": [[]] * count}}


def test_values_of_a_batch_count_as_well(start_daemon):
    daemon: Daemon = start_daemon("--memory", "64MiB")
    small = json.loads(MESSAGE)
    lines = as_lines([small, values_of(60_000), values_of(200_000), small])
    kind = {"Content-Type": "application/x-ndjson"}
    answer = daemon.post(lines, "/messages/batch", **kind)
    assert answer.status == 200
    results = list(map(json.loads, answer.body.splitlines()))
    # One alone is refused, and what comes behind it is taken.
    assert [result.get("status", 200) for result in results] == [200, 200, 413, 200]
    refused = results[2]
    assert refused["line"] == 3
    assert "--memory" in refused["detail"]
    assert len(daemon.files()) == 3
    assert_problem(daemon.post(lines, "/messages/batch?atomic=true", **kind), 413)
    assert len(daemon.files()) == 3
    # Those of several batches share what there is: a batch for which there is none at present ends.
    batch = as_lines([values_of(60_000)] * 3)
    for path in "/messages/batch", "/messages/batch?atomic=true":
        with ThreadPoolExecutor(8) as threads:
            posted = [threads.submit(daemon.post, batch, path, **kind) for _ in range(8)]
            answers = [answer.result() for answer in posted]
        results = [json.loads(line) for answer in answers for line in answer.body.splitlines()]
        statuses = Counter(result.get("status", 200) for result in results)
        assert statuses[200]
        assert set(statuses) <= {200, 503}, statuses
    assert peak_of(daemon) < 64 << 20
    assert daemon.post(MESSAGE).status == 200


def test_addresses_of_a_header_count_as_well(start_daemon):
    daemon: Daemon = start_daemon("--memory", "64MiB")

    def mail(count: int) -> bytes:
        recipients = ",\n ".join(["c@d.example"] * count)
        return f"From: a@b.example\nTo: {recipients}\n\n".encode() + b"x\n" * 100_000

    rfc822 = {"Content-Type": "message/rfc822"}
    assert daemon.post(mail(100_000), **rfc822).status == 200
    document = assert_problem(daemon.post(mail(200_000), **rfc822), 413)
    assert "--memory" in document["detail"]
    # Where base64 hides them there are not so many.
    for count, status in (74_000, 200), (75_000, 422):
        raw = {"content": base64.b64encode(mail(count)).decode(), "encoding": "base64"}
        answer = daemon.post(json.dumps({"raw": raw}).encode())
        assert answer.status == status
    assert [error["code"] for error in answer.json()["errors"]] == ["too_long"]
    assert peak_of(daemon) < 64 << 20


GROUPS = Path("/sys/fs/cgroup/memory")


@pytest.mark.skipif(not os.access(GROUPS, os.W_OK), reason="needs control groups that may be made")
def test_the_control_group_sets_the_limit(start_daemon, large: bytes, tmp_path: Path):
    group = GROUPS / f"pmtaemail-test-{os.getpid()}"
    group.mkdir()
    daemon: Daemon | None = None
    try:
        (group / "memory.limit_in_bytes").write_text(str(LIMIT))
        enter = f'echo $$ >{group}/cgroup.procs && exec "$@"'
        daemon = start_daemon("--durability", "none", wrapper=("sh", "-c", enter, "sh"))
        assert listening(daemon)["memory"] == LIMIT // 4 * 3
        with ThreadPoolExecutor(32) as threads:
            statuses = Counter(answer.status for answer in threads.map(lambda _: daemon.post(large), range(32)))
        assert set(statuses) == {200, 503}, statuses
        assert daemon.process.poll() is None
        assert daemon.post(MESSAGE).status == 200
        assert daemon.stop() == 0
    finally:
        # A group with a process in it stays.
        if daemon is not None:
            daemon.stop()
        group.rmdir()
