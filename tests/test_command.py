"""The command line: `check`, `render`, `submit`, `serve`, and how the replaced program was called."""

import json
import os
import pty
import subprocess
from os import EX_CANTCREAT, EX_DATAERR, EX_IOERR, EX_NOINPUT, EX_OSERR, EX_TEMPFAIL, EX_USAGE
from pathlib import Path

import pytest

from pickup_reader import read
from raw_http import BAD, MESSAGE

CANARY = "kanarienvogel"


@pytest.fixture(params=["stdin", "dash", "file"])
def run_on(request: pytest.FixtureRequest, run, tmp_path: Path):
    """Runs a command on a message that comes from standard input, `-`, or a file."""

    def run_on(message: bytes, *arguments: str | Path) -> subprocess.CompletedProcess:
        if request.param == "stdin":
            return run(*arguments, stdin=message)
        if request.param == "dash":
            return run(*arguments, "-", stdin=message)
        (tmp_path / "message.json").write_bytes(message)
        return run(*arguments, "message.json")

    return run_on


# ---- check


def test_check_says_nothing_of_a_right_message(run_on):
    done = run_on(MESSAGE, "check")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_check_says_ok_on_a_terminal(binary: Path, tmp_path: Path):
    (tmp_path / "message.json").write_bytes(MESSAGE)
    terminal, end = pty.openpty()
    try:
        done = subprocess.run([binary, "check", tmp_path / "message.json"], stdout=end, check=False, timeout=60)
        assert (done.returncode, os.read(terminal, 100)) == (0, b"ok\r\n")
    finally:
        os.close(terminal)
        os.close(end)


def test_check_prints_each_problem_on_a_line(run_on):
    done = run_on(BAD, "check")
    assert done.returncode == EX_DATAERR
    (line,) = (done.stdout + done.stderr).decode().splitlines()
    assert "/to/1" in line


def test_check_as_json_lines(run_on):
    done = run_on(BAD, "check", "--json")
    problem = json.loads(done.stdout)
    assert (done.returncode, done.stdout.count(b"\n"), problem["pointer"]) == (EX_DATAERR, 1, "/to/1")
    assert set(problem) == {"code", "pointer", "detail"}
    done = run_on(MESSAGE, "check", "--json")
    assert (done.returncode, done.stdout) == (0, b"")


# ---- render


def test_render(run_on):
    done = run_on(MESSAGE, "render")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.endswith(b"\r\n\r\nHello.\r\n")
    assert b"x-sender" not in done.stdout


def test_render_a_pickup_file(run_on):
    done = run_on(MESSAGE, "render", "--pickup-file")
    file = read(done.stdout)
    assert (done.returncode, file.sender, file.addresses) == (0, "ann@example.com", ["bo@example.org"])


def test_render_refuses_problems_and_writes_nothing(run_on):
    done = run_on(BAD, "render")
    assert (done.returncode, done.stdout) == (EX_DATAERR, b"")
    assert b"/to/1" in done.stderr


# ---- submit


def test_submit(run_on, pickup: Path):
    done = run_on(MESSAGE, "submit", "--pickup", pickup)
    receipt = json.loads(done.stdout)
    (path,) = pickup.iterdir()
    assert (done.returncode, receipt["files"], receipt["octets"]) == (0, [path.name], path.stat().st_size)
    assert read(path.read_bytes()).addresses == ["bo@example.org"]


def test_submit_refuses_problems_and_leaves_nothing(run_on, pickup: Path):
    assert run_on(BAD, "submit", "--pickup", pickup).returncode == EX_DATAERR
    assert list(pickup.iterdir()) == []


def test_submit_with_one_dash(run, pickup: Path):
    assert run("submit", "-pickup", pickup, stdin=MESSAGE).returncode == 0
    assert len(list(pickup.iterdir())) == 1


def test_submit_without_its_directory(run, tmp_path: Path):
    assert run("submit", "--pickup", tmp_path / "missing", stdin=MESSAGE).returncode in (EX_CANTCREAT, EX_TEMPFAIL)
    (tmp_path / "file").write_bytes(b"")
    assert run("submit", "--pickup", tmp_path / "file", stdin=MESSAGE).returncode in (EX_CANTCREAT, EX_TEMPFAIL)
    assert not (tmp_path / "missing").exists()


def test_submit_with_a_full_disk(binary: Path, pickup: Path):
    message = json.dumps({**json.loads(MESSAGE), "text": "0123456789abcde\n" * 65_536}).encode()
    done = subprocess.run(
        # Without the trap the limit would kill; a full disk only fails the write.
        ["sh", "-c", 'trap "" XFSZ; ulimit -f 64; exec "$@"', "sh", binary, "submit", "--pickup", pickup],
        input=message,
        capture_output=True,
        check=False,
    )
    assert done.returncode in (EX_CANTCREAT, EX_TEMPFAIL)
    assert list(pickup.iterdir()) == []


# ---- input and usage


@pytest.mark.parametrize("command", ["check", "render", "submit"])
def test_a_missing_input_file(run, pickup: Path, command: str):
    more = ("--pickup", pickup) if command == "submit" else ()
    assert run(command, *more, "missing.json").returncode == EX_NOINPUT


@pytest.mark.parametrize("command", ["check", "render"])
def test_input_that_is_a_folder(run, pickup: Path, command: str):
    assert run(command, pickup).returncode in (EX_NOINPUT, EX_IOERR)


@pytest.mark.parametrize(
    "arguments",
    [
        ["fly"],
        ["--colour"],
        ["check", "--colour"],
        ["render", "a", "b"],
        ["-listen"],
        ["-listen", "nowhere"],
        ["-listen", "127.0.0.1:99999"],
    ],
)
def test_wrong_usage(run, arguments: list[str]):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (EX_USAGE, b"")
    assert b"Usage" in done.stderr or b"--help" in done.stderr or b"listen" in done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["-help"], ["-h"]])
