"""Idempotency-Key: however often a submission is sent under a key, it is handed over once."""

import gzip
import http.client
import json
import signal
import threading
from pathlib import Path

import pytest

from daemon import Answer, Daemon, assert_problem
from strace import needs_strace

PLAIN = b'{"from": "a@example.com", "to": "b@example.org", "text": "one"}'
OTHER = b'{"from": "a@example.com", "to": "b@example.org", "text": "two"}'
RAW = b"From: a@example.com\r\nTo: b@example.org\r\n\r\nHello\r\n"
MERGE = json.dumps(
    {
        "from": "a@example.com",
        "merge": "expanded",
        "invalidRecipients": "skip",
        "recipients": [
            *({"address": f"r{number}@example.org", "envid": f"e{number}"} for number in range(3)),
            "nobody",
            *(f"s{number}@example.org" for number in range(3)),
        ],
    }
).encode()
LINES = b'{"from": "a@example.com", "text": "Hello"}\n' + b"".join(
    b'{"address": "r%d@example.org"}\n' % number for number in range(40_000)
)
CONFLICT = "urn:pmtaemail:problem:idempotency-key-conflict"


def form(boundary: str, name: str = "Ann") -> dict:
    """A request whose recipients are a table."""
    parts = [
        ("message", "application/json", '{"from": "a@example.com", "template": "merge", "text": "Hello {{name}}"}'),
        ("recipients", "text/csv", f"address,name\nb@example.org,{name}\nc@example.org,Bo\n"),
    ]
    body = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{part}"\r\nContent-Type: {kind}\r\n\r\n{value}\r\n'
        for part, kind, value in parts
    )
    body += f"--{boundary}--\r\n"
    return {"body": body.encode(), "Content-Type": f"multipart/form-data; boundary={boundary}"}


REQUESTS = {
    "json": {"body": PLAIN},
    "gzip": {"body": gzip.compress(PLAIN), "Content-Encoding": "gzip"},
    "merge of several files": {"body": MERGE},
    "lines": {"body": LINES, "Content-Type": "application/x-ndjson"},
    "form": form("b1"),
    "finished": {"body": RAW, "Content-Type": "message/rfc822"},
    "part of a merge": {"body": MERGE, "path": "/messages?limit=2"},
}


def take(pickup: Path) -> set[str]:
    """Takes the files away as PowerMTA does. Gives their names."""
    names = {path.name for path in pickup.iterdir()}
    for name in names:
        (pickup / name).unlink()
    return names


def post(daemon: Daemon, request: dict, key: str = "k", **headers: str) -> Answer:
    return daemon.post(**request, **{"Idempotency-Key": key}, **headers)


@pytest.mark.parametrize("kind", REQUESTS)
@pytest.mark.parametrize("durability", ["durable", "none"])
def test_the_first_answer_is_given_again_over_a_restart(start_daemon, pickup: Path, kind: str, durability: str):
    request = REQUESTS[kind]
    daemon = start_daemon("--durability", durability)
    first = post(daemon, request)
    assert (first.status, first.headers["Idempotent-Replayed"]) == (200, None)
    assert take(pickup) == set(first.json()["files"])
    for number in (None, signal.SIGTERM, signal.SIGKILL):
        if number is not None:
            daemon.signal(number)
            daemon.wait()
            daemon = start_daemon("--durability", durability)
        again = post(daemon, request)
        assert (again.status, again.headers["Idempotent-Replayed"]) == (200, "true")
        assert again.body == first.body
        assert again.headers["Content-Type"] == first.headers["Content-Type"]
        assert not take(pickup)
    other = post(daemon, request, "K")
    assert (other.status, other.headers["Idempotent-Replayed"]) == (200, None)
    assert take(pickup) == set(other.json()["files"])
    daemon.stop()
    replayed = [entry for entry in daemon.entries() if entry.get("replayed")]
    assert [entry["id"] for entry in replayed] == [first.json()["id"]]


def test_lines_are_given_again_as_well(daemon: Daemon):
    lines = {"Accept": "application/x-ndjson"}
    first = post(daemon, {"body": MERGE}, **lines)
    again = post(daemon, {"body": MERGE}, **lines)
    assert len(first.body.splitlines()) == 8
    assert (again.body, again.headers["Idempotent-Replayed"]) == (first.body, "true")


