"""All files of a submission appear, or none, whenever a process is killed."""

import http.client
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from daemon import TIMEOUT, Daemon, assert_problem
from raw_http import MESSAGE
from strace import needs_strace
from thread_limit import User

ROOT = Path(__file__).parent.parent
FILES = 12


def merge(files: int = FILES) -> bytes:
    everybody = [f"r{number}@example.org" for number in range(files)]
    return json.dumps({"from": "a@example.com", "merge": "expanded", "recipients": everybody}).encode()


PYTHON = """
import json, sys, pmtaemail
pickup = pmtaemail.Pickup(sys.argv[1], durability=sys.argv[3])
for _ in range(int(sys.argv[4])):
    print(json.dumps(pickup.submit(sys.argv[2]).files), flush=True)
"""
NODE = """
const { Pickup } = require(process.argv[1]);
const pickup = new Pickup(process.argv[2], { durability: process.argv[4] });
(async () => {
  for (let count = Number(process.argv[5]); count > 0; count -= 1) {
    const { files } = await pickup.submit(process.argv[3]);
    process.stdout.write(`${JSON.stringify(files)}\\n`);
  }
})();
"""


def languages(pickup: Path, durability: str, count: int) -> dict[str, list]:
    """What submits the merge so often and writes each receipt's files into a line."""
    arguments = [merge().decode(), durability, str(count)]
    return {
        "python": [sys.executable, "-c", PYTHON, pickup, *arguments],
        "node": ["node", "-e", NODE, ROOT / "node", pickup, *arguments],
    }


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "python")}


def injecting(output: Path, *faults: str) -> tuple[str, ...]:
    injected = [argument for fault in faults for argument in ("-e", f"inject={fault}")]
    calls = ",".join(fault.partition(":")[0] for fault in faults)
    return ("strace", "-D", "-f", "-o", str(output), "-e", f"trace={calls}", *injected, "--")


# ---- one kill, at each instant


@needs_strace
@pytest.mark.parametrize("door", ["command", "daemon", "python", "node"])
def test_the_next_start_moves_the_others_on(binary: Path, start_daemon, tmp_path: Path, pickup: Path, door: str):
    """Killed at the k-th renaming, and begun again by the same door; a reader has taken what it saw."""
    taken = set()
    kills = [(2, "durable"), (FILES, "none")]
    if door in ("command", "daemon"):
        # Python and Node start slowly under strace.
        kills += [(2, "none"), (FILES, "durable")]
    for nth, durability in kills:
        wrapper = injecting(tmp_path / "trace", f"renameat2:signal=SIGKILL:when={nth}")
        if door == "daemon":
            daemon = start_daemon("--durability", durability, wrapper=wrapper)
            with pytest.raises((OSError, http.client.HTTPException)):
                daemon.post(merge())
            daemon.wait()
        else:
            commands = languages(pickup, durability, 1)
            commands["command"] = [binary, "submit", "--pickup", pickup, "--durability", durability]
            run(*wrapper, *commands[door], status=-signal.SIGKILL)
        seen = {path.name for path in pickup.iterdir()}
        assert len(seen) in (nth - 1, nth), "it was not killed at that call"
        for name in seen:
            (pickup / name).unlink()
        if door == "daemon":
            # The start alone.
            assert start_daemon("--durability", durability).stop() == 0
        else:
            commands = languages(pickup, durability, 0)
            commands["command"] = [binary, "submit", "--pickup", pickup, "/dev/null"]
            run(*commands[door], status=65 if door == "command" else 0)
        later = {path.name for path in pickup.iterdir()}
        assert len(seen | later) == FILES
        assert not seen & later
        assert not (seen | later) & taken
        taken |= seen | later
        for name in later:
            (pickup / name).unlink()
        assert list((tmp_path / "pickup.staging").iterdir()) == []


def run(*command: object, status: int = 0) -> subprocess.CompletedProcess:
    done = subprocess.run(command, input=merge(), env=ENVIRONMENT, capture_output=True, check=False, timeout=TIMEOUT)
    assert done.returncode == status, done.stderr
    return done


# ---- errors in the middle


def submitting(binary: Path, pickup: Path, message: bytes, *wrapper: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*wrapper, binary, "submit", "--pickup", pickup],
        input=message,
        capture_output=True,
        check=False,
        timeout=TIMEOUT,
    )


@needs_strace
@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
def test_a_renaming_that_fails_takes_the_others_back(binary: Path, tmp_path: Path, pickup: Path, nth: int, error: str):
    wrapper = injecting(tmp_path / "trace", f"renameat2:error={error}:when={nth}")
    done = submitting(binary, pickup, merge(3), *wrapper)
    assert done.returncode not in (0, 74), done.stderr
    assert b"delivered" not in done.stderr
    assert list(pickup.iterdir()) == list((tmp_path / "pickup.staging").iterdir()) == []


