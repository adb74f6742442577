"""Clients that post to the daemons of a fleet all the time, and keep what they were told."""

import http.client
import itertools
import json
import random
import threading
import time
import traceback
from collections.abc import Callable

from daemon import TIMEOUT, Daemon
from storm.judge import Told
from storm.message import Work

CLIENTS = 12
PAUSE = 0.1
# What is no answer, and one that asks to come again.
LATER = (409, 429, 503)
# Nobody knows whether it is in the queue. Under a key it is asked for again.
UNKNOWN = "urn:pmtaemail:problem:may-be-delivered"


class Client:
    """One connection, made again when it is lost."""

    def __init__(self, daemon: Daemon):
        self.daemon = daemon
        self.connection: http.client.HTTPConnection | None = None

    def post(self, body: str, key: str | None = None) -> tuple[int, dict, http.client.HTTPMessage | None]:
        """Status, document and head of the answer; status 0 where there is none."""
        headers = {"Content-Type": "application/json", **({"Idempotency-Key": key} if key else {})}
        try:
            self.connection = self.connection or self.daemon.connect()
            self.connection.request("POST", "/messages", body, headers)
            answer = self.connection.getresponse()
            return answer.status, json.loads(answer.read()), answer.headers
        except (OSError, http.client.HTTPException):
            self.close()
            return 0, {}, None

    def post_until_told(self, body: str, key: str, end: threading.Event) -> dict | None:
        """The receipt. Under a key it may be asked for until it is given."""
        while True:
            status, document, headers = self.post(body, key)
            if status == 202:
                return document
            if document.get("type") != UNKNOWN:
                assert status in (0, *LATER), document
                # A conflict that has no time to come again is one for ever.
                assert status == 0 or headers["retry-after"], document
            if end.is_set():
                return None
            threading.Event().wait(PAUSE)

    def close(self) -> None:
        if self.connection:
            self.connection.close()
        self.connection = None


class Load:
    """A context manager: posts from its start until `finish`. Every second message has an idempotency key, and is
    posted until it is told; what has none is posted once, and may be lost where no receipt is given.
    """

    def __init__(self, *daemons: Daemon, clients: int = CLIENTS, keys: bool = True, name: str = ""):
        self.keys = keys
        self.name = name
        self.told: list[Told] = []
        # When each of them was.
        self.times: list[float] = []
        self.begun: list[str] = []
        self.refused = 0
        self.failures: list[str] = []
        self.news = threading.Condition()
        self.is_over = threading.Event()
        self.gives_up = threading.Event()
        daemons_in_turn = itertools.islice(itertools.cycle(daemons), clients)
        self.threads = [
            threading.Thread(target=self.guarded, args=(daemon, number))
            for number, daemon in enumerate(daemons_in_turn)
        ]

    def __enter__(self) -> "Load":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.gives_up.set()
        self.finish()

    def guarded(self, daemon: Daemon, number: int) -> None:
        client = Client(daemon)
        try:
            self.post(client, number)
        except Exception:
            with self.news:
                self.failures.append(traceback.format_exc())
                self.news.notify_all()
        finally:
            client.close()

    def post(self, client: Client, number: int) -> None:
        for count in itertools.count():
            if self.is_over.is_set():
                return
            tag = f"{self.name}{number}-{count}"
            is_keyed = self.keys and count % 2 == 1
            work = Work.any(tag, is_keyed) if count % 16 == 0 else Work(tag, "single", random.choice((1, 60)), is_keyed)
            if is_keyed:
                with self.news:
                    self.begun.append(tag)
                receipt = client.post_until_told(work.body(), tag, self.gives_up)
            else:
                status, receipt, _ = client.post(work.body())
                assert status in (0, 202, 503) or receipt["type"] == UNKNOWN, receipt
                if status != 202:
                    receipt = None
                    # It is asked to come later; others need the processors.
                    self.is_over.wait(PAUSE)
            self.take(work, receipt)

    def take(self, work: Work, receipt: dict | None) -> None:
        with self.news:
            if receipt is None:
                self.refused += 1
            else:
                told = Told(work.tag, receipt["id"], len(receipt["files"]))
                assert told.names == receipt["files"]
                self.told.append(told)
                self.times.append(time.monotonic())
            self.news.notify_all()

    def longest_stall(self) -> float:
        """Most seconds in which nobody was told of any."""
        return max(later - earlier for earlier, later in itertools.pairwise(self.times))

    def wait_for_more(self, count: int) -> None:
        """Until so many more are told."""
        wanted = len(self.told) + count
        self.wait_for(lambda: len(self.told) >= wanted)

    def wait_for(self, is_reached: Callable[[], bool]) -> None:
        """Waits as long as more are told, which in the long versions takes many minutes."""
        with self.news:
            while not (self.failures or is_reached()):
                before = len(self.told)
                more = self.news.wait_for(
                    lambda before=before: self.failures or is_reached() or len(self.told) > before, TIMEOUT
                )
                assert more, f"{len(self.told)} are told, and no more"
        assert not self.failures, self.failures[0]

    def finish(self) -> list[Told]:
        """Posts nothing more. What has a key is told by now."""
        self.is_over.set()
        for thread in self.threads:
            thread.join(2 * TIMEOUT)
            assert not thread.is_alive(), f"{len(self.told)} are told"
        assert not self.failures, self.failures[0]
        return self.told
