"""Receipts as lines, over HTTP and by the command: one for each recipient of a merge, and the receipt in the last."""

import json
import os
import re
import resource
import stat
import subprocess
from os import EX_CANTCREAT, EX_DATAERR, EX_IOERR
from pathlib import Path

import pytest

from crowd import FIXED, HEAD, as_json, as_lines, crowd, line_pieces, recipient
from daemon import Answer, Daemon, assert_problem
from merge_judge import header_field
from peak import peak_of, peak_of_command
from pickup_reader import PickupFile, read

LINES = {"Accept": "application/x-ndjson"}
SINGLE = json.dumps({"from": "shop@example.com", "to": ["ann@example.org", "bo@example.org"], "text": "Hello"}).encode()


def lines_of(octets: bytes) -> tuple[list[dict], dict]:
    """The lines for recipients, and the receipt."""
    assert octets.endswith(b"\n")
    *recipients, receipt = [json.loads(line) for line in octets.splitlines()]
    return recipients, receipt


def messages_of(file: PickupFile) -> list[tuple[str, str, bytes]]:
    """The recipient, envelope id and octets of each message."""
    if file.expansions:
        return [(each.recipient, each.envid, each.message) for each in file.expansions]
    (address,) = file.addresses
    return [(address, file.envid, file.message)]


def assert_told(octets: bytes, pickup: Path, envids: list[str | None]) -> None:
    """The lines say what is in the pickup files; `envids` are those that were given."""
    recipients, receipt = lines_of(octets)
    assert set(receipt) == {"id", "files", "recipients", "octets"}
    files = [(pickup / name).read_bytes() for name in receipt["files"]]
    assert receipt["octets"] == sum(map(len, files))
    sent = [message for octets in files for message in messages_of(read(octets))]
    found = [
        {
            "index": int(re.match(r"r(\d+)@", address)[1]),
            "envid": envid,
            "messageId": header_field(message, "message-id").strip("<>"),
        }
        for address, envid, message in sent
    ]
    # A recipient who has a file of their own may come sooner.
    assert sorted(found, key=lambda each: each["index"]) == recipients
    assert [line["index"] for line in recipients] == [*range(receipt["recipients"])]
    assert len({line["messageId"] for line in recipients}) == len(recipients) == len(envids)
    assert all(given in (None, line["envid"]) for given, line in zip(envids, recipients, strict=True))


def alternating(count: int) -> list[dict]:
    """Every third has an envelope id of its own."""
    return [recipient(n, **({} if n % 3 else {"envid": f"own-{n}"})) for n in range(count)]


@pytest.fixture
def told(daemon: Daemon):
    def told(head: dict, recipients: list[dict], count: int) -> None:
        as_bodies = {"application/json": as_json(head, recipients), "application/x-ndjson": as_lines(head, recipients)}
        for media_type, body in as_bodies.items():
            answer = daemon.post(body, **LINES, **{"Content-Type": media_type})
            assert (answer.status, answer.headers["content-type"]) == (200, "application/x-ndjson")
            assert_told(answer.body, daemon.pickup, [each.get("envid", head.get("envid")) for each in recipients])
            assert answer.body.count(b"\n") == count + 1

    return told


@pytest.mark.parametrize("form", ["native", "expanded"])
def test_lines_say_what_is_in_the_files(told, form: str):
    told({**HEAD, "merge": form}, alternating(11), 11)


@pytest.mark.parametrize("form", ["native", "expanded"])
def test_message_ids_that_are_given(told, form: str):
    told({**FIXED, "merge": form}, alternating(11), 11)


def test_an_envelope_id_for_all(told):
    told({**HEAD, "envid": "all"}, [*crowd(3), recipient(3, envid="own")], 4)


@pytest.mark.parametrize("form", ["native", "expanded"])
def test_who_is_rejected_has_a_line_as_well(daemon: Daemon, form: str):
    bad = {0, 3, 4, 9}
    recipients = [recipient(n, **({"address": "nobody"} if n in bad else {})) for n in range(10)]
    head = {**HEAD, "merge": form, "invalidRecipients": "skip"}
    for media_type, body in (("application/json", as_json), (LINES["Accept"], as_lines)):
        answer = daemon.post(body(head, recipients), **LINES, **{"Content-Type": media_type})
        lines, receipt = lines_of(answer.body)
        assert set(receipt) == {"id", "files", "recipients", "octets", "rejectedRecipients"}
        assert (receipt["recipients"], receipt["rejectedRecipients"]) == (6, 4)
        assert [line["index"] for line in lines] == [*range(10)]
        files = [read((daemon.pickup / name).read_bytes()) for name in receipt["files"]]
        sent = {address: envid for file in files for address, envid, _ in messages_of(file)}
        for n, line in enumerate(lines):
            if n in bad:
                assert line == {"index": n, "pointer": f"/recipients/{n}/address", "code": "invalid_address"}
            else:
                assert line["envid"] == sent[f"r{n}@example.org"]


