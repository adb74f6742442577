"""Access keys: who may use the daemon, and for what."""

import base64
import json
import signal
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from daemon import Answer, Daemon, assert_problem
from timing_of_keys import kinds_of

PLAIN = {"from": "a@example.com", "to": "b@example.org", "text": "Hello"}
RAW = "From: {}\r\n{}To: b@example.org\r\n\r\nHello\r\n"
Add = Callable[..., str]


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "keys.toml"


@pytest.fixture
def add(run, keys: Path) -> Add:
    """Adds a key by the command, and gives it."""

    def add(name: str, *options: str) -> str:
        done = run("keys", "add", name, "--keys", keys, *options)
        assert (done.returncode, done.stderr) == (0, b"")
        key = done.stdout.decode()
        assert key.startswith("pmta_")
        assert key.endswith("\n")
        assert key not in keys.read_text()
        return key.strip()

    return add


def post(daemon: Daemon, key: str, message: object, path: str = "/messages", **headers: str) -> Answer:
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return daemon.post(body, path, Authorization=f"Bearer {key}", **headers)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def reload(daemon: Daemon, event: str) -> dict:
    """Sends SIGHUP, and waits until the log tells what came of it."""
    before = sum(entry["event"] == event for entry in daemon.entries())
    daemon.signal(signal.SIGHUP)
    with daemon.news:
        assert daemon.news.wait_for(
            lambda: sum(entry["event"] == event for entry in daemon.entries()) > before, timeout=60
        )
    return [entry for entry in daemon.entries() if entry["event"] == event][-1]


def errors(answer: Answer) -> list[tuple[str, str]]:
    return [(error["code"], error["pointer"]) for error in assert_problem(answer, answer.status)["errors"]]


def test_without_keys_nothing_is_asked_for(daemon: Daemon):
    assert daemon.post(json.dumps(PLAIN)).status == 200
    assert daemon.post(json.dumps(PLAIN), Authorization="Bearer nonsense").status == 200


def test_a_key_is_asked_for_before_the_body(start_daemon, add: Add, keys: Path):
    add("shop")
    daemon = start_daemon("-keys", str(keys))
    assert daemon.request("GET", "/health").status == 200
    for method, path in [("POST", "/messages"), ("POST", "/messages/batch"), ("GET", "/metrics"), ("GET", "/healthy")]:
        answer = daemon.request(method, path)
        assert assert_problem(answer, 401)["type"] == "urn:pmtaemail:problem:no-access-key"
        assert [value.split()[0] for value in answer.headers.get_all("www-authenticate")] == ["Bearer", "Basic"]
    # The body that is announced never comes.
    with daemon.socket() as connection:
        connection.sendall(b"POST /messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n")
        with connection.makefile("rb") as answer:
            assert answer.readline() == b"HTTP/1.1 401 Unauthorized\r\n"
            assert b"content-length" in answer.read().lower()
    assert daemon.files() == []


@pytest.mark.parametrize("protocol", ["--http1.1", "--http2-prior-knowledge"])
def test_a_key_comes_in_several_forms(start_daemon, add: Add, keys: Path, protocol: str):
    key = add("shop")
    add("other")
    daemon = start_daemon("-keys", str(keys))

    def status(*headers: str) -> int:
        fields = [argument for header in headers for argument in ("-H", f"Authorization: {header}")]
        command = ["curl", protocol, "-sS", "-o", "/dev/null", "-w", "%{http_code}", *fields]
        command += ["-d", json.dumps(PLAIN), f"{daemon.url}/messages"]
        return int(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)

    for form in [f"Bearer {key}", f"bearer {key}", key, basic("any", key), basic("", key), basic(key, "")]:
        assert status(form) == 200, form
    for form in [f"Bearer {key}0", key[:-1], "Bearer x", basic("any", "x"), basic(key, "x"), key.upper()]:
        assert status(form) == 403, form
    for forms in [[], ["Bearer"], ["Digest x"], ["Basic !"], [f"Bearer {key}", f"Bearer {key}"]]:
        assert status(*forms) == 401, forms
    daemon.stop()
    log = b"".join(daemon.log)
    assert key.encode() not in log
    assert key[5:].encode() not in log
    names = [entry.get("key") for entry in daemon.entries() if entry.get("status") == 200]
    assert names == ["shop"] * 6
    assert len(daemon.files()) == 6


