"""Not a test but a program: sends to a daemon, whoever that is at present, until its standard input ends.

`python -m storm.http_worker SOCKET`. What has a key is sent again until it is answered; what has none is sent once.
"""

import http.client
import itertools
import json
import random
import socket
import sys
import threading
import time

from storm.message import Work
from storm.worker import Orders, begun, guarded, start, told

CLIENTS = 6
TIMEOUT = 60
LINES = {"Content-Type": "application/x-ndjson"}
# In a batch a key belongs to a line: it is another request than the message alone.
LINE = "line:"


class Connection(http.client.HTTPConnection):
    def __init__(self, path: str):
        super().__init__("localhost", timeout=TIMEOUT)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(self.path)


class Client:
    """One that keeps its connection as long as that holds."""

    def __init__(self, path: str, orders: Orders):
        self.path = path
        self.orders = orders
        self.connection = Connection(path)
        self.pause = threading.Event()

    def post(self, path: str, body: str, **headers: str) -> tuple[int, bytes]:
        """Status 0: nobody knows what became of it; with what came of the answer until then."""
        try:
            self.connection.request("POST", path, body, headers)
            answer = self.connection.getresponse()
        except (OSError, http.client.HTTPException):
            return self.broken(b"")
        try:
            return answer.status, answer.read()
        except http.client.IncompleteRead as error:
            return self.broken(error.partial)
        except (OSError, http.client.HTTPException):
            return self.broken(b"")

    def broken(self, partial: bytes) -> tuple[int, bytes]:
        self.connection.close()
        self.connection = Connection(self.path)
        # The next one is about to listen.
        self.pause.wait(0.01)
        return 0, partial

    def submit(self, work: Work) -> None:
        headers = {"Content-Type": "application/json"}
        if work.is_keyed:
            begun(work)
            headers["Idempotency-Key"] = work.tag
        limit = time.monotonic() + TIMEOUT
        while time.monotonic() < limit:
            status, body = self.post("/messages", work.body(), **headers)
            if status == 200:
                return tell_of(work.tag, json.loads(body))
            assert status in (0, 409), body
            if not work.is_keyed:
                return None
        raise TimeoutError("the daemon does not answer")

    def submit_lines(self, works: list[Work], query: str = "") -> None:
        """A batch: until each line with a key is answered, once where there is none."""
        for work in works:
            if work.is_keyed:
                begun(work)
        waiting = {work.tag for work in works}
        body = "\n".join(map(line, works))
        limit = time.monotonic() + TIMEOUT
        while waiting and time.monotonic() < limit:
            status, answer = self.post(f"/messages/batch{query}", body, **LINES)
            assert status in (0, 200), answer
            for work, text in zip(works, answer.splitlines(keepends=True), strict=False):
                # What came before the kill was promised.
                receipt = json.loads(text) if text.endswith(b"\n") else {"status": 409}
                if "files" in receipt:
                    tell_of(work.tag, receipt)
                    waiting.discard(work.tag)
                else:
                    assert receipt["status"] == 409, receipt
            if not works[0].is_keyed:
                return
        assert not waiting, "the daemon does not answer"

    def run(self, number: int) -> None:
        for count in itertools.count():
            if self.orders.is_over:
                return
            tag = f"{self.orders.life}-{number}-{count}"
            chance = random.random()
            if chance < 0.1:
                self.submit_lines([keyed_line(f"{tag}-{place}") for place in range(8)])
            elif chance < 0.2:
                self.submit_lines([Work.any(f"{tag}-{place}", is_keyed=False) for place in range(8)])
            elif chance < 0.25:
                # All of them, or none: one tag for all.
                kinds = ["single", "several", "single"]
                self.submit_lines([Work(tag, kind, 1, is_keyed=False, files=5) for kind in kinds], "?atomic=true")
            else:
                self.submit(Work.any(tag, is_keyed=count % 2 == 0))

    def again(self, work: Work) -> None:
        if work.tag.startswith(LINE):
            self.submit_lines([work])
        else:
            self.submit(work)


def keyed_line(tag: str) -> Work:
    return Work.any(f"{LINE}{tag}", is_keyed=True)


def line(work: Work) -> str:
    return json.dumps({**work.message(), **({"idempotencyKey": work.tag} if work.is_keyed else {})})


def tell_of(tag: str, receipt: dict) -> None:
    told(tag, receipt["id"], len(receipt["files"]))


def main(path: str) -> None:
    orders = Orders()

    def run(number: int) -> None:
        client = Client(path, orders)
        for work in orders.again[number::CLIENTS]:
            client.again(work)
        client.run(number)

    for thread in [start(run, number) for number in range(CLIENTS)]:
        thread.join()


if __name__ == "__main__":
    guarded(main, *sys.argv[1:])
