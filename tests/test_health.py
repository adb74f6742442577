"""`/health` says whether a message would be taken, and why not."""

import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from daemon import TIMEOUT, Daemon
from raw_http import MESSAGE, head
from strace import needs_strace, trace
from thread_limit import User


def wait_for_cause(daemon: Daemon, cause: str | None) -> None:
    """Asks until the daemon says so: what it found out is good for a second."""
    limit = time.monotonic() + TIMEOUT
    while True:
        answer = daemon.request("GET", "/health")
        document = answer.json()
        assert answer.status == (503 if "cause" in document else 200)
        if document.get("cause") == cause:
            return
        assert time.monotonic() < limit, document


def test_a_directory_that_is_missing_or_none(daemon: Daemon):
    wait_for_cause(daemon, None)
    daemon.pickup.rmdir()
    wait_for_cause(daemon, "not-found")
    daemon.pickup.touch()
    wait_for_cause(daemon, "not-a-directory")
    daemon.pickup.unlink()
    daemon.pickup.mkdir()
    wait_for_cause(daemon, None)
    assert daemon.post(MESSAGE).status == 200
    daemon.stop()
    told = [entry.get("cause") for entry in daemon.entries() if entry["event"] == "health"]
    assert told == ["not-found", "not-a-directory", None]


# ---- for orchestrators


def wait_until_ready(daemon: Daemon, **failed: str) -> None:
    """Asks until exactly these checks fail, for these causes."""
    limit = time.monotonic() + TIMEOUT
    checks = {check: {"status": "ok"} for check in ("pickup", "disk", "depth", "keys")}
    checks |= {check: {"status": "failed", "cause": cause} for check, cause in failed.items()}
    while True:
        answer = daemon.request("GET", "/health/ready")
        document = answer.json()
        assert document["status"] == ("ok" if answer.status == 200 else "unready")
        assert answer.status == (200 if all(check["status"] == "ok" for check in document["checks"].values()) else 503)
        if document["checks"] == checks:
            return
        assert time.monotonic() < limit, document


def test_live_whatever_becomes_of_the_directory(daemon: Daemon):
    wait_until_ready(daemon)
    daemon.pickup.rmdir()
    wait_until_ready(daemon, pickup="not-found")
    answer = daemon.request("GET", "/health/live")
    assert (answer.status, answer.json()["status"]) == (200, "ok")
    assert answer.headers["content-type"] == "application/json"
    daemon.wait_for_event("health")
    assert {"check": "pickup", "cause": "not-found"}.items() <= daemon.entries()[-1].items()
    daemon.pickup.mkdir()
    wait_until_ready(daemon)
    for path in ("/health/live", "/health/ready"):
        assert daemon.request("POST", path).status == 405
        assert daemon.request("GET", path + "?verbose").status == 400


def test_not_ready_while_a_limit_keeps_messages_out(start_daemon):
    daemon = start_daemon("--max-depth", "1", "--min-free", "4000000GiB")
    wait_until_ready(daemon, disk="min-free")
    for name in ("a", "b"):
        (daemon.pickup / name).touch()
    wait_until_ready(daemon, disk="min-free", depth="max-depth")
    for name in ("a", "b"):
        (daemon.pickup / name).unlink()
    wait_until_ready(daemon, disk="min-free")


def test_not_ready_where_keys_cannot_be_kept(start_daemon, tmp_path: Path):
    state = tmp_path / "state"
    first = start_daemon("--state", str(state))
    wait_until_ready(first)
    assert first.post(MESSAGE, **{"Idempotency-Key": "a"}).status == 200
    wait_until_ready(first)
    # A store has one owner.
    second = start_daemon("--state", str(state))
    answer = second.request("GET", "/health/ready")
    assert answer.status == 503
    assert answer.json()["checks"]["keys"]["status"] == "failed"
    assert second.request("GET", "/health").status == 200


def test_a_full_disk(start_daemon, small_disk):
    disk = small_disk("size=256k")
    daemon = start_daemon(pickup=disk / "pickup")
    wait_for_cause(daemon, None)
    (disk / "fill").write_bytes(b"x" * (230 << 10))
    wait_for_cause(daemon, "storage-full")
    (disk / "fill").unlink()
    wait_for_cause(daemon, None)
    assert daemon.files() == []