@pytest.mark.parametrize("kind", REQUESTS)
def test_another_message_under_the_key_is_a_conflict(daemon: Daemon, pickup: Path, kind: str):
    request = REQUESTS[kind]
    first = post(daemon, request)
    take(pickup)
    others = [
        {"body": OTHER},
        {"body": b"{"},
        {"body": b'{"from": 1}'},
        {**request, "path": "/messages?limit=1"},
        {"body": RAW, "Content-Type": "message/rfc822", "path": "/messages?sender=c%40example.com"},
        {"body": LINES + b'"t@example.org"\n', "Content-Type": "application/x-ndjson"},
        form("b1", "Bo"),
    ]
    for other in others:
        answer = post(daemon, other)
        document = assert_problem(answer, 409)
        assert document["type"] == CONFLICT, other
        assert answer.headers["Retry-After"] is None
    assert not take(pickup)
    assert post(daemon, request).body == first.body


def test_what_means_the_same_is_the_same(daemon: Daemon):
    for first, second in [
        (REQUESTS["json"], REQUESTS["gzip"]),
        (REQUESTS["json"], {"body": PLAIN, "Content-Type": "application/json; charset=utf-8"}),
        (REQUESTS["json"], {"body": PLAIN, "path": "/messages/"}),
        (REQUESTS["json"], {"body": iter([PLAIN[:9], PLAIN[9:]])}),
        (REQUESTS["form"], form("another-boundary")),
    ]:
        key = f"k{id(second)}"
        answer = post(daemon, first, key)
        again = post(daemon, second, key)
        assert (again.status, again.body) == (200, answer.body)
        assert again.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("key", ["", "x" * 256, "å", "a\tb"])
def test_a_key_is_printable_ascii_of_some_length(daemon: Daemon, key: str):
    document = assert_problem(post(daemon, {"body": PLAIN}, key), 400)
    assert "1 to 255 printable ASCII characters" in document["detail"]
    assert not daemon.files()


def test_keys_of_every_length_and_sign(daemon: Daemon):
    for key in ("a", "x" * 255, "".join(map(chr, range(0x21, 0x7F))), '"quoted"'):
        for expected in (None, "true"):
            assert post(daemon, {"body": PLAIN}, key).headers["Idempotent-Replayed"] == expected
    assert len(daemon.files()) == 4


def test_there_is_one_key_in_a_head(daemon: Daemon):
    with daemon.socket() as connection:
        head = b"POST /messages HTTP/1.1\r\nHost: x\r\n" + 2 * b"Idempotency-Key: a\r\n" + b"Content-Length: %d\r\n\r\n"
        connection.sendall(head % len(PLAIN) + PLAIN)
        assert b" 400 " in connection.recv(1000)
    assert not daemon.files()


@pytest.mark.parametrize(
    "wrong",
    [
        {"body": b"{"},
        {"body": b'{"from": "a@example.com"}'},
        {"body": b'{"from": "a@example.com", "text": "[x]", "recipients": ["nobody"]}'},
        {"body": PLAIN, "path": "/messages?nothing=1"},
        {"body": b'{"from": "a@example.com"}\n"nobody"\n', "Content-Type": "application/x-ndjson"},
        {"body": b"x", "Content-Encoding": "gzip"},
        {"body": b"x", "Content-Encoding": "br"},
        {"body": b"x" * 2000},
        {"body": b"\r\n", "Content-Type": "message/rfc822"},
    ],
    ids=str,
)
def test_a_problem_leaves_the_key_free(start_daemon, pickup: Path, wrong: dict):
    daemon = start_daemon("--body-limit", "1000", "--merge-limit", "1000")
    assert 400 <= post(daemon, wrong).status < 500
    mended = post(daemon, {"body": PLAIN})
    assert (mended.status, mended.headers["Idempotent-Replayed"]) == (200, None)
    assert take(pickup) == set(mended.json()["files"])
    assert post(daemon, {"body": PLAIN}).headers["Idempotent-Replayed"] == "true"


def test_a_failure_leaves_the_key_free(daemon: Daemon, pickup: Path):
    assert post(daemon, {"body": PLAIN}, "earlier").status == 200
    take(pickup)
    for request in ({"body": PLAIN}, {"body": MERGE}):
        pickup.rename(pickup.with_name("away"))
        answer = post(daemon, request, str(len(request["body"])))
        assert_problem(answer, 503)
        pickup.with_name("away").rename(pickup)
        assert not take(pickup)
        answer = post(daemon, request, str(len(request["body"])))
        assert (answer.status, answer.headers["Idempotent-Replayed"]) == (200, None)
        assert take(pickup) == set(answer.json()["files"])


