"""kill -9, again and again, under keyed load: under each key one submission is handed over."""

import http.client
import itertools
import json
import os
import random
import signal
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from daemon import Daemon

KILLS = int(os.environ.get("PMTAEMAIL_KILLS", "60"))
CLIENTS = 6


class Service:
    """A daemon that is killed and begun again; clients find the present one."""

    def __init__(self, binary: Path, pickup: Path, *options: str):
        self.start = lambda: Daemon(binary, pickup, *options)
        self.daemon = self.start()

    def kill(self) -> None:
        self.daemon.signal(signal.SIGKILL)
        self.daemon.wait()
        self.daemon = self.start()


class Reader(threading.Thread):
    """Takes away what it sees, as PowerMTA does. Looks at each file before: it must be whole."""

    def __init__(self, pickup: Path):
        super().__init__()
        self.pickup = pickup
        self.ends = threading.Event()
        self.taken: Counter[str] = Counter()
        self.subjects: dict[str, bytes] = {}

    def run(self) -> None:
        while not self.ends.is_set():
            self.take()
            self.ends.wait(random.uniform(0, 0.004))

    def take(self) -> None:
        for path in self.pickup.iterdir():
            data = path.read_bytes()
            path.unlink()
            assert data.endswith((b"end\r\n", b".\r\n")), path
            (subject,) = [line for line in data.splitlines() if line.startswith(b"Subject: ")]
            self.taken[path.name] += 1
            self.subjects[path.name] = subject


def message(key: str, kind: int) -> dict:
    """A message, and its request: one file, several, or a stream."""
    content = {"from": "a@example.com", "subject": key, "text": "end"}
    everybody = [f"r{number}@example.org" for number in range(3)]
    if kind == 0:
        return {"body": json.dumps({**content, "merge": "expanded", "recipients": everybody})}
    if kind == 1:
        lines = [json.dumps({**content, "merge": "expanded"}), *(json.dumps(address) for address in everybody)]
        return {"body": "\n".join(lines), "Content-Type": "application/x-ndjson"}
    return {"body": json.dumps({**content, "to": "b@example.org"})}


def submit(service: Service, key: str, kind: int) -> tuple[dict, bool]:
    """Tries again until there is an answer."""
    while True:
        with suppress(OSError, http.client.HTTPException):
            request = message(key, kind)
            answer = service.daemon.post(request.pop("body"), **request, **{"Idempotency-Key": key})
            if answer.status == 200:
                return answer.json(), answer.headers["Idempotent-Replayed"] == "true"
            assert answer.status == 409, answer.body
            assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize("durability", ["durable", "none"])
def test_each_key_is_one_submission(binary: Path, tmp_path: Path, pickup: Path, durability: str):
    service = Service(binary, pickup, "--durability", durability)
    reader = Reader(pickup)
    reader.start()
    ends = threading.Event()
    receipts: dict[str, dict] = {}
    kinds: dict[str, int] = {}
    replayed: Counter[bool] = Counter()
    failures: list[BaseException] = []
    more = threading.Condition()

    def client(number: int) -> None:
        try:
            for count in itertools.count():
                if ends.is_set():
                    return
                key = f"key-{number}-{count}"
                kinds[key] = random.randrange(6)
                receipt, is_replayed = submit(service, key, kinds[key])
                with more:
                    receipts[key] = receipt
                    replayed[is_replayed] += 1
                    more.notify()
        except BaseException as failure:
            failures.append(failure)

    clients = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in clients:
        thread.start()
    try:
        for _ in range(KILLS // 2):
            wanted = len(receipts) + random.randrange(20)
            with more:
                more.wait_for(lambda wanted=wanted: failures or len(receipts) >= wanted, random.uniform(0, 0.6))
            service.kill()
    finally:
        ends.set()
        for thread in clients:
            thread.join()
        # Some are tried again after the reader took their files, across a restart.
        service.kill()
        again = {key: submit(service, key, kinds[key]) for key in random.sample(sorted(receipts), 20)}
        reader.ends.set()
        reader.join()
        reader.take()
        service.daemon.stop()
    assert not failures
    assert again == {key: (receipts[key], True) for key in again}
    assert len(receipts) > KILLS
    handed_over: dict[bytes, set[str]] = {}
    for name, subject in reader.subjects.items():
        handed_over.setdefault(subject, set()).add(name)
    assert max(reader.taken.values()) == 1, "a file came twice"
    expected = {f"Subject: {key}".encode(): set(receipt["files"]) for key, receipt in receipts.items()}
    assert handed_over == expected
    assert replayed[True] > 0, "no answer was lost on its way"
    assert list(pickup.with_name("pickup.staging").iterdir()) == []
