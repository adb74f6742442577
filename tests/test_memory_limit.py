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

from daemon import TIMEOUT, Daemon, assert_problem
from raw_http import MESSAGE

SIZE = 20 << 20
LIMIT = 256 << 20


def peak_of(daemon: Daemon) -> int:
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


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
    assert document["detail"].startswith(f"A body may have at most {limit} octets")
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
