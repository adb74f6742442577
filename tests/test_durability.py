"""A failed sync is not acknowledged, and no half of a message is ever seen."""

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

from pickup_reader import read
from raw_http import MESSAGE
from strace import needs_strace

KILLS = 40


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
