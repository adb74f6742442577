"""Every way to submit, in a process whose system calls are recorded: what was told of each, and when."""

import json
import os
import re
import smtplib
import socket
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from daemon import TIMEOUT, Daemon
from hand_over_order import Order
from strace import Call, read_trace, trace
from traced_python import merge, message, raw, single

HERE = Path(__file__).parent
LINES = {"Content-Type": "application/x-ndjson"}
AT_ONCE = 12
# What decides about a submission: the name of its only file, a record in the staging folder, the key in the store.
NAME, RECORD, KEY = "name", "record", "key"


@dataclass(frozen=True)
class Told:
    """One submission that was acknowledged: under which subjects its files are, what decides, and when it was told."""

    subjects: tuple[str, ...]
    files: int
    decides: str
    answered: Call


@dataclass(frozen=True)
class Kind:
    """What one call submits: how many files under which ends of the subject, together or each by itself."""

    decides: str
    files: tuple[int, ...]
    is_batch: bool = False
    is_atomic: bool = False


KINDS = {
    **dict.fromkeys(("single", "raw", "awaited", "blocking", "form", "query", "sparkpost"), Kind(NAME, (1,))),
    **dict.fromkeys(("several", "streamed"), Kind(RECORD, (3,))),
    "two large": Kind(RECORD, (2,)),
    # More than are synced one by one; more than are kept open.
    "twenty": Kind(RECORD, (20,)),
    "many": Kind(RECORD, (70,)),
    **dict.fromkeys(("single, key", "blocking, key", "resend"), Kind(KEY, (1,))),
    **dict.fromkeys(("several, key", "streamed, key"), Kind(KEY, (3,))),
    "many, key": Kind(KEY, (70,)),
    **dict.fromkeys(("batch", "blocking batch"), Kind(RECORD, (1, 3, 1), is_batch=True)),
    "batch, key": Kind(KEY, (1, 3, 1), is_batch=True),
    "atomic": Kind(RECORD, (1, 3, 1), is_batch=True, is_atomic=True),
    "resend batch": Kind(KEY, (1, 1), is_batch=True, is_atomic=True),
}


def told(kind: str, mark: str, answers: list[Call]) -> Iterator[Told]:
    """The submissions of a call, given what was told of each of them."""
    what = KINDS[kind]
    marks = tuple(f"{mark}-{number}" for number in range(len(what.files))) if what.is_batch else (mark,)
    assert len(answers) == len(marks), (kind, answers)
    if what.is_atomic:
        yield Told(marks, sum(what.files), what.decides, min(answers, key=lambda call: call.started))
        return
    for one, files, answered in zip(marks, what.files, answers, strict=True):
        yield Told((one,), files, NAME if what.decides == RECORD and files == 1 else what.decides, answered)


# ---- the daemon


def batch(mark: str) -> list[dict]:
    return [single(f"{mark}-0"), merge(f"{mark}-1", 3), single(f"{mark}-2")]


def lines(values: list) -> str:
    return "\n".join(map(json.dumps, values))


def streamed(mark: str) -> str:
    return lines([message(mark, merge="expanded"), *(f"r{number}@example.org" for number in range(3))])


def large(mark: str) -> dict:
    return message(mark, recipients=[f"r{number}@example.org" for number in range(5_001)])


def form(mark: str) -> str:
    return f'--b\r\nContent-Disposition: form-data; name="message"\r\n\r\n{json.dumps(single(mark))}\r\n--b--\r\n'


def email(mark: str) -> dict:
    return {"from": "a@example.com", "to": "b@example.org", "subject": mark, "text": "Hello"}


