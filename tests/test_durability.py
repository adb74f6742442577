"""Nothing is acknowledged before it is durable, and no half of a message is ever seen."""

import http.client
import json
import os
import random
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from daemon import Daemon
from hand_over_order import LINKS, order_faults
from pickup_reader import read
from raw_http import MESSAGE
from strace import Call, needs_strace, read_trace, trace

KILLS = 40


def first(calls: list[Call], *names: str, where=lambda _: True) -> Call:
    """The first successful call of one of these names."""
    found = next((call for call in calls if call.name in names and call.result >= 0 and where(call)), None)
    assert found, f"no {names}"
    return found


@needs_strace
def test_submit_is_durable_before_it_says_so(binary: Path, tmp_path: Path):
    pickup = tmp_path / "pickup"
    pickup.mkdir()
    output = tmp_path / "trace"
    done = subprocess.run(
        [*trace(output), binary, "submit", "--pickup", pickup], input=MESSAGE, capture_output=True, check=True
    )
    (name,) = json.loads(done.stdout)["files"]
    calls = read_trace(output)
    said = first(
        calls, "write", "writev", where=lambda call: call.arguments.startswith("1<") and name in call.arguments
    )
    assert order_faults(calls, pickup, name, said) == []


@needs_strace
@pytest.mark.parametrize(("merge", "recipients", "files"), [("native", 5_001, 2), ("expanded", 200, 200)])
@pytest.mark.parametrize("durability", ["durable", "none"])
def test_all_files_of_a_merge_are_durable_before_it_says_so(
    binary: Path, tmp_path: Path, merge: str, recipients: int, files: int, durability: str
):
    """Beyond 64 files they wait, synced and closed, in the staging folder."""
    pickup = tmp_path / "pickup"
    pickup.mkdir()
    output = tmp_path / "trace"
    everybody = [f"r{number}@example.org" for number in range(recipients)]
    message = json.dumps({"from": "a@example.com", "merge": merge, "recipients": everybody}).encode()
    command = [*trace(output), binary, "submit", "--pickup", pickup, "--durability", durability]
    done = subprocess.run(command, input=message, capture_output=True, check=True)
    receipt = json.loads(done.stdout)
    calls = read_trace(output)
    said = first(calls, "write", "writev", where=lambda call: call.arguments.startswith("1<"))
    faults = [order_faults(calls, pickup, name, said) for name in receipt["files"]]
    links = [call for call in calls if call.name in LINKS and call.result == 0 and f"<{pickup}>" in call.arguments]
    assert len(links) == len(faults) == files
    assert all(map(bool, faults)) if durability == "none" else not any(faults), faults[:3]


def traced_faults(daemon: Daemon, output: Path, at_once: int) -> list[list[str]]:
    """The faults of each of some hand-overs, when so many are made at once."""
    with ThreadPoolExecutor(at_once) as pool:
        receipts = [answer.json() for answer in pool.map(lambda _: daemon.post(MESSAGE), range(4 * at_once))]
    assert daemon.stop() == 0
    calls = read_trace(output)
    assert not [call for call in calls if call.name == "io_uring_setup"], "strace is blind to io_uring"
    return [
        order_faults(calls, daemon.pickup, receipt["files"][0], answer_with(calls, receipt["id"]))
        for receipt in receipts
    ]


def answer_with(calls: list[Call], id: str) -> Call:
    names = ("write", "writev", "sendto", "sendmsg")
    return first(calls, *names, where=lambda call: "<TCP:" in call.arguments and id in call.arguments)


@needs_strace
@pytest.mark.parametrize("at_once", [1, 16])
@pytest.mark.parametrize("options", [[], ["--no-syncfs"]], ids=["as it is", "without syncfs"])
def test_the_daemon_is_durable_before_it_answers(start_daemon, tmp_path: Path, at_once: int, options: list[str]):
    daemon = start_daemon(*options, wrapper=trace(tmp_path / "trace"))
    assert traced_faults(daemon, tmp_path / "trace", at_once) == [[]] * (4 * at_once)


