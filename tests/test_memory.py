"""An attachment of 25 MB needs about three times its size in memory; the recipients of a mail merge need none."""

import base64
import itertools
import json
import os
import re
from pathlib import Path

import pytest

import batches
from batches import as_lines, post_while_reading
from daemon import Daemon
from peak import peak_of, peak_of_command
from pickup_reader import read

SIZE = 25_000_000
# Three times is the aim, four times what must hold on any machine.
LIMIT = 4 * SIZE


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


def test_the_command(binary: Path, message: Path, content: bytes, pickup: Path):
    submit = [binary, "submit", "--pickup", pickup]
    small = message.with_name("small.json")
    small.write_text(json.dumps({"from": "a@b.example", "to": "c@d.example"}))
    peak = peak_of_command(*submit, standard_input=message)
    assert_arrived(pickup, content)
    peak -= peak_of_command(*submit, standard_input=small)
    print(f"the command: {peak / SIZE:.2f} times the attachment")
    assert peak < LIMIT


def test_the_daemon(start_daemon, message: Path, content: bytes):
    daemon: Daemon = start_daemon()
    assert daemon.post(b'{"from": "a@b.example", "to": "c@d.example"}').status == 200
    daemon.files()[0].unlink()
    before = peak_of(daemon)
    assert daemon.post(message.read_bytes()).status == 200
    assert_arrived(daemon.pickup, content)
    peak = peak_of(daemon) - before
    print(f"the daemon: {peak / SIZE:.2f} times the attachment")
    assert peak < LIMIT


# ---- mail merge

RECIPIENTS = 110_000
# What all of them may take beyond what two take. They are 50 MB.
MERGE_LIMIT = 10_000_000


@pytest.fixture(scope="module", params=["json", "ndjson"])
def merge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("merge") / f"merge.{request.param}"
    write_merge(path, RECIPIENTS)
    write_merge(small(path), 2)
    assert path.stat().st_size > 4 * MERGE_LIMIT
    return path


def small(merge: Path) -> Path:
    """The same for two."""
    return merge.with_stem("small")


def write_merge(path: Path, count: int) -> None:
    head = json.dumps({"from": "a@b.example", "template": "merge", "text": "Hello {{ name }}"})
    variables = {"name": "x" * 100, "other": "y" * 300}
    recipients = (json.dumps({"address": f"c{n}@d.example", "variables": variables}) for n in range(count))
    if path.suffix == ".json":
        path.write_text(f'{{"recipients": [{",".join(recipients)}], {head[1:]}')
    else:
        path.write_text("\n".join([head, *recipients]))


@pytest.mark.parametrize("verb", ["check", "submit"])
def test_a_merge_by_the_command(binary: Path, merge: Path, pickup: Path, verb: str):
    options = ["--pickup", pickup] if verb == "submit" else []
    peak = peak_of_command(binary, verb, merge, *options)
    assert len(list(pickup.iterdir())) == (RECIPIENTS / 5000 if verb == "submit" else 0)
    peak -= peak_of_command(binary, verb, small(merge), *options)
    print(f"the command: {peak / 1e6:.1f} MB")
    assert peak < MERGE_LIMIT


def submitted(binary: Path, merge: Path, pickup: Path) -> tuple[int, int]:
    """How much more memory the command takes for a merge than for one message, and how many files it makes."""
    pickup.mkdir()
    command = (binary, "submit", "--durability", "none", "--pickup", pickup)
    peak = peak_of_command(*command, merge)
    files = len(list(pickup.iterdir()))
    message = merge.with_name("message.json")
    message.write_text(json.dumps({"from": "a@b.example", "to": "c@d.example", "text": "Hello"}))
    return peak - peak_of_command(*command, message), files


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
    assert peak < 24 << 20
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
    assert peak < 24 << 20


def test_a_merge_by_the_daemon(start_daemon, merge: Path):
    daemon: Daemon = start_daemon()
    media_type = {".json": "application/json", ".ndjson": "application/x-ndjson"}[merge.suffix]
    assert daemon.post(small(merge).read_bytes(), **{"Content-Type": media_type}).status == 200
    daemon.files()[0].unlink()
    before = peak_of(daemon)
    with merge.open("rb") as body:
        headers = {"Content-Type": media_type, "Content-Length": str(merge.stat().st_size)}
        answer = daemon.post(body, **headers)
    receipt = answer.json()
    assert (answer.status, receipt["recipients"], len(receipt["envids"])) == (200, RECIPIENTS, RECIPIENTS)
    assert receipt["files"] == sorted((path.name for path in daemon.files()), key=lambda name: int(name[27:-4]))
    peak = peak_of(daemon) - before
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
    submit = [binary, "submit", "--durability", "none", "--pickup", pickup, "--batch"]
    small = batch.with_name("small.ndjson")
    small.write_bytes(as_lines([batches.message(to="nobody"), batches.message()]))
    before = peak_of_command(*submit, small, exit_code=os.EX_DATAERR)
    peak = peak_of_command(*submit, batch, exit_code=os.EX_DATAERR) - before
    print(f"the command: {peak / 2**20:.1f} MiB")
    assert len(list(pickup.iterdir())) == MESSAGES // 20 + 1
    assert peak < 20 << 20


def test_a_batch_by_the_daemon(start_daemon, batch: Path):
    daemon: Daemon = start_daemon("-durability", "none")
    results = post_while_reading(daemon, batch)
    assert [result.get("line") for result in results] == [
        None if number % 20 == 1 else number for number in range(1, MESSAGES + 1)
    ]
    peak = peak_of(daemon)
    print(f"the daemon: {peak / 2**20:.1f} MiB")
    assert peak < 48 << 20