def test_a_refusal_is_the_same_whatever_is_right_of_a_key(start_daemon, add: Add, keys: Path):
    """How long it takes: `timing_of_keys.py`."""
    key = add("shop")
    expired = add("gone", "--expires", "2020-01-01T00:00:00Z")
    daemon = start_daemon("-keys", str(keys))
    kinds = kinds_of(key)
    answers = [post(daemon, wrong, PLAIN) for wrong in [*kinds.values(), expired, key.upper(), key + " x", "pmta_"]]
    told = {(answer.status, answer.body) for answer in answers}
    assert len(told) == 1
    assert {status for status, _ in told} == {403}
    heads = {tuple(sorted(name.lower() for name in answer.headers)) for answer in answers}
    assert len(heads) == 1


def test_keys_are_read_again(start_daemon, run, add: Add, keys: Path):
    first = add("first", "--rate", "3/m")
    daemon = start_daemon("-keys", str(keys))
    assert post(daemon, first, PLAIN).status == 200
    second = add("second")
    assert post(daemon, second, PLAIN).status == 403
    assert reload(daemon, "keys_reloaded")["keys"] == 2
    assert post(daemon, second, PLAIN).status == 200
    sound = keys.read_text()
    for damaged in [sound + "\n[keys.third]\nhash = 1\n", "", None]:
        if damaged == "":
            keys.write_bytes(b"\xff")
        elif damaged is None:
            keys.unlink()
        else:
            keys.write_text(damaged)
        line = reload(daemon, "keys_not_reloaded")
        assert line["level"] == "ERROR"
        assert str(keys) in line["error"]
        assert ":hash" not in line["error"]
        assert post(daemon, second, PLAIN).status == 200
    keys.write_text(sound)
    assert run("keys", "remove", "second", "--keys", keys).returncode == 0
    reload(daemon, "keys_reloaded")
    assert post(daemon, second, PLAIN).status == 403
    # What was used before counts.
    assert [post(daemon, first, PLAIN).status for _ in range(3)] == [200, 200, 429]


def test_a_damaged_file_is_reported_at_startup(run, pickup: Path, keys: Path):
    keys.write_text("# keys\n[keys.a]\nhash = 1\nform = 2\n")
    done = run("-listen", "127.0.0.1:0", "-pickup", pickup, "-keys", keys)
    assert done.returncode == 78
    lines = done.stderr.decode().splitlines()
    assert lines[0].startswith(f"{keys}:3:8: hash: expected")
    assert lines[1].startswith(f"{keys}:4:1: ")
    done = run("-listen", "127.0.0.1:0", "-pickup", pickup, "-keys", keys.with_name("missing"))
    assert done.returncode == 78
    assert b"cannot read the file" in done.stderr


def test_the_commands(run, add: Add, keys: Path, tmp_path: Path):
    add("shop", "--from", "example.com", "--from", "*.example.com", "--rate", "100/s", "--preview")
    assert keys.stat().st_mode & 0o777 == 0o600
    # The file of the daemon's configuration, and the environment, name it too.
    configuration = tmp_path / "pmta.toml"
    configuration.write_text(f"keys = {json.dumps(str(keys))}\n")
    assert run("keys", "add", "other", "--config", configuration, "--expires", "2020-01-01").returncode == 0
    listed = run("keys", "list", env={"PMTAEMAIL_KEYS": str(keys)}).stdout.decode().splitlines()
    assert [line.split()[0] for line in listed] == ["NAME", "other", "shop"]
    assert "example.com,*.example.com" in listed[2]
    assert "100/s" in listed[2]
    assert "(expired)" in listed[1]
    for arguments, status in [
        (["add", "shop", "--keys", keys], 64),
        (["add", "a b", "--keys", keys], 64),
        (["add", "b", "--keys", keys, "--from", "*"], 64),
        (["add", "b", "--keys", keys, "--rate", "1"], 64),
        (["remove", "shpo", "--keys", keys], 64),
        (["list"], 64),
        (["list", "--keys", tmp_path / "missing"], 78),
        (["add", "b", "--keys", tmp_path / "missing" / "keys"], 73),
    ]:
        done = run("keys", *arguments)
        assert (done.returncode, done.stdout) == (status, b""), arguments
        assert done.stderr
    assert len(run("keys", "list", "--keys", keys).stdout.splitlines()) == 3


