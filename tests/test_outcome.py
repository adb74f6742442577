"""What was answered with an error is not delivered later; where nobody can know, the error says so and names the id."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import pmtaemail
from daemon import Daemon, assert_problem
from raw_http import MESSAGE
from strace import needs_strace
from thread_limit import User

ROOT = Path(__file__).parent.parent


def failing(output: Path, *calls: str) -> tuple[str, ...]:
    """The command that runs another one whose system calls of these names fail."""
    faults = [argument for call in calls for argument in ("-e", f"inject={call}:error=EIO")]
    return ("strace", "-D", "-f", "-o", str(output), "-e", f"trace={','.join(calls)}", *faults, "--")


# ---- no threads


def test_what_is_refused_for_want_of_a_thread_is_not_submitted_later(binary: Path):
    user = User()
    with user.folder() as pickup, Daemon(binary, pickup, wrapper=user.wrapper) as daemon:
        user.limit_threads(daemon.process.pid, 1)
        with ThreadPoolExecutor(8) as pool:
            refused = [answer.status for answer in pool.map(lambda _: daemon.post(MESSAGE), range(16))]
        # The threads that are there do the work of those that cannot be had.
        assert refused == [200] * 16
        user.limit_threads(daemon.process.pid, 1_000_000)
        assert daemon.post(MESSAGE).status == 200
        assert len(daemon.files()) == 17


def test_a_daemon_that_can_have_no_threads_does_not_start(binary: Path):
    user = User()
    with user.folder() as pickup:
        command = [*user.wrapper, "prlimit", "--nproc=1", binary, "-listen", "127.0.0.1:0", "-pickup", pickup]
        done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert done.returncode == 71
    assert b"raise the limit on processes" in done.stderr


def test_python_hands_nothing_over_later_for_want_of_a_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def cannot_start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def submit() -> None:
        async with pmtaemail.AsyncPickup(tmp_path) as pickup:
            with monkeypatch.context() as patch:
                patch.setattr(threading.Thread, "start", cannot_start)
                with pytest.raises(RuntimeError):
                    await pickup.submit(MESSAGE)
            await pickup.submit(MESSAGE)

    asyncio.run(submit())
    assert len(list(tmp_path.iterdir())) == 1


# ---- a disk that fails when the file is visible


@needs_strace
@pytest.mark.parametrize(("calls", "left"), [(("fsync",), 0), (("fsync", "unlinkat"), 1)])
def test_the_daemon_says_what_nobody_knows(start_daemon, tmp_path: Path, calls: tuple[str, ...], left: int):
    daemon = start_daemon(wrapper=failing(tmp_path / "trace", *calls))
    answer = daemon.post(MESSAGE)
    document = assert_problem(answer, 500)
    assert document["type"] == "urn:pmtaemail:problem:may-be-delivered"
    assert answer.headers["retry-after"] is None
    assert [path.name for path in daemon.files()] == [f"{document['id']}.eml"] * left
    daemon.stop()
    (entry,) = [entry for entry in daemon.entries() if entry["event"] == "submission"]
    assert (entry["status"], entry["id"], entry["may_be_delivered"]) == (500, document["id"], True)
    assert document["id"] in entry["error"]


@needs_strace
def test_what_was_never_visible_is_known(start_daemon, tmp_path: Path):
    daemon = start_daemon(wrapper=failing(tmp_path / "trace", "fdatasync"))
    assert_problem(daemon.post(MESSAGE), 503)
    daemon.stop()
    assert not any("may_be_delivered" in entry for entry in daemon.entries())
    assert daemon.files() == []


@needs_strace
def test_the_command_and_sendmail_say_what_nobody_knows(binary: Path, tmp_path: Path, pickup: Path):
    wrapper = failing(tmp_path / "trace", "fsync", "unlinkat")
    mail = b"From: a@example.com\nSubject: x\n\nHello\n"
    for arguments, body in [(["submit"], MESSAGE), (["sendmail", "-f", "a@example.com", "b@example.org"], mail)]:
        environment = {**os.environ, "PMTAEMAIL_PICKUP": str(pickup)}
        done = subprocess.run(
            [*wrapper, binary, *arguments], input=body, env=environment, capture_output=True, check=False, timeout=60
        )
        (file,) = pickup.iterdir()
        assert done.returncode == 74, done.stderr
        assert f"look for {file.stem} in the pickup directory".encode() in done.stderr
        file.unlink()


# ---- what cannot be removed


@needs_strace
def test_the_staging_folder_is_cleaned_as_soon_as_that_works(start_daemon, tmp_path: Path):
    # What the daemon removes when it has tried the folder at its start: a file, and then the lock.
    fault = ("-e", "trace=unlink", "-e", "inject=unlink:error=EIO:when=2", "--")
    daemon = start_daemon(wrapper=("strace", "-D", "-f", "-o", str(tmp_path / "trace"), *fault))
    staging = tmp_path / "pickup.staging"
    assert len(list(staging.iterdir())) == 1
    assert daemon.post(MESSAGE).status == 200
    assert list(staging.iterdir()) == []


# ---- what the commands and the packages say


PYTHON = """
import json, sys, pmtaemail
pickup = pmtaemail.Pickup(sys.argv[1])
try:
    pickup.submit(from_="a@example.com", to="b@example.org")
except pmtaemail.PickupError as error:
    one = [error.id, error.may_be_delivered, error.id in str(error)]
many = pickup.submit_many([{"from": "a@example.com", "to": "b@example.org"}])
print(json.dumps([one, [many[0].id, many[0].may_be_delivered, many[0].id in str(many[0])]]))
"""
NODE = """
const { Pickup } = require(process.argv[1]);
const pickup = new Pickup(process.argv[2]);
const said = (error) => [error.id, error.mayBeDelivered, error.message.includes(error.id)];
const message = { from: 'a@example.com', to: 'b@example.org' };
pickup.submit(message).catch(async (error) => {
  const [other] = await pickup.submitMany([message]);
  console.log(JSON.stringify([said(error), said(other)]));
});
"""


@needs_strace
@pytest.mark.parametrize("language", ["python", "node"])
def test_python_and_node_say_what_nobody_knows(tmp_path: Path, pickup: Path, language: str):
    commands = {
        "python": [sys.executable, "-c", PYTHON, pickup],
        "node": ["node", "-e", NODE, ROOT / "node", pickup],
    }
    done = subprocess.run(
        [*failing(tmp_path / "trace", "fsync", "unlinkat"), *commands[language]],
        env={**os.environ, "PYTHONPATH": str(ROOT / "python")},
        capture_output=True,
        check=True,
        timeout=60,
    )
    said = json.loads(done.stdout)
    assert [entry[1:] for entry in said] == [[True, True]] * 2
    assert {f"{entry[0]}.eml" for entry in said} == {path.name for path in pickup.iterdir()}