@needs_strace
def test_while_the_first_is_in_progress_others_have_to_wait(start_daemon, tmp_path: Path, pickup: Path):
    """The first waits for its sync, which is made slow."""
    slow = ("-e", "trace=fdatasync", "-e", "inject=fdatasync:delay_enter=3000000:when=1")
    daemon = start_daemon()
    post(daemon, {"body": PLAIN}, "the store is there now")
    daemon.stop()
    take(pickup)
    daemon = start_daemon(wrapper=("strace", "-D", "-f", "-o", str(tmp_path / "trace"), *slow, "--"))
    start = threading.Barrier(2)
    answers: list[Answer] = []

    def submit() -> None:
        start.wait()
        answers.append(post(daemon, {"body": MERGE}))

    threads = [threading.Thread(target=submit) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    waits, first = sorted(answers, key=lambda answer: -answer.status)
    assert first.status == 200
    assert assert_problem(waits, 409)["type"] == "urn:pmtaemail:problem:idempotency-key-in-work"
    assert waits.headers["Retry-After"] == "1"
    take(pickup)
    assert {post(daemon, {"body": MERGE}).status, post(daemon, {"body": PLAIN}).status} == {200, 409}
    assert not take(pickup)


def test_many_at_a_time_under_one_key_are_one(daemon: Daemon, pickup: Path):
    bodies = []
    start = threading.Barrier(16)

    def submit() -> None:
        start.wait()
        while (answer := post(daemon, {"body": MERGE})).status == 409:
            assert answer.headers["Retry-After"] == "1"
        assert answer.status == 200
        bodies.append(answer.body)

    threads = [threading.Thread(target=submit) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(bodies) == 16
    assert len(set(bodies)) == 1
    assert take(pickup) == set(json.loads(bodies[0])["files"])


def test_without_keys_there_is_no_store(daemon: Daemon, pickup: Path):
    daemon.post(PLAIN)
    daemon.post(MERGE)
    daemon.post(PLAIN, "/messages/check", **{"Idempotency-Key": "k"})
    daemon.post(PLAIN, "/messages/render", **{"Idempotency-Key": "k"})
    assert not pickup.with_name("pickup.state").exists()
    post(daemon, {"body": PLAIN})
    (store,) = pickup.with_name("pickup.state").iterdir()
    assert store.name == "keys.redb"
    assert store.stat().st_mode & 0o777 == 0o600
    assert store.parent.stat().st_mode & 0o777 == 0o700
    assert store.stat().st_size < 3 << 20


def test_the_key_appears_nowhere(start_daemon, tmp_path: Path, pickup: Path):
    daemon = start_daemon("--log-level", "trace")
    secret = "secret-key-4711"
    for body in (PLAIN, PLAIN, OTHER, b"{"):
        assert secret.encode() not in post(daemon, {"body": body}, secret).body
    daemon.stop()
    assert secret.encode() not in b"".join(daemon.log)
    for path in tmp_path.rglob("*"):
        assert secret not in str(path)
        assert path.is_dir() or secret.encode() not in path.read_bytes()


def test_the_state_is_where_it_is_asked_for(start_daemon, tmp_path: Path, pickup: Path):
    state = tmp_path / "keys"
    daemon = start_daemon("--state", str(state))
    assert not state.exists()
    post(daemon, {"body": PLAIN})
    assert [path.name for path in state.iterdir()] == ["keys.redb"]
    assert not pickup.with_name("pickup.state").exists()


def test_the_state_is_never_in_the_pickup_directory(run, pickup: Path):
    done = run("--listen", "127.0.0.1:0", "--pickup", pickup, "--state", pickup / "state")
    assert done.returncode != 0
    assert b"must be outside of the pickup directory" in done.stderr


def test_one_process_at_a_time_has_the_store(start_daemon, pickup: Path):
    first = start_daemon()
    answer = post(first, {"body": PLAIN})
    second = start_daemon()
    assert second.post(PLAIN).status == 200, "what has no key needs no store"
    refused = post(second, {"body": PLAIN})
    assert assert_problem(refused, 503)["type"] == "urn:pmtaemail:problem:idempotency-keys-unavailable"
    assert refused.headers["Retry-After"] == "5"
    first.signal(signal.SIGKILL)
    first.wait()
    again = post(second, {"body": PLAIN})
    assert (again.body, again.headers["Idempotent-Replayed"]) == (answer.body, "true")
    second.stop()
    assert [entry for entry in second.entries() if entry["event"] == "no_idempotency_keys"]
    errors = [entry["error"] for entry in second.entries() if entry.get("status") == 503]
    assert len(errors) == 1
    assert "another process is using it" in errors[0]
    assert "keys.redb" in errors[0]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:100],
        lambda data: data[: len(data) // 2],
        lambda data: bytes(len(data)),
        lambda data: b"x" * len(data),
        lambda data: data[:5000] + bytes(len(data) - 5000),
        lambda data: data[:64] + b"\xff" * 256 + data[320:],
    ],
    ids=["empty", "short", "half", "zeros", "other", "only the head", "head broken"],
)
def test_a_damaged_store_is_reported_at_startup(start_daemon, run, pickup: Path, damage):
    daemon = start_daemon()
    for number in range(30):
        post(daemon, {"body": PLAIN}, str(number))
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    store = pickup.with_name("pickup.state") / "keys.redb"
    store.write_bytes(damage(store.read_bytes()))
    done = run("--listen", "127.0.0.1:0", "--pickup", pickup)
    assert done.returncode not in (0, 101), done
    sentence = done.stderr.decode()
    assert str(store) in sentence
    assert "it is damaged" in sentence
    assert "move it away" in sentence
    store.unlink()
    assert post(start_daemon(), {"body": PLAIN}, "0").headers["Idempotent-Replayed"] is None