def test_an_expired_key_is_none(start_daemon, add: Add, keys: Path):
    old, new = add("old", "--expires", "2020-01-01"), add("new", "--expires", "2100-01-01T00:00:00Z")
    daemon = start_daemon("-keys", str(keys))
    assert assert_problem(post(daemon, old, PLAIN), 403)["type"] == "urn:pmtaemail:problem:wrong-access-key"
    assert post(daemon, new, PLAIN).status == 200


def merge(**recipient: object) -> dict:
    return {"from": "a@example.com", "recipients": [{"address": "b@example.org", **recipient}]}


FORBIDDEN = [
    ({**PLAIN, "from": "a@example.org"}, "#/from"),
    ({"From": {"email": "a@mail.example.com"}, "to": "b@example.org"}, "#/From"),
    ({**PLAIN, "sender": "bounces@example.org"}, "#/sender"),
    ({**PLAIN, "headers": {"Sender": "Ann <a@example.org>"}}, "#/headers/Sender"),
    ({"raw": RAW.format("a@example.org", ""), "to": "b@example.org"}, "#/raw"),
    ({"raw": RAW.format("a@example.com, c@example.org", "Sender: a@example.com\r\n")}, "#/raw"),
    ({"raw": RAW.format("a@example.com", "Sender: a@example.org\r\n")}, "#/raw"),
    ({"raw": RAW.format("a@example.com", "Resent-From: a@example.org\r\n")}, "#/raw"),
    ({"raw": RAW.format("a@example.com", ""), "sender": "b@example.org"}, "#/sender"),
    ({**merge(), "from": "a@example.org"}, "#/from"),
    ({**merge(), "sender": "a@example.org"}, "#/sender"),
    (merge(sender="a@example.org"), "#/recipients/0/sender"),
    (merge(headers={"Sender": "a@example.org"}), "#/recipients/0/headers/Sender"),
    (
        {**merge(variables={"x": "example.org"}), "template": "merge", "headers": {"Sender": "a@{{ x }}"}},
        "#/headers/Sender",
    ),
    (
        {**merge(variables={"x": "example.org"}, headers={"Sender": "a@{{ x }}"}), "template": "merge"},
        "#/recipients/0/headers/Sender",
    ),
]


@pytest.mark.parametrize(("message", "pointer"), FORBIDDEN, ids=range(len(FORBIDDEN)))
def test_senders_have_allowed_domains(start_daemon, add: Add, keys: Path, message: dict, pointer: str):
    key = add("shop", "--from", "example.com", "--from", "*.example.net")
    daemon = start_daemon("-keys", str(keys))
    for path in ["/messages", "/messages/check", "/messages/render"]:
        answer = post(daemon, key, message, path)
        assert answer.status == 403, answer.body
        assert errors(answer) == [("forbidden_sender", pointer)]
        assert answer.json()["type"] == "urn:pmtaemail:problem:forbidden-sender"
    batch = post(daemon, key, [PLAIN, message], "/messages/batch")
    lines = [json.loads(line) for line in batch.body.splitlines()]
    assert (lines[0]["recipients"], lines[1]["status"], lines[1]["index"]) == (1, 403, 1)
    atomic = post(daemon, key, [PLAIN, message], "/messages/batch?atomic=true")
    assert atomic.status == 422
    assert json.loads(atomic.body)["errors"][0]["code"] == "forbidden_sender"
    if recipients := message.get("recipients"):
        head = {name: value for name, value in message.items() if name != "recipients"}
        lines = "\n".join(json.dumps(part) for part in [head, *recipients])
        answer = post(daemon, key, lines.encode(), **{"Content-Type": "application/x-ndjson"})
        assert errors(answer) == [("forbidden_sender", pointer)]
    if "raw" in message and message.keys() <= {"raw", "to"}:
        path = "/messages?to=b%40example.org"
        answer = post(daemon, key, message["raw"].encode(), path, **{"Content-Type": "message/rfc822"})
        assert [code for code, _ in errors(answer)] == ["forbidden_sender"]
    assert len(daemon.files()) == 1


@pytest.mark.parametrize(
    "message",
    [
        {**PLAIN, "sender": "<>"},
        {**PLAIN, "from": "a@EXAMPLE.com", "sender": "b@a.b.example.net", "replyTo": "c@example.org"},
        {**PLAIN, "headers": {"Sender": "Ann <a@www.example.net>"}},
        {"raw": RAW.format("A <a@example.com>, b@x.example.net", "Sender: a@example.com\r\n")},
        merge(sender="<>", headers={"Sender": "a@example.com"}),
    ],
    ids=range(5),
)
def test_allowed_senders_may_send(start_daemon, add: Add, keys: Path, message: dict):
    key = add("shop", "--from", "example.com,*.example.net")
    daemon = start_daemon("-keys", str(keys))
    answer = post(daemon, key, message)
    assert answer.status == 200, answer.body
    # With other problems it is as for everybody.
    answer = post(daemon, key, {**PLAIN, "from": "a@example.org", "too": 1})
    assert answer.status == 422
    assert ("forbidden_sender", "#/from") in errors(answer)