def requests(mark: str) -> dict[str, tuple[str, str, dict[str, str]]]:
    """Path, body and header fields by kind."""
    key = {"Idempotency-Key": mark}
    keyed = [{**one, "idempotencyKey": one["subject"]} for one in batch(mark)]
    octets = raw(mark)["raw"]
    content = {"from": "a@example.com", "subject": mark, "text": "Hello"}
    transmission = {"content": content, "recipients": [{"address": "b@example.org"}]}
    return {
        "single": ("/messages", json.dumps(single(mark)), {}),
        "several": ("/messages", json.dumps(merge(mark, 3)), {}),
        "twenty": ("/messages", json.dumps(merge(mark, 20)), {}),
        "many": ("/messages", json.dumps(merge(mark, 70)), {}),
        "streamed": ("/messages", streamed(mark), LINES),
        "form": ("/messages", form(mark), {"Content-Type": "multipart/form-data; boundary=b"}),
        "raw": ("/messages", octets, {"Content-Type": "message/rfc822"}),
        "query": ("/messages?sender=c@example.com&to=d@example.org", octets, {"Content-Type": "message/rfc822"}),
        "single, key": ("/messages", json.dumps(single(mark)), key),
        "several, key": ("/messages", json.dumps(merge(mark, 3)), key),
        "many, key": ("/messages", json.dumps(merge(mark, 70)), key),
        "streamed, key": ("/messages", streamed(mark), {**LINES, **key}),
        "batch": ("/messages/batch", lines(batch(mark)), LINES),
        "batch, key": ("/messages/batch", lines(keyed), LINES),
        "atomic": ("/messages/batch?atomic=true", lines(batch(mark)), LINES),
        "sparkpost": ("/api/v1/transmissions", json.dumps(transmission), {}),
        "resend": ("/emails", json.dumps(email(mark)), {}),
        "resend batch": ("/emails/batch", json.dumps([email(f"{mark}-0"), email(f"{mark}-1")]), key),
    }


def by_daemon(binary: Path, pickup: Path, output: Path, options: list[str], rounds: int) -> tuple[Order, list[Told]]:
    all_requests = [(f"m{turn}-{place}", kind) for turn in range(rounds) for place, kind in enumerate(requests(""))]
    all_requests.append(("m-large", "two large"))

    def post(mark: str, kind: str) -> list[str]:
        path, body, headers = requests(mark).get(kind, ("/messages", json.dumps(large(mark)), {}))
        answer = daemon.post(body, path, **{"Content-Type": "application/json", **headers})
        assert answer.status == 200, (kind, answer.body)
        return re.findall(rb'"id": ?"([^"]+)"', answer.body)

    with Daemon(binary, pickup, *options, wrapper=trace(output)) as daemon, ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda one: post(*one), all_requests))
    order = Order(read_trace(output), pickup)
    calls = order.answers(lambda call: "<TCP:" in call.arguments)
    found = [
        one
        for (mark, kind), ids in zip(all_requests, answers, strict=True)
        for one in told(kind, mark, [calls[id.decode()] for id in ids])
    ]
    return order, found


# ---- the packages


def by_package(command: list, pickup: Path, output: Path, options: list[str], rounds: int) -> tuple[Order, list[Told]]:
    durability = "none" if "none" in options else "durable"
    syncfs = "no" if "--no-syncfs" in options else "syncfs"
    done = subprocess.run(
        [*trace(output), *command, pickup, durability, syncfs, str(rounds)],
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1] / "python")},
        capture_output=True,
        check=True,
    )
    order = Order(read_trace(output), pickup)
    calls = order.answers(lambda call: call.arguments.startswith("1<"))
    entries = map(json.loads, done.stdout.splitlines())
    return order, [
        one for entry in entries for one in told(entry["kind"], entry["mark"], [calls[id] for id in entry["ids"]])
    ]


def by_python(_: Path, *arguments: object) -> tuple[Order, list[Told]]:
    return by_package([sys.executable, HERE / "traced_python.py"], *arguments)


def by_node(_: Path, *arguments: object) -> tuple[Order, list[Told]]:
    return by_package(["node", HERE / "traced_node.mjs"], *arguments)


# ---- the command


