"""An attachment of 25 MB needs about three times its size in memory, and no more."""

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from daemon import Daemon
from pickup_reader import read

SIZE = 25_000_000
# Three times is the aim, four times what must hold on any machine.
LIMIT = 4 * SIZE
# A small process of its own starts the program, so that the memory of pytest is not counted.
PEAK = """
import resource, subprocess, sys
with open(sys.argv[1], "rb") as message:
    subprocess.run(sys.argv[2:], stdin=message, stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""


@pytest.fixture(scope="module")
def content() -> bytes:
    return os.urandom(SIZE)


@pytest.fixture(scope="module")
def message(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("memory") / "message.json"
    attachment = {"filename": "big.bin", "content": base64.b64encode(content).decode()}
    path.write_text(json.dumps({"from": "a@b.example", "to": "c@d.example", "attachments": [attachment]}))
    return path


def assert_arrived(pickup: Path, content: bytes) -> None:
    (path,) = pickup.iterdir()
    octets = read(path.read_bytes()).message
    path.unlink()
    body = re.search(rb"filename=big.bin\r\n\r\n(.*?)\r\n\r\n--", octets, re.DOTALL)[1]
    assert base64.b64decode(body) == content


def test_the_command(binary: Path, message: Path, content: bytes, tmp_path: Path):
    pickup = tmp_path / "pickup"
    pickup.mkdir()
    command = [sys.executable, "-c", PEAK, message, binary, "submit", "--pickup", pickup]
    peak = int(subprocess.run(command, capture_output=True, check=True).stdout)
    assert_arrived(pickup, content)
    print(f"the command: {peak / SIZE:.2f} times the attachment")
    assert peak < LIMIT


def test_the_daemon(start_daemon, message: Path, content: bytes):
    daemon: Daemon = start_daemon()
    assert daemon.post(message.read_bytes()).status == 200
    assert_arrived(daemon.pickup, content)
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024
    print(f"the daemon: {peak / SIZE:.2f} times the attachment")
    assert peak < LIMIT