def test_a_full_store_takes_no_new_key_and_forgets_none(start_daemon, pickup: Path):
    daemon = start_daemon("--state-limit", "20kB")
    first = post(daemon, {"body": PLAIN}, "first")
    number = 0
    while (answer := post(daemon, {"body": PLAIN}, str(number))).status == 200:
        number += 1
        assert number < 100
    assert 10 < number < 50
    document = assert_problem(answer, 503)
    assert document["type"] == "urn:pmtaemail:problem:idempotency-keys-full"
    assert answer.headers["Retry-After"] == "60"
    assert len(take(pickup)) == number + 1
    for key in ("first", *map(str, range(number))):
        assert post(daemon, {"body": PLAIN}, key).headers["Idempotent-Replayed"] == "true"
    assert post(daemon, {"body": PLAIN}, "first").body == first.body
    assert daemon.post(PLAIN).status == 200
    # With more room it goes on.
    daemon.stop()
    daemon = start_daemon("--state-limit", "1MB")
    assert post(daemon, {"body": PLAIN}, "another").status == 200


def test_a_store_that_cannot_be_created_is_reported_at_startup(run, tmp_path: Path, pickup: Path):
    done = run("--listen", "127.0.0.1:0", "--pickup", pickup, "--state", tmp_path / "no" / "such")
    assert done.returncode not in (0, 101)
    assert b"cannot open the store of idempotency keys" in done.stderr
    assert b"create its folder" in done.stderr


# ---- one kill, at each instant


@needs_strace
@pytest.mark.parametrize("durability", ["durable", "none"])
@pytest.mark.parametrize(
    ("kind", "call", "nth", "seen"),
    [
        ("json", "renameat2", 1, 1),
        ("merge of several files", "linkat", 5, 0),
        ("merge of several files", "renameat2", 1, 1),
        ("merge of several files", "renameat2", 4, 4),
        ("merge of several files", "renameat2", 6, 6),
    ],
)
def test_killed_at_a_call_it_is_submitted_once(
    start_daemon, tmp_path: Path, pickup: Path, kind: str, call: str, nth: int, seen: int, durability: str
):
    """The client tries again after the restart, and PowerMTA has taken what it saw."""
    request = REQUESTS[kind]
    # The store is made by a link too, and the start tries two.
    earlier = start_daemon("--durability", durability)
    post(earlier, request, "earlier")
    earlier.stop()
    take(pickup)
    wrapper = ("strace", "-D", "-f", "-o", str(tmp_path / "t"), "-e", f"trace={call}")
    wrapper += ("-e", f"inject={call}:signal=SIGKILL:when={nth}", "--")
    daemon = start_daemon("--durability", durability, wrapper=wrapper)
    with pytest.raises((OSError, http.client.HTTPException)):
        post(daemon, request)
    daemon.wait()
    taken = take(pickup)
    assert len(taken) in (seen, max(0, seen - 1)), "it was not killed at that call"
    daemon = start_daemon("--durability", durability)
    later = take(pickup)
    is_decided = call == "renameat2"
    answer = post(daemon, request)
    assert answer.status == 200
    assert answer.headers["Idempotent-Replayed"] == ("true" if is_decided else None)
    at_last = take(pickup)
    assert not at_last if is_decided else not later
    names = [*taken, *later, *at_last]
    assert sorted(names) == sorted(answer.json()["files"])
    assert post(daemon, request).body == answer.body