@pytest.mark.parametrize(
    ("query", "indices"), [("", [1, 4, 5, 6]), ("?recipient=6", [5]), ("?limit=2", [1, 4])], ids=["all", "one", "few"]
)
def test_indices_are_those_that_were_given(daemon: Daemon, query: str, indices: list[int]):
    recipients = [None, recipient(1), None, None, *(recipient(n) for n in range(4, 7))]
    for media_type, body in (("application/json", as_json), (LINES["Accept"], as_lines)):
        answer = daemon.post(body(HEAD, recipients), "/messages" + query, **LINES, **{"Content-Type": media_type})
        lines, receipt = lines_of(answer.body)
        assert ([line["index"] for line in lines], receipt["recipients"]) == (indices, len(indices))
        (file,) = receipt["files"]
        sent = [int(address[1]) for address, _, _ in messages_of(read((daemon.pickup / file).read_bytes()))]
        assert sent == indices


def test_lines_of_very_many(told):
    told(HEAD, alternating(10_003), 10_003)


def test_a_message_that_all_share_is_one_line(daemon: Daemon):
    recipients, receipt = lines_of(daemon.post(SINGLE, **LINES).body)
    assert recipients == []
    assert set(receipt) == {"id", "messageId", "files", "recipients", "octets"}
    assert receipt["recipients"] == 2


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "application/json"),
        ("application/x-ndjson;q=0.1, application/json", "application/json"),
        ("text/html", "application/json"),
        ("application/json;q=0.1, application/x-ndjson", "application/x-ndjson"),
        ("application/jsonl", "application/jsonl"),
    ],
)
def test_accept_chooses(daemon: Daemon, accept: str, media_type: str):
    answer = daemon.post(as_json(HEAD, crowd(2)), Accept=accept)
    assert (answer.status, answer.headers["content-type"]) == (200, media_type)
    assert answer.body.count(b"\n") == (0 if media_type == "application/json" else 3)
    assert (b'"envids"' in answer.body) == (media_type == "application/json")


def test_problems_are_no_lines(daemon: Daemon):
    answer: Answer = daemon.post(as_lines(HEAD, [*crowd(2), "nobody"]), **LINES, **{"Content-Type": LINES["Accept"]})
    assert_problem(answer, 422)
    assert daemon.files() == []


# ---- the command


@pytest.fixture
def merge(tmp_path: Path) -> Path:
    path = tmp_path / "merge.ndjson"
    path.write_bytes(as_lines(HEAD, alternating(7)))
    return path


ENVIDS = [each.get("envid") for each in alternating(7)]


def test_receipts_in_a_file(run, merge: Path, pickup: Path, tmp_path: Path):
    old = tmp_path / "receipts"
    old.write_text("something older, and longer than nothing\n" * 100)
    old.chmod(0o640)
    (tmp_path / "link").symlink_to(old)
    for name, mode in (("new", 0o644), ("receipts", 0o640), ("link", 0o640)):
        done = run("submit", "--pickup", pickup, "--receipt", name, merge, umask=0o022)
        assert (done.returncode, done.stderr) == (0, b"")
        written = (tmp_path / name).read_bytes()
        assert_told(written, pickup, ENVIDS)
        # The receipt is on standard output, too.
        assert written.endswith(done.stdout)
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == mode
    assert (tmp_path / "link").is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "merge.ndjson", "new", "pickup", "receipts"]


def test_lines_on_standard_output(run, merge: Path, pickup: Path):
    for name in ("-", "/dev/stdout"):
        done = run("submit", "--pickup", pickup, "--receipt", name, merge)
        assert (done.returncode, done.stderr) == (0, b"")
        assert_told(done.stdout, pickup, ENVIDS)


def test_receipts_in_a_pipe(binary: Path, merge: Path, pickup: Path):
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as lines:
        command = [binary, "submit", "--pickup", pickup, "--receipt", f"/dev/fd/{writer}", merge]
        done = subprocess.run(command, pass_fds=[writer], capture_output=True, check=True, timeout=60)
        os.close(writer)
        assert_told(lines.read(), pickup, ENVIDS)
    assert json.loads(done.stdout)["recipients"] == 7


