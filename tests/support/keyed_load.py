"""Clients that send submissions under keys until they are answered, whatever becomes of the daemon, and a reader."""

import http.client
import itertools
import json
import random
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path

from daemon import TIMEOUT, Daemon

CLIENTS = 6
# More than are kept open until they are handed over (core/src/pickup_directory).
MANY = 70
KINDS = ["single", "merge", "lines", "batch", "merge of many"]
WEIGHTS = [8, 2, 2, 3, 1]


class Service:
    """A daemon that ends and is begun again; clients find the present one."""

    # What a client may be told instead of a receipt: its first attempt is not over yet.
    tolerated: tuple[int, ...] = (409,)

    def __init__(self, binary: Path, pickup: Path, *options: str):
        self.start = lambda: Daemon(binary, pickup, *options)
        self.daemon = self.start()
        self.is_up = threading.Event()
        self.is_up.set()

    def __enter__(self) -> "Service":
        return self

    def __exit__(self, *_: object) -> None:
        self.daemon.stop()
        # A thread may have had its files in hand still when that ended. The next start removes what it left.
        self.start().stop()

    def post(self, *arguments: object, **headers: str):
        assert self.is_up.wait(TIMEOUT)
        return self.daemon.post(*arguments, **headers)


class Reader:
    """Takes away what it sees, as PowerMTA does. Looks at each file before: it must be whole."""

    def __init__(self, pickup: Path):
        self.pickup = pickup
        self.taken: Counter[str] = Counter()
        # The subject is the key.
        self.names: dict[str, set[str]] = {}
        self.damaged: list[str] = []

    def take(self) -> None:
        for path in self.pickup.iterdir():
            data = path.read_bytes()
            path.unlink()
            self.taken[path.name] += 1
            subjects = [line[9:].decode() for line in data.splitlines() if line.startswith(b"Subject: ")]
            if len(subjects) != 1 or not data.endswith((b"end\r\n", b".\r\n")):
                self.damaged.append(path.name)
                continue
            self.names.setdefault(subjects[0], set()).add(path.name)


def message(key: str, **fields: object) -> dict:
    return {"from": "a@example.com", "subject": key, "text": "end", **fields}


def everybody(count: int) -> list[str]:
    return [f"r{number}@example.org" for number in range(count)]


def request(key: str, kind: str) -> dict:
    """A request of one submission: one file, several, or a stream."""
    if kind == "single":
        return {"body": json.dumps(message(key, to="b@example.org"))}
    merge = message(key, merge="expanded")
    if kind == "lines":
        lines = [merge, *everybody(3)]
        return {"body": "\n".join(map(json.dumps, lines)), "Content-Type": "application/x-ndjson"}
    recipients = everybody(MANY if kind == "merge of many" else 3)
    return {"body": json.dumps({**merge, "recipients": recipients})}


def submit(service: Service, key: str, kind: str) -> dict[str, tuple[dict, bool]]:
    """Tries again until there is an answer. Gives receipts by key, and whether they were given before."""
    while True:
        with suppress(OSError, http.client.HTTPException):
            headers = request(key, kind)
            answer = service.post(headers.pop("body"), **headers, **{"Idempotency-Key": key})
            if answer.status == 200:
                return {key: (answer.json(), answer.headers["Idempotent-Replayed"] == "true")}
            assert answer.status in service.tolerated, answer.body


def submit_batch(service: Service, key: str) -> dict[str, tuple[dict, bool]]:
    """The same of a batch, of whose answer a part may come: messages alone and a merge, each with a key of its own."""
    messages = [message(f"{key}-{number}", to="b@example.org") for number in range(4)]
    messages[2] = message(f"{key}-2", merge="expanded", recipients=everybody(3))
    lines = [json.dumps({**message, "idempotencyKey": message["subject"]}) for message in messages]
    told: dict[str, tuple[dict, bool]] = {}
    while len(told) < len(lines):
        body = b""
        with suppress(OSError):
            try:
                answer = service.post("\n".join(lines), "/messages/batch", **{"Content-Type": "application/x-ndjson"})
                assert answer.status in (200, *service.tolerated), answer.body
                body = answer.body if answer.status == 200 else b""
            except http.client.IncompleteRead as error:
                # What came before the kill was promised.
                body = error.partial
            except http.client.HTTPException:
                pass
        for line, message_ in zip(body.splitlines(keepends=True), messages, strict=False):
            if not line.endswith(b"\n"):
                continue
            receipt = json.loads(line)
            if "files" not in receipt:
                assert receipt["status"] in service.tolerated, receipt
                continue
            replayed = receipt.pop("replayed", False)
            first, _ = told.setdefault(message_["subject"], (receipt, replayed))
            assert receipt == first
    return told


def any_kind(service: Service, key: str, kind: str) -> dict[str, tuple[dict, bool]]:
    return submit_batch(service, key) if kind == "batch" else submit(service, key, kind)


class Load:
    """Clients that send one submission after the other, each under a key of its own, until they shall end."""

    def __init__(self, service: Service):
        self.service = service
        self.ends = threading.Event()
        self.more = threading.Condition()
        self.receipts: dict[str, dict] = {}
        self.kinds: dict[str, str] = {}
        self.replayed: Counter[bool] = Counter()
        self.failures: list[BaseException] = []
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def run(self, number: int) -> None:
        try:
            for count in itertools.count():
                if self.ends.is_set():
                    return
                key = f"key-{number}-{count}"
                (self.kinds[key],) = random.choices(KINDS, WEIGHTS)
                told = any_kind(self.service, key, self.kinds[key])
                with self.more:
                    for one, (receipt, is_replayed) in told.items():
                        self.receipts[one] = receipt
                        self.replayed[is_replayed] += 1
                    self.more.notify()
        except BaseException as failure:
            self.failures.append(failure)

    def wait_for_some(self) -> None:
        """Until some more have their receipts, or a moment has gone by."""
        with self.more:
            wanted = len(self.receipts) + random.randrange(20)
            self.more.wait_for(lambda: self.failures or len(self.receipts) >= wanted, random.uniform(0, 0.6))

    def __enter__(self) -> "Load":
        return self

    def __exit__(self, *_: object) -> None:
        self.ends.set()
        for thread in self.threads:
            thread.join()
        assert not self.failures
