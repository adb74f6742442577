"""What a client sends while there is a fault: every kind of submission."""

import http.client
import json
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from daemon import TIMEOUT, Daemon

LINES = {"Content-Type": "application/x-ndjson"}
MERGE = {"from": "a@example.com", "text": "Hello", "merge": "expanded"}
EVERYBODY = [f"r{number}@example.org" for number in range(3)]
SINGLE = json.dumps({"from": "a@example.com", "to": "b@example.org", "text": "Hello"})
SEVERAL = json.dumps({**MERGE, "recipients": EVERYBODY})
STREAM = "\n".join(map(json.dumps, [MERGE, *EVERYBODY]))
BATCH = f"{SINGLE}\n{SEVERAL}"
# Path, body, header fields; `KEY` stands for a key of the request's own.
KEY = "Idempotency-Key"
REQUESTS = {
    "single": ("/messages", SINGLE, {}),
    "several files": ("/messages", SEVERAL, {}),
    "stream": ("/messages", STREAM, LINES),
    "batch": ("/messages/batch", BATCH, LINES),
    "atomic batch": ("/messages/batch?atomic=true", BATCH, LINES),
    "with a key": ("/messages", SINGLE, {KEY: ""}),
    "several files with a key": ("/messages", SEVERAL, {KEY: ""}),
}

# How many files each becomes; of a batch the first is one of a single message.
FILES = {
    "single": 1,
    "several files": 3,
    "stream": 3,
    "batch": 4,
    "atomic batch": 4,
    "with a key": 1,
    "several files with a key": 3,
}
KEYED = {name for name, (_, _, headers) in REQUESTS.items() if KEY in headers}
SEVERAL_FILES = {name for name, count in FILES.items() if count > 1}


@dataclass(frozen=True)
class Outcome:
    """What became of a request, or of a line of a batch."""

    status: int
    kind: str
    retry_after: str | None
    replayed: bool

    @property
    def answer(self) -> str:
        return f"{self.status} `{self.kind}`" if self.kind else str(self.status)


def kind_of(problem: dict) -> str:
    return problem.get("type", "").removeprefix("urn:pmtaemail:problem:").removeprefix("about:blank")


def outcomes(response: http.client.HTTPResponse) -> list[Outcome]:
    body = response.read()
    retry_after = response.headers["Retry-After"]
    replayed = response.headers["Idempotent-Replayed"] == "true"
    documents = [json.loads(line) for line in body.splitlines()]
    return [
        Outcome(document.get("status", response.status), kind_of(document), retry_after, replayed)
        for document in documents
    ]


def clear(daemon: Daemon) -> None:
    """Takes away all files, as PowerMTA does."""
    for file in daemon.files():
        file.unlink()


class Client:
    """One that keeps its connection, and sends every kind of submission."""

    def __init__(self, daemon: Daemon):
        self.daemon = daemon
        self.connection = daemon.connect()

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> http.client.HTTPResponse:
        self.connection.request(method, path, body, headers)
        return self.connection.getresponse()

    def submit_all(self, keys: str) -> dict[str, list[Outcome]]:
        """One of each kind; `keys` makes the keys."""
        found = {}
        for name, (path, body, headers) in REQUESTS.items():
            if KEY in headers:
                headers = {KEY: f"{keys}, {name}"}
            found[name] = outcomes(self.ask("POST", path, body, **headers))
        return found

    def refused(self, keys: str, kinds: Collection[str] = REQUESTS) -> Outcome:
        """What these kinds get; all others are taken. Where the key of a submission cannot be kept the type may say
        that instead."""
        found = self.submit_all(keys)
        first = found[next(kind for kind in REQUESTS if kind in kinds)]
        told = next(outcome for outcome in first if outcome.status != 200)
        for name, each in found.items():
            if name not in kinds:
                assert {outcome.status for outcome in each} == {200}, (name, each)
                continue
            # Of a batch one line may be of a kind that is taken.
            refused = each if "single" in kinds else [outcome for outcome in each if outcome.status != 200]
            assert refused, name
            for outcome in refused:
                assert outcome.status == told.status, (name, outcome)
                allowed = {told.kind, "idempotency-keys-unavailable"} if name in KEYED else {told.kind}
                assert outcome.kind in allowed, (name, outcome)
                # The lines of a batch have no fields of a header.
                assert outcome.retry_after == told.retry_after or name == "batch"
        return told

    def taken(self, keys: str) -> None:
        """All are taken, and leave nothing in the staging folder."""
        for name, each in self.submit_all(keys).items():
            assert [(outcome.status, outcome.replayed) for outcome in each] == [(200, False)] * len(each), name
        assert len(self.daemon.files()) == sum(FILES.values())
        clear(self.daemon)
        left = [path for path in self.daemon.pickup.with_name("pickup.staging").rglob("*") if path.is_file()]
        assert {path.name for path in left} <= {"lock"}

    def ready(self) -> str:
        response = self.ask("GET", "/health/ready")
        checks = json.loads(response.read())["checks"].values()
        causes = {check["cause"] for check in checks if check["status"] != "ok"}
        assert response.status == (503 if causes else 200)
        return ", ".join(f"`{cause}`" for cause in sorted(causes)) or "ok"

    def wait_until_ready_is(self, wanted: Callable[[str], bool]) -> str:
        """What was found out is good for a second."""
        limit = time.monotonic() + TIMEOUT
        while not wanted(found := self.ready()):
            assert time.monotonic() < limit, found
        return found
