"""An attachment of 25 MB needs about three times its size in memory; the recipients of a mail merge need none."""

import base64
import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import batches
from batches import as_lines, post_while_reading
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


def peak_of(daemon: Daemon) -> int:
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


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
    peak = peak_of(daemon)
    print(f"the daemon: {peak / SIZE:.2f} times the attachment")
    assert peak < LIMIT


# ---- mail merge

RECIPIENTS = 110_000
# What the program, built without optimization, takes for any merge; its recipients alone are larger.
MERGE_LIMIT = 33_000_000


@pytest.fixture(scope="module", params=["json", "ndjson"])
def merge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("merge") / f"merge.{request.param}"
    head = json.dumps({"from": "a@b.example", "template": "merge", "text": "Hello {{ name }}"})
    variables = {"name": "x" * 100, "other": "y" * 300}
    recipients = (json.dumps({"address": f"c{n}@d.example", "variables": variables}) for n in range(RECIPIENTS))
    if request.param == "json":
        path.write_text(f'{{"recipients": [{",".join(recipients)}], {head[1:]}')
    else:
        path.write_text("\n".join([head, *recipients]))
    assert path.stat().st_size > 1.5 * MERGE_LIMIT
    return path


@pytest.mark.parametrize("verb", ["check", "submit"])
def test_a_merge_by_the_command(binary: Path, merge: Path, tmp_path: Path, verb: str):
    pickup = tmp_path / "pickup"
    pickup.mkdir()
    command = [sys.executable, "-c", PEAK, os.devnull, binary, verb, merge]
    if verb == "submit":
        command += ["--pickup", pickup]
    peak = int(subprocess.run(command, capture_output=True, check=True).stdout)
    assert len(list(pickup.iterdir())) == (RECIPIENTS / 5000 if verb == "submit" else 0)
    print(f"the command: {peak / 1e6:.1f} MB")
    assert peak < MERGE_LIMIT


def submitted(binary: Path, merge: Path, pickup: Path) -> tuple[int, int]:
    """How much memory the command takes for a merge, and how many files it makes."""
    pickup.mkdir()
    command = [sys.executable, "-c", PEAK, os.devnull, binary, "submit", "--durability", "none", merge]
    peak = int(subprocess.run([*command, "--pickup", pickup], capture_output=True, check=True).stdout)
    return peak, len(list(pickup.iterdir()))


def test_a_merge_whose_recipients_share_little(binary: Path, tmp_path: Path):
    """Thirty long texts, of which each recipient has others of their own: nearly nobody can share a file."""
    recipients = 2_000
    texts = {f"v{n}": f"{n} " + "long words " * 1_850 for n in range(30)}
    assert all(len(text) > 20_000 for text in texts.values())
    html = "".join(f"<p>{{{{ {name} }}}}</p>\n" for name in texts)
    message = {"from": "a@b.example", "template": "merge", "html": html, "variables": texts}
    shared = itertools.islice(itertools.cycle(itertools.combinations(texts, 3)), recipients)
    path = tmp_path / "merge.ndjson"
    with path.open("w") as file:
        print(json.dumps(message), file=file)
        for n, names in enumerate(shared):
            own = {name: f"own {n}" for name in texts if name not in names}
            print(json.dumps({"address": f"c{n}@d.example", "variables": own}), file=file)
    peak, files = submitted(binary, path, tmp_path / "pickup")
    print(f"the command: {peak / 2**20:.1f} MiB, {files} files")
    assert peak < 48 << 20
    assert files == recipients


def test_a_merge_of_large_files(binary: Path, tmp_path: Path):
    """Values that fill a file before it has 5,000 recipients."""
    recipients = 4_000
    html = "".join(f"<p>{{{{ v{n} }}}}</p>\n" for n in range(30))
    path = tmp_path / "merge.ndjson"
    with path.open("w") as file:
        print(json.dumps({"from": "a@b.example", "template": "merge", "html": html}), file=file)
        for number in range(recipients):
            own = {f"v{n}": "x" * (200 + (number + n) % 150) for n in range(30)}
            print(json.dumps({"address": f"c{number}@d.example", "variables": own}), file=file)
    peak, files = submitted(binary, path, tmp_path / "pickup")
    print(f"the command: {peak / 2**20:.1f} MiB, {files} files")
    assert files <= 3
    assert peak < 48 << 20


def test_a_merge_by_the_daemon(start_daemon, merge: Path):
    daemon: Daemon = start_daemon()
    media_type = {".json": "application/json", ".ndjson": "application/x-ndjson"}[merge.suffix]
    with merge.open("rb") as body:
        headers = {"Content-Type": media_type, "Content-Length": str(merge.stat().st_size)}
        answer = daemon.post(body, **headers)
    receipt = answer.json()
    assert (answer.status, receipt["recipients"], len(receipt["envids"])) == (200, RECIPIENTS, RECIPIENTS)
    assert receipt["files"] == sorted((path.name for path in daemon.files()), key=lambda name: int(name[27:-4]))
    peak = peak_of(daemon)
    print(f"the daemon: {peak / 1e6:.1f} MB")
    assert peak < MERGE_LIMIT


# ---- batches

MESSAGES = 80_000


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of each twenty messages nineteen break a rule: as many results, and fewer files."""
    path = tmp_path_factory.mktemp("batch") / "batch.ndjson"
    bad, good = (batches.message(to=to, text="x" * 700) for to in ("nobody", "ann@example.org"))
    path.write_bytes(as_lines([good, *[bad] * 19]) * (MESSAGES // 20))
    assert path.stat().st_size > 50 << 20
    return path


def test_a_batch_by_the_command(binary: Path, batch: Path, pickup: Path):
    program = PEAK.replace("check=True", "check=False")
    command = [sys.executable, "-c", program, os.devnull, binary, "submit", "--durability", "none", "--batch", batch]
    peak = int(subprocess.run([*command, "--pickup", pickup], capture_output=True, check=True).stdout)
    print(f"the command: {peak / 2**20:.1f} MiB")
    assert len(list(pickup.iterdir())) == MESSAGES // 20
    assert peak < 40 << 20


def test_a_batch_by_the_daemon(start_daemon, batch: Path):
    daemon: Daemon = start_daemon("-durability", "none")
    results = post_while_reading(daemon, batch)
    assert [result.get("line") for result in results] == [
        None if number % 20 == 1 else number for number in range(1, MESSAGES + 1)
    ]
    peak = peak_of(daemon)
    print(f"the daemon: {peak / 2**20:.1f} MiB")
    assert peak < 48 << 20