def by_command(binary: Path, pickup: Path, output: Path, options: list[str], rounds: int) -> tuple[Order, list[Told]]:
    """A process for each; their calls are put one behind the other."""
    names = {"--pickup": "PICKUP", "--durability": "DURABILITY", "--no-syncfs": "NO_SYNCFS"}
    base = ["--pickup", str(pickup), *(options or ["--durability", "durable"])]
    if base[-1] == "--no-syncfs":
        base.append("true")
    environment = {f"PMTAEMAIL_{names[name]}": value for name, value in zip(base[::2], base[1::2], strict=True)}
    environment = {**os.environ, **environment, "LOGNAME": "ann@example.com"}
    calls: list[Call] = []
    found: list[Told] = []

    def run(kind: str, mark: str, body: str, *arguments: str) -> None:
        done = subprocess.run(
            [*trace(output), binary, *arguments], env=environment, input=body.encode(), capture_output=True, check=True
        )
        own = after(calls, read_trace(output))
        ids = [json.loads(line)["id"] for line in done.stdout.splitlines()]
        said = Order(own, pickup).answers(lambda call: call.arguments.startswith("1<"))
        # sendmail says nothing: that it ends is its answer.
        answers = [said[id] for id in ids] or [[call for call in own if call.name == "exit"][-1]]
        calls.extend(own)
        found.extend(told(kind, mark, answers))

    for turn in range(rounds):
        marks = (f"m{turn}-{number}" for number in range(20))
        for kind in ("single", "several", "twenty", "many", "streamed", "raw"):
            body = requests(mark := next(marks))[kind][1]
            body = json.dumps(raw(mark)) if kind == "raw" else body
            run(kind, mark, body, "submit", *(["--ndjson"] if kind == "streamed" else []))
        run("two large", mark := next(marks), json.dumps(large(mark)), "submit")
        for kind, more in (("batch", []), ("batch, key", []), ("atomic", ["--atomic"])):
            body = requests(mark := next(marks))[kind][1]
            run(kind, mark, body, "submit", "--batch", "-", "--ndjson", *more)
        run("raw", mark := next(marks), raw(mark)["raw"], "sendmail", "-t")
        mark = next(marks)
        own = after(calls, by_smtp(binary, output, environment, mark))
        answers = [call for call in own if call.name in ("write", "sendto") and '"250 2.' in call.arguments]
        calls.extend(own)
        found.extend(told("raw", mark, answers[-1:]))
    return Order(calls, pickup), found


def by_smtp(binary: Path, output: Path, environment: dict[str, str], mark: str) -> list[Call]:
    ours, theirs = socket.socketpair()
    command = [*trace(output), binary, "sendmail", "-bs"]
    with ours, theirs, subprocess.Popen(command, stdin=theirs, stdout=theirs, env=environment) as program:
        theirs.close()
        client = smtplib.SMTP(local_hostname="localhost", timeout=TIMEOUT)
        client.sock = ours
        client.getreply()
        client.sendmail("a@example.com", ["b@example.org"], raw(mark)["raw"])
        client.quit()
        assert program.wait(TIMEOUT) == 0
    return read_trace(output)


def after(calls: list[Call], more: list[Call]) -> list[Call]:
    """The calls of one more process, as if they stood behind the others in one trace."""
    start = max((call.ended for call in calls), default=-1) + 1
    return [
        Call(call.name, call.arguments, call.result, call.opened, start + call.started, start + call.ended)
        for call in more
    ]


DOORS = {"daemon": by_daemon, "command": by_command, "python": by_python, "node": by_node}


def files_by_subject(pickup: Path) -> dict[str, list[str]]:
    found = defaultdict(list)
    for path in pickup.iterdir():
        (subject,) = re.findall(rb"^Subject: (\S+)\r?$", path.read_bytes(), re.MULTILINE)
        found[subject.decode()].append(path.name)
    return found


def faults(order: Order, told: Told, files: dict[str, list[str]]) -> list[str]:
    """What is wrong with the order in which a submission got to the disk and was answered."""
    names = [name for subject in told.subjects for name in files[subject]]
    if len(names) != told.files:
        return [f"{len(names)} files in place of {told.files}"]
    found = [fault for name in names for fault in order.file_faults(name, told.answered)]
    if told.decides == RECORD:
        found += order.record_faults(names, told.answered)
    if told.decides == KEY:
        found += order.key_faults(names, told.answered)
    return found