def test_a_rate_holds_for_each_message(start_daemon, add: Add, keys: Path):
    key = add("shop", "--rate", "4/m")
    other = add("other")
    daemon = start_daemon("-keys", str(keys))
    batch = post(daemon, key, [PLAIN] * 6, "/messages/batch")
    statuses = [json.loads(line).get("status", 200) for line in batch.body.splitlines()]
    assert statuses == [200, 200, 200, 200, 429, 429]
    answer = post(daemon, key, PLAIN)
    assert assert_problem(answer, 429)["type"] == "urn:pmtaemail:problem:over-rate"
    assert 1 <= int(answer.headers["retry-after"]) <= 15
    assert post(daemon, key, PLAIN, "/messages/check").status == 429
    assert post(daemon, other, PLAIN).status == 200
    assert len(daemon.files()) == 5
    daemon.stop()
    events = ("submission", "batch", "batch_end", "request")
    lines = [entry for entry in daemon.entries() if entry["event"] in events]
    assert [entry["key"] for entry in lines] == ["shop"] * 10 + ["other"]


def test_recipients_of_a_day(start_daemon, add: Add, keys: Path):
    key = add("shop", "--recipients-per-day", "10")
    daemon = start_daemon("-keys", str(keys))

    def send(count: int, **more: object) -> Answer:
        recipients = [f"r{number}@example.org" for number in range(count)]
        return post(daemon, key, {"from": "a@example.com", "recipients": recipients, **more})

    def used_up(answer: Answer) -> None:
        assert assert_problem(answer, 429)["type"] == "urn:pmtaemail:problem:over-recipients"
        now = datetime.now(UTC)
        left = 86_400 - (now.hour * 3600 + now.minute * 60 + now.second)
        assert abs(int(answer.headers["retry-after"]) - left) < 120

    used_up(send(11))
    # What is refused does not count.
    assert send(3, too=1).status == 422
    assert send(2, seeds=["s@example.org"]).status == 200
    assert send(4, seeds=["s@example.org"]).status == 200
    used_up(send(3))
    lines = b'{"from": "a@example.com"}\n"b@example.org"\n"c@example.org"\n"d@example.org"\n'
    used_up(post(daemon, key, lines, **{"Content-Type": "application/x-ndjson"}))
    atomic = post(daemon, key, [PLAIN] * 3, "/messages/batch?atomic=true")
    used_up(atomic)
    files = len(daemon.files())
    batch = post(daemon, key, [PLAIN] * 3, "/messages/batch")
    statuses = [json.loads(line).get("status", 200) for line in batch.body.splitlines()]
    assert statuses == [200, 200, 429]
    assert len(daemon.files()) == files + 2
    assert post(daemon, key, PLAIN, "/messages/check").status == 200


def test_idempotency_keys_are_each_ones_own(start_daemon, add: Add, keys: Path):
    one, other = add("one", "--recipients-per-day", "2"), add("other")
    daemon = start_daemon("-keys", str(keys))
    named = {"Idempotency-Key": "order-1"}
    first = post(daemon, one, PLAIN, **named)
    second = post(daemon, other, PLAIN, **named)
    assert first.status == second.status == 200
    assert first.json()["id"] != second.json()["id"]
    for _ in range(3):
        again = post(daemon, one, PLAIN, **named)
        assert (again.status, again.json()["id"]) == (200, first.json()["id"])
        assert again.headers["idempotent-replayed"] == "true"
    # Equal keys with other bodies collide for nobody but their owner.
    message = {**PLAIN, "text": "Bye"}
    assert post(daemon, one, message, **named).status == 409
    keyed = {**message, "idempotencyKey": "order-2"}
    batches = [post(daemon, key, [keyed], "/messages/batch").json() for key in (one, other, one)]
    assert batches[0]["id"] == batches[2]["id"] != batches[1]["id"]
    assert len(daemon.files()) == 4
    # What is replayed did not count.
    assert post(daemon, one, PLAIN).status == 429