def test_help(run, arguments: list[str]):
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (0, b"")
    for word in (b"check", b"render", b"submit", b"listen", b"pickup"):
        assert word in done.stdout


@pytest.mark.parametrize("command", ["check", "render", "submit"])
def test_help_of_a_command(run, command: str):
    done = run(command, "--help")
    assert done.returncode == 0
    assert command.encode() in done.stdout


@pytest.mark.parametrize("arguments", [["--version"], ["-version"], ["-V"]])
def test_version(run, arguments: list[str]):
    done = run(*arguments)
    assert done.returncode == 0
    assert done.stdout.startswith(b"pmtaemailapi ")


@pytest.mark.parametrize("flag", ["-listen", "--listen"])
@pytest.mark.parametrize("joined", [False, True])
def test_the_daemon_ends_at_once_without_its_directory(run, tmp_path: Path, flag: str, joined: bool):
    listen = [f"{flag}=127.0.0.1:0"] if joined else [flag, "127.0.0.1:0"]
    done = run(*listen, flag.replace("listen", "pickup"), tmp_path / "missing")
    assert done.returncode in (EX_CANTCREAT, EX_TEMPFAIL)
    assert b"missing" in done.stderr


def test_the_daemon_ends_at_once_where_the_port_is_taken(run, daemon, pickup: Path):
    done = run("-listen", f"{daemon.host}:{daemon.port}", "-pickup", pickup)
    assert done.returncode == EX_OSERR
    assert str(daemon.port).encode() in done.stderr


def test_no_value_of_the_caller_is_repeated(run):
    for message in (
        f'{{"from":"{CANARY}","to":"{CANARY}@@x","subject":"{CANARY}\\n","date":"{CANARY}"}}',
        f'{{"{CANARY}"',
        CANARY,
    ):
        for arguments in (["check"], ["check", "--json"], ["render"]):
            done = run(*arguments, stdin=message.encode())
            assert done.returncode == EX_DATAERR
            assert CANARY.encode() not in done.stdout + done.stderr


def test_a_closed_output_does_not_panic(binary: Path):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([binary, "render"], input=MESSAGE, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert b"panicked" not in done.stderr


# ---- several messages; help


def test_each_of_several_messages_is_submitted(run, tmp_path: Path):
    (tmp_path / "pickup").mkdir()
    for name, message in [("a.json", MESSAGE), ("bad.json", BAD), ("b.json", MESSAGE)]:
        (tmp_path / name).write_bytes(message)
    done = run("submit", "-pickup", "pickup", "a.json", "bad.json", "none.json", "b.json")
    receipts = [json.loads(line) for line in done.stdout.splitlines()]
    files = sorted(path.name for path in (tmp_path / "pickup").iterdir())
    assert sorted(name for receipt in receipts for name in receipt["files"]) == files
    assert len(files) == 2
    bad, none = done.stderr.decode().splitlines()
    assert bad.startswith("bad.json: /to/1: ")
    assert none.startswith("none.json: ")
    assert done.returncode == EX_DATAERR


def test_lines_that_are_messages_are_reported(run, pickup: Path, tmp_path: Path, daemon):
    one = b'{"from": "ann@example.com", "to": "bo@example.org", "text": "Hello"}\n'
    for name, told in (("many.json", b"There is more JSON"), ("many.ndjson", b"This line is a message")):
        (tmp_path / name).write_bytes(one * 3)
        done = run("submit", "-pickup", str(pickup), str(tmp_path / name))
        assert done.returncode == EX_DATAERR
        assert told in done.stderr
    for media_type, told in (
        ("application/json", "There is more JSON"),
        ("application/x-ndjson", "This line is a message"),
    ):
        answer = daemon.post(one * 3, **{"Content-Type": media_type})
        assert answer.status in (400, 422)
        assert told in answer.json()["errors"][0]["detail"]
    assert list(pickup.iterdir()) == []


def test_check_warns_of_placeholders_of_other_programs(run, daemon):
    fields = {"from": "ann@example.com", "to": "bo@example.org", "subject": "Hello *|FNAME|*", "text": "a\n%%x%%"}
    message = json.dumps(fields).encode()
    done = run("check", stdin=message)
    assert (done.returncode, done.stdout) == (0, b"")
    first, second = done.stderr.decode().splitlines()
    assert "/subject: foreign_placeholder: In line 1, column 7 there is `*|NAME|*`" in first
    assert "/text: foreign_placeholder: In line 2, column 1 there is `%%name%%`" in second
    answer = daemon.post(message, "/messages/check")
    assert (answer.status, answer.json()["problems"]) == (200, [])
    expected = [("foreign_placeholder", "/subject"), ("foreign_placeholder", "/text")]
    assert [(warning["code"], warning["pointer"]) for warning in answer.json()["warnings"]] == expected
    done = run("check", stdin=message.replace(b"bo@", b"bo"))
    assert (done.returncode, b"*|NAME|*" in done.stdout + done.stderr) == (EX_DATAERR, False)
    assert run("render", stdin=message).stderr == b""


def test_help_and_version_are_commands_too(run):
    assert run("version").stdout == run("--version").stdout == run("-version").stdout
    assert run("help").stdout == run("--help").stdout
    assert run("help", "check").stdout == run("check", "--help").stdout
    assert run("help", "nothing").returncode == EX_USAGE


@pytest.mark.parametrize("flag", ["-lisen", "--lisen"])
def test_an_unknown_flag_gets_a_tip(run, flag: str):
    done = run(flag, "127.0.0.1:0")
    assert (done.returncode, done.stdout) == (EX_USAGE, b"")
    assert b"--listen" in done.stderr
