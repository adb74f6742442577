"""The log tells who asked for what, and what became of it."""

import json
import os
import re
import socket
import subprocess
from pathlib import Path

import pytest

from daemon import Daemon
from raw_http import BAD, MESSAGE, head, read_answer


def lines(daemon: Daemon) -> list[dict]:
    """What was logged of requests, when the daemon has ended."""
    assert daemon.stop() == 0
    return [entry for entry in daemon.entries() if "request_id" in entry]


def test_the_line_of_a_submission_says_who_sent_what(daemon: Daemon):
    message = json.dumps({**json.loads(MESSAGE), "job": "spring", "vmta": "pool-a"}).encode()
    answer = daemon.post(message, **{"User-Agent": "shop/1.0", "X-Request-Id": "order-17"})
    assert answer.headers["x-request-id"] == "order-17"
    mail = b"From: a@example.com\nTo: b@example.org\n\nHello\n"
    raw = daemon.post(mail, "/messages?job=summer", **{"Content-Type": "message/rfc822"})
    people = b'{"from":"a@example.com","job":"autumn"}\n"b@example.org"\n'
    merge = daemon.post(people, **{"Content-Type": "application/x-ndjson"})
    first, second, third = lines(daemon)
    assert {name: first[name] for name in ("event", "status", "id", "user_agent", "request_id", "job", "vmta")} == {
        "event": "submission",
        "status": 200,
        "id": answer.json()["id"],
        "user_agent": "shop/1.0",
        "request_id": "order-17",
        "job": "spring",
        "vmta": "pool-a",
    }
    assert re.fullmatch(r"127\.0\.0\.1:\d+", first["client"])
    assert (second["job"], second["id"], second["request_id"]) == ("summer", raw.json()["id"], raw.json()["id"])
    assert (third["job"], third["id"], third["recipients"]) == ("autumn", merge.json()["id"], 1)
    assert "vmta" not in second | third


def test_every_request_has_a_line_and_an_id(start_daemon):
    daemon = start_daemon("--log-level", "debug")
    asked = [
        ("POST", "/messages", BAD, "submission", 422),
        ("POST", "/messages", b"{", "submission", 400),
        ("POST", "/messages/check", MESSAGE, "check", 200),
        ("POST", "/messages/check", BAD, "check", 422),
        ("POST", "/messages/render", MESSAGE, "render", 200),
        ("POST", "/elsewhere", MESSAGE, "request", 404),
        ("GET", "/messages", None, "request", 405),
        ("GET", "/health", None, "health_request", 200),
    ]
    ids = [daemon.request(method, path, body).headers["x-request-id"] for method, path, body, *_ in asked]
    with daemon.socket() as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        ids.append(read_answer(connection).headers["x-request-id"])
    found = lines(daemon)
    assert [(entry["event"], entry["status"]) for entry in found] == [ask[3:] for ask in asked] + [("request", 400)]
    assert [entry["request_id"] for entry in found] == ids
    assert len(set(ids)) == len(ids)
    codes = [entry.get("codes") for entry in found[:4]]
    assert codes == [["invalid_address"], ["not_json"], None, ["invalid_address"]]
    assert all(entry["client"].startswith("127.0.0.1:") for entry in found)


def test_a_trace_is_logged_and_answered(daemon: Daemon):
    trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    answers = [
        daemon.post(MESSAGE, traceparent=f"00-{trace}-{parent}-01"),
        daemon.post(b"[" + MESSAGE + b"," + BAD + b"]", "/messages/batch", traceparent=f"00-{trace}-{parent}-00"),
        daemon.post(MESSAGE, "/elsewhere", traceparent=f"00-{trace}-{parent}-01"),
    ]
    spans = []
    for answer, flags in zip(answers, ("01", "00", "01"), strict=True):
        version, answered, span, answered_flags = answer.headers["traceparent"].split("-")
        assert (version, answered, answered_flags) == ("00", trace, flags)
        spans.append(span)
    assert len({parent, *spans}) == 4
    for wrong in (f"00-{trace}-{parent}", f"00-{'0' * 32}-{parent}-01", "x"):
        assert "traceparent" not in daemon.post(MESSAGE, traceparent=wrong).headers
    found = lines(daemon)
    assert {entry["span_id"] for entry in found if "trace_id" in entry} == set(spans)
    assert {entry["trace_id"] for entry in found if "trace_id" in entry} == {trace}
    # Of the batch: its head, two messages and its end.
    assert [entry.get("span_id") for entry in found].count(spans[1]) == 4
    assert sum("trace_id" not in entry for entry in found) == 3