def test_a_process_without_the_store_leaves_keyed_files_alone(start_daemon, tmp_path: Path, pickup: Path, run):
    """What waits under a key is neither moved on nor removed by who cannot know whether it was decided."""
    daemon = start_daemon()
    post(daemon, {"body": PLAIN})
    (folder,) = pickup.with_name("pickup.staging").glob("*.keyed")
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    (folder / "9.x.eml").write_bytes(b"not decided")
    assert run("submit", "--pickup", pickup, stdin=PLAIN).returncode == 0
    assert (folder / "9.x.eml").exists()
    start_daemon().stop()
    assert not folder.exists()


# ---- batches


BATCH = {"path": "/messages/batch", "Content-Type": "application/x-ndjson"}


def line(key: str | None, text: str = "Hello") -> bytes:
    message = {"from": "a@example.com", "to": "b@example.org", "text": text}
    if key is not None:
        message["idempotencyKey"] = key
    return json.dumps(message).encode() + b"\n"


def results(answer: Answer) -> list[dict]:
    assert answer.status == 200
    return [json.loads(result) for result in answer.body.splitlines()]


def test_each_message_of_a_batch_has_a_key(start_daemon, pickup: Path):
    daemon = start_daemon()
    batch = line("a") + line(None) + line("b") + line("a") + line("a", "other")
    first = results(daemon.post(batch, **BATCH))
    assert [result.get("replayed") for result in first] == [None, None, None, True, None]
    assert {**first[3], "replayed": None} == {**first[0], "replayed": None}
    assert (first[4]["status"], first[4]["type"], first[4]["line"]) == (409, CONFLICT, 5)
    assert len(take(pickup)) == 3
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    daemon = start_daemon()
    again = results(daemon.post(batch, **BATCH))
    assert [result.get("replayed") for result in again] == [True, None, True, True, None]
    assert [again[place]["id"] for place in (0, 2, 3)] == [first[place]["id"] for place in (0, 2, 3)]
    assert take(pickup) == set(again[1]["files"])
    # The same message, posted alone.
    alone = post(daemon, {"body": line(None).strip()}, "a")
    assert (alone.json()["id"], alone.headers["Idempotent-Replayed"]) == (first[0]["id"], "true")


def test_a_bad_message_of_a_batch_leaves_its_key_free(daemon: Daemon, pickup: Path):
    bad = b'{"from": "a@example.com", "idempotencyKey": "a"}\n'
    first = results(daemon.post(bad + line("b"), **BATCH))
    assert [result.get("status") for result in first] == [422, None]
    again = results(daemon.post(line("a") + line("b"), **BATCH))
    assert [result.get("replayed") for result in again] == [None, True]
    assert len(take(pickup)) == 2


@pytest.mark.parametrize(
    ("value", "code"),
    [("1", "wrong_type"), ("[]", "wrong_type"), ('""', "invalid_token"), ('"\\u00e5"', "invalid_token")],
)
def test_a_key_of_a_batch_that_is_none(daemon: Daemon, value: str, code: str):
    body = b'{"from": "a@example.com", "to": "b@example.org", "idempotencyKey": %s}' % value.encode()
    (result,) = results(daemon.post(body, **BATCH))
    assert [(error["code"], error["pointer"]) for error in result["errors"]] == [(code, "#/idempotencyKey")]
    assert not daemon.files()


def test_a_batch_as_a_whole_has_no_key(daemon: Daemon):
    document = assert_problem(post(daemon, {"body": line(None), **BATCH}), 400)
    assert "give each message its own" in document["detail"]
    atomic = {**BATCH, "path": "/messages/batch?atomic=true"}
    answer = daemon.post(line("a"), **atomic)
    assert answer.status == 422
    assert json.loads(answer.body)["errors"][0]["pointer"] == "#/idempotencyKey"
    assert not daemon.files()


def test_the_command_has_a_store_of_its_own(run, pickup: Path):
    for replayed in (None, True):
        done = run("submit", "--pickup", pickup, "--batch", "-", "--ndjson", stdin=line("a"))
        assert done.returncode == 0, done
        assert json.loads(done.stdout).get("replayed") == replayed
    assert len(list(pickup.iterdir())) == 1


def test_the_command_cannot_use_the_daemons_store(start_daemon, run, pickup: Path):
    post(start_daemon(), {"body": PLAIN})
    done = run("submit", "--pickup", pickup, "--batch", "-", "--ndjson", stdin=line("a"))
    assert done.returncode != 0
    assert b"another process is using it" in done.stderr
    assert len(list(pickup.iterdir())) == 1