@needs_strace
@pytest.mark.parametrize(
    ("faults", "visible"),
    [
        (["renameat2:error=EIO:when=3", "renameat:error=EIO"], 2),
        # The record cannot be taken away again.
        (["renameat2:error=EIO:when=3", "unlink:error=EIO"], 0),
    ],
)
def test_what_cannot_be_taken_back_goes_forward(
    binary: Path, tmp_path: Path, pickup: Path, faults: list[str], visible: int
):
    done = submitting(binary, pickup, merge(3), *injecting(tmp_path / "trace", *faults))
    assert done.returncode == 74, done.stderr
    assert b"may still be delivered" in done.stderr
    assert len(list(pickup.iterdir())) == visible
    assert submitting(binary, pickup, MESSAGE).returncode == 0
    assert len(list(pickup.iterdir())) == 4
    assert list((tmp_path / "pickup.staging").iterdir()) == []


@needs_strace
def test_a_daemon_that_cannot_take_back_goes_forward_with_the_next_message(start_daemon, tmp_path: Path):
    wrapper = injecting(tmp_path / "trace", "renameat2:error=EIO:when=2", "renameat:error=EIO:when=1")
    daemon = start_daemon(wrapper=wrapper)
    document = assert_problem(daemon.post(merge(3)), 500)
    assert document["type"] == "urn:pmtaemail:problem:may-be-delivered"
    assert len(daemon.files()) == 1
    assert daemon.post(MESSAGE).status == 200
    assert len([path for path in daemon.files() if path.name.startswith(document["id"])]) == 3
    daemon.stop()
    (entry,) = [entry for entry in daemon.entries() if entry["event"] == "rolled_forward"]
    assert (entry["submissions"], entry["files"]) == (1, 2)


@needs_strace
@pytest.mark.parametrize("call", ["fdatasync", "fsync"])
def test_a_failed_sync_leaves_nothing_to_go_forward(binary: Path, tmp_path: Path, pickup: Path, call: str):
    done = submitting(binary, pickup, merge(3), *injecting(tmp_path / "trace", f"{call}:error=EIO"))
    assert done.returncode != 0
    assert list(pickup.iterdir()) == list((tmp_path / "pickup.staging").iterdir()) == []


# ---- what the operator is told


@needs_strace
def test_what_cannot_go_forward_is_in_the_log_until_it_can(binary: Path, start_daemon, tmp_path: Path, pickup: Path):
    wrapper = injecting(tmp_path / "trace", "renameat2:signal=SIGKILL:when=2")
    submitting(binary, pickup, merge(3), *wrapper)
    (seen,) = pickup.iterdir()
    (folder,) = (tmp_path / "pickup.staging").iterdir()
    waiting = [path.name.partition(".")[2] for path in folder.iterdir() if path.suffix == ".eml"]
    assert len(waiting) == 2
    in_the_way = pickup / waiting[0]
    in_the_way.write_bytes(b"another's")
    done = submitting(binary, pickup, MESSAGE)
    assert done.returncode == 0
    assert b"a process that died had decided to hand over" in done.stderr
    daemon = start_daemon()
    for _ in range(2):
        assert daemon.post(MESSAGE).status == 200
    in_the_way.unlink()
    assert daemon.post(MESSAGE).status == 200
    assert {seen.name, *waiting} <= {path.name for path in daemon.files()}
    daemon.stop()
    told = [entry for entry in daemon.entries() if "roll" in entry["event"]]
    events = [entry["event"] for entry in told]
    assert events.count("roll_forward_failed") == 1
    assert events[-1] == "rolled_forward"
    assert str(in_the_way) in next(entry for entry in told if "error" in entry)["error"]


@pytest.mark.skipif(os.getuid() == 0 and not Path("/usr/bin/setpriv").exists(), reason="root may write everywhere")
def test_without_a_staging_folder_only_single_files_are_taken(binary: Path):
    user = User()
    with user.folder() as pickup:
        pickup.parent.chmod(0o555)
        try:
            with Daemon(binary, pickup, wrapper=user.wrapper) as daemon:
                assert daemon.post(MESSAGE).status == 200
                assert_problem(daemon.post(merge(2)), 503)
                assert len(daemon.files()) == 1
                assert daemon.request("GET", "/health").status == 200
        finally:
            pickup.parent.chmod(0o755)
        (entry,) = [entry for entry in daemon.entries() if entry["event"] == "no_staging"]
        assert "submissions of several files need this folder" in entry["error"]
        staging = pickup.with_name("pickup.staging")
        staging.mkdir(0o700)
        os.chown(staging, user.id, -1)
        pickup.parent.chmod(0o555)
        with Daemon(binary, pickup, wrapper=user.wrapper) as daemon:
            assert daemon.post(merge(2)).status == 200
        assert not [entry for entry in daemon.entries() if entry["event"] == "no_staging"]
        pickup.parent.chmod(0o755)