def test_a_clients_values_are_short_and_stay_in_their_line(daemon: Daemon):
    with daemon.socket() as connection:
        fields = [b"User-Agent: \xe2\x80\xae\t\x9b31m" + b"x" * 1_000, b"X-Request-Id: a b"]
        connection.sendall(
            head(*[field.decode("latin-1") for field in fields], path="/elsewhere").decode().encode("latin-1")
        )
        read_answer(connection)
    (entry,) = lines(daemon)
    assert entry["user_agent"].isascii() or entry["user_agent"].removesuffix("…").isascii()
    assert len(entry["user_agent"]) < 300
    assert entry["request_id"] != "a b"


def test_the_first_line_says_what_the_daemon_works_with(start_daemon, tmp_path: Path):
    daemon = start_daemon("--durability", "none", "--body-limit", "1MiB", "--staging", str(tmp_path / "here"))
    (entry,) = [entry for entry in daemon.entries() if entry["event"] == "listening"]
    assert entry["pickup"] == str(daemon.pickup)
    assert entry["staging"] == str(tmp_path / "here")
    assert (entry["durability"], entry["syncfs"], entry["body_limit"]) == ("none", True, 1 << 20)
    assert {"merge_limit", "body_timeout_ms", "max_in_flight", "max_bytes_in_flight", "max_connections"} <= set(entry)


# ---- journald


@pytest.mark.parametrize("format", ["json", "text"])
def test_lines_for_the_journal_begin_with_their_severity(binary: Path, pickup: Path, format: str):
    ours, theirs = os.pipe()
    other = socket.socketpair()
    for named, begins in ((theirs, True), (other[0].fileno(), False)):
        stat = os.fstat(named)
        environment = {**os.environ, "JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino}"}
        command = [binary, "-listen", "127.0.0.1:0", "-pickup", pickup, "--log-format", format]
        process = subprocess.Popen(command, stderr=theirs, env=environment)
        line = b""
        while not line.endswith(b"\n"):
            line += os.read(ours, 1)
        process.terminate()
        process.wait(60)
        subprocess.run(
            [binary, "submit", "-pickup", "/nowhere"], stderr=theirs, env=environment, check=False, input=b"{}"
        )
        rest = os.read(ours, 65_536)
        lines = [line, *rest.splitlines(keepends=True)]
        assert all(bool(re.match(rb"<[3467]>", each)) == begins for each in lines), lines
        assert line.startswith(b"<6>") == begins
        assert lines[-1].startswith(b"<3>pmtaemailapi: cannot") == begins
    for end in other:
        end.close()
    os.close(ours)
    os.close(theirs)


# ---- the environment


def run(binary: Path, *arguments: object, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [binary, *arguments],
        input=b"From: a@example.com\n\nHello\n",
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("arguments", [["-listen", "127.0.0.1:0"], ["serve"], ["submit"], ["check"]])
@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("PMTAEMAIL_PIKCUP", "x", b"did you mean PMTAEMAIL_PICKUP?"),
        ("PMTAEMAIL_NO_SYNCFS", "maybe", b"expected true or false"),
        ("PMTAEMAIL_DURABILITY", "much", b"durable"),
    ],
)
def test_an_environment_that_means_nothing_is_refused(
    binary: Path, pickup: Path, arguments: list[str], name: str, value: str, says: bytes
):
    done = run(binary, *arguments, PMTAEMAIL_PICKUP=str(pickup), **{name: value})
    assert done.returncode == 64
    assert says in done.stderr


@pytest.mark.parametrize(("value", "syncfs"), [("true", False), ("1", False), ("no", True), ("", True)])
def test_booleans_of_the_environment(start_daemon, value: str, syncfs: bool):
    daemon = start_daemon(PMTAEMAIL_NO_SYNCFS=value)
    assert daemon.entries()[-1]["syncfs"] is syncfs


def test_sendmail_sends_whatever_the_environment_says(binary: Path, pickup: Path):
    wrong = {"PMTAEMAIL_PIKCUP": "x", "PMTAEMAIL_NO_SYNCFS": "maybe", "PMTAEMAIL_DURABILITY": "much"}
    done = run(binary, "sendmail", "-f", "a@example.com", "b@example.org", PMTAEMAIL_PICKUP=str(pickup), **wrong)
    assert done.returncode == 0
    assert len(list(pickup.iterdir())) == 1
    assert b"PMTAEMAIL_PIKCUP is not an option" in done.stderr
    # Help is there in any case.
    assert run(binary, "--help", **wrong).returncode == 0
