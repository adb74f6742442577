"""Submissions of every kind until the power fails, and what has to be there afterwards."""

import http.client
import itertools
import json
import random
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import pickup_reader
from daemon import TIMEOUT, Daemon
from keyed_load import MANY, everybody, message
from readers.line_process import LineProcess

CLIENTS = 6
STAGING = "pickup.staging"


@dataclass(frozen=True)
class Submission:
    """Its subject tells it from all others, and under a key is the key."""

    client: str
    subject: str
    files: int
    is_keyed: bool

    @property
    def message(self) -> dict:
        if self.files == 1:
            return message(self.subject, to="b@example.org")
        return message(self.subject, merge="expanded", recipients=everybody(self.files))


class Door(Protocol):
    """What takes submissions, and is killed and started anew."""

    def submit(self, submissions: list[Submission]) -> list[dict | None]:
        """Their receipts. `None`: there is no answer, or another one."""
        ...

    def start(self) -> None: ...
    def kill(self) -> None: ...
    def stop(self) -> None: ...


class DaemonDoor:
    """Several submissions at once are a batch, of whose answer a part may come."""

    batches = True

    def __init__(self, binary: Path, pickup: Path, *options: str, wrapper: tuple[str, ...] = ()):
        self.begin = lambda: Daemon(binary, pickup, *options, wrapper=wrapper)

    def start(self) -> None:
        self.daemon = self.begin()

    @property
    def pid(self) -> int:
        return self.daemon.process.pid

    def kill(self) -> None:
        self.daemon.signal(9)
        self.daemon.wait()

    def stop(self) -> None:
        self.daemon.stop()

    def submit(self, submissions: list[Submission]) -> list[dict | None]:
        headers, path = {}, "/messages"
        keys = [{"idempotencyKey": each.subject} if each.is_keyed else {} for each in submissions]
        if len(submissions) > 1:
            path, headers = "/messages/batch", {"Content-Type": "application/x-ndjson"}
        elif submissions[0].is_keyed:
            headers, keys = {"Idempotency-Key": submissions[0].subject}, [{}]
        lines = [json.dumps({**each.message, **key}) for each, key in zip(submissions, keys, strict=True)]
        body = b""
        with suppress(OSError):
            try:
                answer = self.daemon.post("\n".join(lines), path, **headers)
                body = answer.body if answer.status == 200 else b""
            except http.client.IncompleteRead as error:
                # What came before the power failed was promised.
                body = error.partial
            except http.client.HTTPException:
                pass
        whole = [line for line in body.splitlines(keepends=True) if line.endswith(b"\n") or len(lines) == 1]
        receipts = [receipt if "files" in (receipt := json.loads(line)) else None for line in whole]
        return receipts + [None] * (len(lines) - len(receipts))


class PackageDoor:
    """Processes of a program that uses a package, one for each client: a store of keys has one process at a time."""

    batches = False

    def __init__(self, pickup: Path, *command: str):
        self.command = [*command, str(pickup)]
        self.processes: dict[str, LineProcess] = {}

    def start(self) -> None:
        self.processes = {}

    def kill(self) -> None:
        for process in self.processes.values():
            process.process.kill()
        self.stop()

    def stop(self) -> None:
        for process in self.processes.values():
            with suppress(BrokenPipeError):
                process.process.stdin.close()
            process.process.wait()
            process.process.stdout.close()

    def submit(self, submissions: list[Submission]) -> list[dict | None]:
        (submission,) = submissions
        if submission.client not in self.processes:
            self.processes[submission.client] = LineProcess(*self.command, f"state-{submission.client}")
        key = submission.subject if submission.is_keyed else None
        with suppress(ValueError, OSError):
            return [self.processes[submission.client].ask({"message": submission.message, "key": key})]
        return [None]


def python_door(pickup: Path) -> PackageDoor:
    return PackageDoor(pickup, sys.executable, str(Path(__file__).parents[1] / "doors/pickup_process.py"))


def node_door(pickup: Path) -> PackageDoor:
    return PackageDoor(pickup, "node", str(Path(__file__).parents[1] / "doors/pickup_process.mjs"))