def test_a_disk_without_inodes(start_daemon, small_disk):
    disk = small_disk("size=1m,nr_inodes=6")
    daemon = start_daemon(pickup=disk / "pickup")
    wait_for_cause(daemon, None)
    for number in range(10):
        try:
            (disk / f"{number}").touch()
        except OSError:
            break
    wait_for_cause(daemon, "storage-full")
    assert daemon.post(MESSAGE).status == 503


def test_a_disk_that_became_read_only(start_daemon, small_disk):
    disk = small_disk("size=1m")
    daemon = start_daemon(pickup=disk / "pickup")
    wait_for_cause(daemon, None)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    wait_for_cause(daemon, "read-only")
    assert daemon.post(MESSAGE).status == 503


@pytest.mark.skipif(os.getuid() == 0 and not Path("/usr/bin/setpriv").exists(), reason="root may enter everything")
def test_a_directory_that_cannot_be_entered(binary: Path):
    user = User()
    with user.folder() as pickup, Daemon(binary, pickup, wrapper=user.wrapper) as daemon:
        wait_for_cause(daemon, None)
        pickup.chmod(0o600)
        wait_for_cause(daemon, "permission-denied")
        assert daemon.post(MESSAGE).status == 503
        pickup.chmod(0o700)
        wait_for_cause(daemon, None)


@needs_strace
def test_all_places_taken(start_daemon, tmp_path: Path):
    # Each sync takes a while, so that the only place is taken meanwhile.
    slow = ("strace", "-D", "-f", "-o", str(tmp_path / "trace"), "-e", "trace=fdatasync")
    slow += ("-e", "inject=fdatasync:delay_enter=3000000", "--")
    daemon = start_daemon("--max-in-flight", "1", wrapper=slow)
    with daemon.socket() as connection:
        connection.sendall(head(f"Content-Length: {len(MESSAGE)}") + MESSAGE)
        wait_for_cause(daemon, "all-places-taken")
        assert connection.recv(12) == b"HTTP/1.1 200"
    wait_for_cause(daemon, None)


def test_a_flood_costs_the_file_system_nothing(daemon: Daemon):
    def ask(_: int) -> int:
        return daemon.request("GET", "/health").status

    with ThreadPoolExecutor(32) as pool:
        assert set(pool.map(ask, range(500))) == {200}
    assert daemon.files() == []


@needs_strace
def test_a_file_system_that_cannot_publish_is_refused_at_the_start(binary: Path, pickup: Path, tmp_path: Path):
    output = tmp_path / "trace"
    command = [binary, "submit", "-pickup", pickup]
    subprocess.run([*trace(output), *command], input=MESSAGE, capture_output=True, check=True, timeout=60)
    # Which of its calls asks for a file without a name is the same each time.
    (_, call) = next(line for line in output.read_text().splitlines() if "O_TMPFILE" in line).split()[:2]
    call = call.partition("(")[0]
    opened = [line for line in output.read_text().splitlines() if f" {call}(" in line]
    number = next(at for at, line in enumerate(opened, 1) if "O_TMPFILE" in line)
    no_unnamed = f"inject={call}:error=EOPNOTSUPP:when={number}"
    no_rename, no_links = "inject=renameat2:error=EINVAL", "inject=linkat:error=EPERM"
    tracing = ["strace", "-D", "-f", "-o", output, "-e", f"trace={call},renameat2,linkat"]

    def run(*faults: str, command: list) -> subprocess.CompletedProcess:
        injected = [argument for fault in faults for argument in ("-e", fault)]
        return subprocess.run(
            [*tracing, *injected, "--", *command], input=MESSAGE, capture_output=True, check=False, timeout=60
        )

    before = list(pickup.iterdir())
    for refused in (command, [binary, "-listen", "127.0.0.1:0", "-pickup", pickup]):
        done = run(no_unnamed, no_rename, no_links, command=refused)
        assert done.returncode == 73, done.stderr
        assert b"on another file system" in done.stderr
    assert list(pickup.iterdir()) == before
    assert run(no_unnamed, no_rename, command=command).returncode == 0