def test_receipts_of_several_messages(run, merge: Path, pickup: Path, tmp_path: Path):
    single, bad = tmp_path / "single.json", tmp_path / "bad.json"
    single.write_bytes(SINGLE)
    bad.write_text("{}")
    done = run("submit", "--pickup", pickup, "--receipt", "receipts", merge, bad, single)
    assert (done.returncode, done.stdout.count(b"\n")) == (EX_DATAERR, 2)
    lines = (tmp_path / "receipts").read_bytes().splitlines(keepends=True)
    assert len(lines) == 7 + 1 + 1
    assert_told(b"".join(lines[:8]), pickup, ENVIDS)
    assert json.loads(lines[8])["recipients"] == 2


def test_a_refused_message_leaves_the_file_as_it_is(run, pickup: Path, tmp_path: Path):
    (tmp_path / "receipts").write_text("older\n")
    for name in ("receipts", "new"):
        done = run("submit", "--pickup", pickup, "--receipt", name, stdin=b"{}")
        assert (done.returncode, done.stdout) == (EX_DATAERR, b"")
    assert (tmp_path / "receipts").read_text() == "older\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pickup", "receipts"]


def test_a_file_that_cannot_be_written_is_reported_first(run, merge: Path, pickup: Path, tmp_path: Path):
    for name in ("missing/receipts", str(pickup), "merge.ndjson/receipts"):
        done = run("submit", "--pickup", pickup, "--receipt", name, merge)
        assert (done.returncode, done.stdout) == (EX_CANTCREAT, b"")
        assert re.fullmatch(
            rb"pmtaemailapi: receipts cannot be written to .+: .+; nothing was handed over\n", done.stderr
        )
    assert [*pickup.iterdir()] == []


@pytest.mark.parametrize("name", ["merge.ndjson", "link", "table.csv"])
def test_what_is_read_is_not_replaced(run, binary: Path, merge: Path, pickup: Path, tmp_path: Path, name: str):
    """Nobody can make a list of recipients again."""
    (tmp_path / "link").symlink_to(merge)
    table, message = tmp_path / "table.csv", tmp_path / "message.json"
    table.write_text("email\nann@example.org\n")
    message.write_text(json.dumps({**HEAD, "text": "Hello", "subject": "Hello"}))
    before = (tmp_path / name).read_bytes()
    arguments = ("--message", message, "--csv", table) if name == "table.csv" else (merge,)
    done = [run("submit", "--pickup", pickup, "--receipt", name, *arguments)]
    with (tmp_path / name).open("rb") as file:
        command = [binary, "submit", "--pickup", pickup, "--receipt", tmp_path / name, "--ndjson"]
        done.append(subprocess.run(command, stdin=file, capture_output=True, check=False, timeout=60))
    for each in done:
        assert (each.returncode, each.stdout) == (EX_CANTCREAT, b"")
        assert each.stderr.endswith(b": the message is read from it; nothing was handed over\n")
    assert (tmp_path / name).read_bytes() == before
    assert [*pickup.iterdir()] == []


def test_receipts_are_not_for_powermta(run, merge: Path, pickup: Path, tmp_path: Path):
    (tmp_path / "link").symlink_to(pickup)
    for name in ("pickup/receipts", "link/receipts"):
        done = run("submit", "--pickup", pickup, "--receipt", name, merge)
        assert (done.returncode, done.stdout) == (EX_CANTCREAT, b"")
        assert b": it lies in the pickup directory, from which PowerMTA takes all files; nothing was" in done.stderr
    assert [*pickup.iterdir()] == []


@pytest.mark.parametrize("name", ["/dev/stderr", "/dev/fd/2", "/proc/self/fd/2"])
def test_a_file_that_is_open_already_is_not_replaced(
    binary: Path, merge: Path, pickup: Path, tmp_path: Path, name: str
):
    path = tmp_path / "log"
    path.write_text("older\n")
    with path.open("ab") as log:
        command = [binary, "submit", "--pickup", pickup, "--receipt", name, merge]
        subprocess.run(command, stdout=subprocess.PIPE, stderr=log, check=True, timeout=60)
        log.write(b"newer\n")
    first, *lines, last = path.read_bytes().splitlines(keepends=True)
    assert (first, last) == (b"older\n", b"newer\n")
    assert_told(b"".join(lines), pickup, ENVIDS)