@dataclass
class Load:
    """Clients that submit, whatever the answer, until they shall end. A context manager that waits for their end."""

    door: Door
    # Called for each receipt as soon as it was read; what it gives is kept with the receipt.
    acknowledged: Callable[[dict], object]
    round: int = 0
    clients: int = CLIENTS
    ends: threading.Event = field(default_factory=threading.Event)
    more: threading.Condition = field(default_factory=threading.Condition)
    sent: dict[str, Submission] = field(default_factory=dict)
    receipts: dict[str, tuple[dict, object]] = field(default_factory=dict)
    failures: list[BaseException] = field(default_factory=list)

    def __enter__(self) -> "Load":
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(self.clients)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ends.set()
        for thread in self.threads:
            thread.join(TIMEOUT)
        assert not any(thread.is_alive() for thread in self.threads), "a client waits for ever"
        assert not self.failures

    def run(self, client: int) -> None:
        try:
            for count in itertools.count():
                if self.ends.is_set():
                    return
                self.submit_some(str(client), f"{self.round}-{client}-{count}")
        except BaseException as failure:
            self.failures.append(failure)

    def submit_some(self, client: str, name: str) -> None:
        sizes = [[1], [3], [MANY], [1, 3, 1, 1]]
        weights = [12, 3, 1, 3 if self.door.batches else 0]
        (files,) = random.choices(sizes, weights)
        submissions = [
            Submission(client, f"{name}-{number}", count, random.random() < 0.5) for number, count in enumerate(files)
        ]
        with self.more:
            self.sent |= {each.subject: each for each in submissions}
        receipts = self.door.submit(submissions)
        for submission, receipt in zip(submissions, receipts, strict=True):
            if receipt is not None:
                told = receipt, self.acknowledged(receipt)
                with self.more:
                    self.receipts[submission.subject] = told
                    self.more.notify()

    def wait_for(self, count: int) -> None:
        """Until so many have their receipts."""
        with self.more:
            enough = lambda: self.failures or len(self.receipts) >= count  # noqa: E731
            assert self.more.wait_for(enough, TIMEOUT)


@dataclass
class Findings:
    """What is wrong in a pickup directory after a power cut: subjects, or names of files."""

    lost: set[str] = field(default_factory=set)
    torn: set[str] = field(default_factory=set)
    partial: set[str] = field(default_factory=set)
    doubled: set[str] = field(default_factory=set)
    # Acknowledged, and the disk was not asked to keep it by then.
    unsynced: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return any(vars(self).values())

    def __ior__(self, other: "Findings") -> "Findings":
        for name, found in vars(self).items():
            found |= getattr(other, name)
        return self


def read_pickup(pickup: Path, findings: Findings) -> dict[str, dict[str, int]]:
    """The files of each subject and their sizes."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for path in pickup.iterdir():
        octets = path.read_bytes()
        subject = subject_of(octets)
        if subject is None:
            findings.torn.add(path.name)
        found[subject or path.name][path.name] = len(octets)
    return found


# After one load there are many power cuts.
@lru_cache(100_000)
def subject_of(octets: bytes) -> str | None:
    """What tells a submission from all others. `None`: the file is not whole."""
    subjects = [line[9:].decode() for line in octets.splitlines() if line.startswith(b"Subject: ")]
    try:
        pickup_reader.read(octets)
    except (pickup_reader.PickupError, ValueError):
        return None
    return subjects[0] if len(subjects) == 1 and b"\nend\r\n" in octets else None


def judge(pickup: Path, sent: Iterable[Submission], receipts: dict[str, dict], is_all: bool = True) -> Findings:
    """Of each submission all or nothing, and what has a receipt whole. `is_all`: there are no others."""
    findings = Findings()
    found = read_pickup(pickup, findings)
    for submission in sent:
        files = found.pop(submission.subject, {})
        if receipt := receipts.get(submission.subject):
            if not set(receipt["files"]) <= set(files):
                findings.lost.add(submission.subject)
            elif sum(files[name] for name in receipt["files"]) != receipt["octets"]:
                findings.torn.add(submission.subject)
        if len(files) not in (0, submission.files):
            (findings.partial if len(files) < submission.files else findings.doubled).add(submission.subject)
    # What nobody sent is what nobody can read.
    if is_all:
        findings.torn |= set(found)
    return findings


def submit_again(
    door: Door, pickup: Path, submissions: Iterable[Submission], receipts: dict[str, dict]
) -> tuple[Findings, int]:
    """Sends those with keys once more: there is one submission of each in the end. How many had been there before."""
    findings = Findings()
    answers = {}
    for submission in submissions:
        (answer,) = door.submit([submission])
        assert answer is not None, submission
        answers[submission] = answer
    found = read_pickup(pickup, findings)
    for submission, answer in answers.items():
        files = set(found[submission.subject])
        if files - set(answer["files"]):
            findings.doubled.add(submission.subject)
        if set(answer["files"]) - files:
            findings.lost.add(submission.subject)
        first = receipts.get(submission.subject)
        if first is not None and first["id"] != answer["id"]:
            findings.doubled.add(submission.subject)
    return findings, sum(1 for submission in answers if submission.subject in receipts)


def left_over(pickup: Path, pid: int) -> list[str]:
    """What is in the staging folder of others than this process, which has cleared it at its start.

    A folder that has lost its lock is left to a person: a disk that forgets one name may have forgotten the record too.
    """
    staging = pickup.with_name(STAGING)
    left = []
    for path in staging.iterdir():
        is_its_own = path.name.startswith(f"pmtaemail-{pid}-")
        if not is_its_own and (path.is_file() or (path / "lock").exists()):
            left += [path.name, *(str(each.relative_to(staging)) for each in path.rglob("*"))]
    return sorted(left)
