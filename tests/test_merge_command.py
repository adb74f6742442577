"""Mail merge on the command line: recipients as lines of a file, one recipient's message, one of several files."""

import json
import subprocess
from os import EX_DATAERR, EX_USAGE
from pathlib import Path

import pytest

from crowd import FIXED, as_json, as_lines, known_crowd
from pickup_reader import read


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "message.ndjson"
    path.write_bytes(as_lines(FIXED, known_crowd(5_003)))
    return path


def out(done: subprocess.CompletedProcess) -> bytes:
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


def test_submit(run, lines: Path, pickup: Path):
    receipt = json.loads(out(run("submit", "--pickup", pickup, "--ndjson", lines)))
    files = [read((pickup / name).read_bytes()) for name in receipt["files"]]
    assert sum(len(file.recipients) for file in files) == receipt["recipients"] == 5_003
    assert receipt["envids"] == [None] * 5_003


def test_check(run, lines: Path):
    done = run("check", "--ndjson", lines)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (0, b"", 1)
    assert b"/unsubscribe: missing_unsubscribe: " in done.stderr
    with lines.open("ab") as stream:
        stream.write(b'\n"nobody"\n')
    done = run("check", "--json", "--ndjson", lines)
    problems = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, problems[0]["code"], problems[0]["pointer"]) == (
        EX_DATAERR,
        "invalid_address",
        "/recipients/5003",
    )
    assert {problem["code"] for problem in problems[1:]} == {"missing_variable"}


def test_render_of_lines_is_that_of_json(run, lines: Path):
    message = as_json(FIXED, known_crowd(5_003))
    assert out(run("render", "--ndjson", lines)) == out(run("render", stdin=message))
    for option, value in (("--recipient", "3"), ("--recipient", "5003"), ("--file", "1"), ("--file", "2")):
        assert out(run("render", option, value, "--ndjson", lines)) == out(run("render", option, value, stdin=message))


def test_render_one_recipient(run):
    message = as_json(FIXED, known_crowd(5))
    rendered = [out(run("render", "--recipient", str(number), stdin=message)) for number in range(1, 6)]
    assert rendered[0] == out(run("render", stdin=message))
    for number, octets in enumerate(rendered):
        assert f"Message-ID: <m{number}@example.com>\r\n".encode() in octets
        assert f"<r{number}@example.org>".encode() in octets


@pytest.mark.parametrize("number", ["0", "-1", "x", "99999999999999999999"])
def test_render_of_a_recipient_that_has_no_number(run, number: str):
    done = run("render", f"--recipient={number}", stdin=as_json(FIXED, known_crowd(5)))
    assert (done.returncode, done.stdout) == (EX_USAGE, b"")


def test_render_of_a_recipient_that_is_not_there(run):
    done = run("render", "--recipient=6", stdin=as_json(FIXED, known_crowd(5)))
    assert (done.returncode, done.stdout) == (EX_DATAERR, b"")
    assert done.stderr.startswith(b"/recipients: no_recipients: ")


@pytest.mark.parametrize("merge", ["native", "expanded"])
def test_render_a_file(run, pickup: Path, merge: str):
    count = 5_003 if merge == "native" else 3
    message = as_json({**FIXED, "merge": merge}, known_crowd(count))
    receipt = json.loads(out(run("submit", "--pickup", pickup, stdin=message)))
    for number, name in enumerate(receipt["files"], 1):
        assert out(run("render", "--file", str(number), stdin=message)) == (pickup / name).read_bytes()
    beyond = run("render", "--file", str(len(receipt["files"]) + 1), stdin=message)
    assert (beyond.returncode, beyond.stdout) == (EX_USAGE, b"")