@needs_strace
def test_the_proof_sees_a_daemon_that_does_not_sync(start_daemon, tmp_path: Path):
    daemon = start_daemon("--durability", "none", wrapper=trace(tmp_path / "trace"))
    for faults in traced_faults(daemon, tmp_path / "trace", 1):
        assert faults == [
            "the whole file is not synced before it has its name",
            "the directory is not synced between the name and the answer",
        ]


@needs_strace
@pytest.mark.parametrize("call", ["fdatasync", "fsync"])
def test_a_failed_sync_is_not_acknowledged(start_daemon, tmp_path: Path, call: str):
    wrapper = (
        "strace",
        "-D",
        "-f",
        "-o",
        str(tmp_path / "trace"),
        "-e",
        f"trace={call}",
        "-e",
        f"inject={call}:error=EIO",
    )
    daemon = start_daemon(wrapper=(*wrapper, "--"))
    answer = daemon.post(MESSAGE)
    called = f"{call}(" in (tmp_path / "trace").read_text()
    # When the directory's sync fails the file was visible already.
    assert answer.status == ({"fdatasync": 503, "fsync": 500}[call] if called else 200)
    if called:
        assert daemon.files() == []


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="there is no second file system here")
def test_the_temporary_folder_plays_no_part(binary: Path, tmp_path: Path):
    pickup = tmp_path / "pickup"
    pickup.mkdir()
    environment = {**os.environ, "TMPDIR": "/dev/shm/there-is-no-such-folder"}
    done = subprocess.run(
        [binary, "submit", "--pickup", pickup], input=MESSAGE, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(list(pickup.iterdir())) == 1


def visible(pickup: Path) -> list[Path]:
    return [path for path in pickup.rglob("*") if path.is_file() or path.is_symlink()]


def test_a_storm_of_kills_leaves_whole_messages_alone(binary: Path, tmp_path: Path):
    pickup = tmp_path / "pickup"
    pickup.mkdir()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary)}
    text = "0123456789abcde\n" * 4_096
    message = json.dumps({**json.loads(MESSAGE), "text": text}).encode()
    instants = random.Random(7)
    acknowledged = set()
    for _ in range(KILLS):
        process = subprocess.Popen(
            [binary, "submit", "--pickup", pickup],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=tmp_path,
            env=environment,
        )
        try:
            process.communicate(message, timeout=instants.uniform(0, 0.03))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        said = process.communicate()[0]
        if said.endswith(b"\n"):
            acknowledged.update(json.loads(said)["files"])
    assert acknowledged <= {path.name for path in pickup.iterdir()}
    for path in visible(pickup):
        assert read(path.read_bytes()).message.count(b"0123456789abcde\r\n") == 4_096
    assert sorted(tmp_path.iterdir()) == [pickup, temporary]
    assert list(temporary.iterdir()) == []


def test_a_daemon_killed_under_load_leaves_whole_messages_alone(start_daemon, tmp_path: Path):
    text = "0123456789abcde\n" * 512
    message = json.dumps({**json.loads(MESSAGE), "text": text}).encode()
    acknowledged: list[str] = []

    def post(daemon) -> None:
        # The kill may come before the whole answer is there.
        with suppress(OSError, http.client.HTTPException):
            acknowledged.extend(daemon.post(message).json()["files"])

    for kill_after in (1, 20, 77, 150):
        daemon = start_daemon()
        with ThreadPoolExecutor(8) as pool:
            posts = [pool.submit(post, daemon) for _ in range(200)]
            posts[kill_after].result()
            daemon.signal(signal.SIGKILL)
        daemon.wait()
    names = {path.name for path in visible(tmp_path / "pickup")}
    assert set(acknowledged) <= names
    assert acknowledged
    for path in visible(tmp_path / "pickup"):
        assert read(path.read_bytes()).message.count(b"0123456789abcde\r\n") == 512