@pytest.mark.parametrize("messages", [1, 2])
def test_lines_are_kept_where_standard_output_is_full(
    binary: Path, merge: Path, pickup: Path, tmp_path: Path, messages
):
    receipts = tmp_path / "receipts"
    command = [binary, "submit", "--pickup", pickup, "--receipt", receipts, *[merge] * messages]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False, timeout=60)
    assert done.returncode == EX_IOERR
    assert done.stderr.count(b"the message was handed over as ") == messages
    lines = receipts.read_bytes().splitlines(keepends=True)
    assert len(lines) == 8 * messages
    for at in range(messages):
        assert_told(b"".join(lines[8 * at : 8 * at + 8]), pickup, ENVIDS)


def test_a_full_device(run, merge: Path, pickup: Path, tmp_path: Path):
    """The message was handed over: the exit code is none that asks for another attempt."""
    done = run("submit", "--pickup", pickup, "--receipt", "/dev/full", merge)
    receipt = json.loads(done.stdout)
    assert done.returncode == EX_IOERR
    assert f"handed over as {receipt['id']}, but its receipt cannot be written to /dev/full: ".encode() in done.stderr
    assert [path.name for path in pickup.iterdir()] == receipt["files"]
    # Nothing more is handed over, whose receipt would be lost as well.
    done = run("submit", "--pickup", pickup, "--receipt", "/dev/full", merge, merge)
    assert (done.returncode, done.stdout.count(b"\n"), len([*pickup.iterdir()])) == (EX_IOERR, 1, 2)
    assert b": not handed over, since receipts cannot be written to /dev/full\n" in done.stderr


def test_a_disk_that_fills(run, pickup: Path, tmp_path: Path):
    """What could be written is kept: nobody can make these ids again."""
    count = 20_000
    message = as_json({"from": "a@example.com", "text": "Hello"}, [f"r{n}@example.org" for n in range(count)])

    def limit() -> None:
        # The files have 5,000 recipients each, and the lines all.
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))

    done = run("submit", "--pickup", pickup, "--receipt", "receipts", stdin=message, preexec_fn=limit)
    receipt = json.loads(done.stdout)
    assert (done.returncode, receipt["recipients"]) == (EX_IOERR, count)
    assert "envids" not in receipt
    assert sorted(path.name for path in pickup.iterdir()) == sorted(receipt["files"])
    assert not (tmp_path / "receipts").exists()
    told = re.search(r"handed over as (\S+), .* written is in (\S+)\n", done.stderr.decode())
    assert told[1] == receipt["id"]
    lines = (tmp_path / told[2]).read_bytes().splitlines()
    assert [json.loads(line)["index"] for line in lines[:-1]] == [*range(len(lines) - 1)]
    assert len(lines) > 10_000


# ---- memory

MANY = 150_000
# What all of them may take beyond what two take; the given identifiers alone are 30 MB.
MEMORY = 10_000_000
HEAD_OF_MANY = {"from": "a@example.com", "template": "merge", "text": "Hello", "messageId": "{{ id }}@example.com"}


def many(count: int = MANY) -> list[dict]:
    envids = (f"{n:060}" for n in range(count))
    return [
        {"address": f"r{n}@example.org", "envid": envid, "variables": {"id": f"{envid}.{envid}"}}
        for n, envid in enumerate(envids)
    ]


def assert_many(octets: bytes) -> None:
    recipients, receipt = lines_of(octets)
    assert receipt["recipients"] == len(recipients) == MANY
    for n, line in enumerate(recipients):
        assert line == {"index": n, "envid": f"{n:060}", "messageId": f"{n:060}.{n:060}@example.com"}


def test_memory_of_the_daemon(daemon: Daemon):
    headers = {**LINES, "Content-Type": LINES["Accept"]}
    assert daemon.post(line_pieces(HEAD_OF_MANY, many(2)), **headers).status == 200
    before = peak_of(daemon)
    answer = daemon.post(line_pieces(HEAD_OF_MANY, many()), **headers)
    assert answer.status == 200
    peak = peak_of(daemon) - before
    assert_many(answer.body)
    print(f"the daemon: {peak / 1e6:.1f} MB")
    assert peak < MEMORY


def test_memory_of_the_command(binary: Path, pickup: Path, tmp_path: Path):
    path, receipts = tmp_path / "many.ndjson", tmp_path / "receipts"
    path.write_bytes(b"".join(line_pieces(HEAD_OF_MANY, many())))
    command = [binary, "submit", "--pickup", pickup, "--durability", "none", "--receipt", receipts, path]
    peak = peak_of_command(*command)
    assert_many(receipts.read_bytes())
    path.write_bytes(b"".join(line_pieces(HEAD_OF_MANY, many(2))))
    peak -= peak_of_command(*command)
    print(f"the command: {peak / 1e6:.1f} MB")
    assert peak < MEMORY
