"""Faults of clients."""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from daemon import TIMEOUT
from faults.place import Place, Row
from faults.submissions import SINGLE, kind_of
from raw_http import head, read_answer


class Access:
    """A daemon that asks for keys, and one of them."""

    def __init__(self, place: Place, *options: str):
        self.file = place.folder / "keys.toml"
        added = subprocess.run(
            [place.binary, "keys", "add", "shop", "--keys", self.file, *options], capture_output=True, check=True
        )
        self.key = added.stdout.decode().strip()
        self.daemon = place.start_daemon("--keys", str(self.file))

    def row(self, key: str | None) -> tuple[Row, bytes]:
        before = len(self.daemon.files())
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        answer = self.daemon.post(SINGLE, **headers)
        taken = len(self.daemon.files()) - before
        ready = "ok" if self.daemon.request("GET", "/health/ready").status == 200 else "?"
        kind = kind_of(answer.json())
        status = f"{answer.status} `{kind}`" if kind else str(answer.status)
        return Row(status, answer.headers["Retry-After"] or "", "the file" if taken else "nothing", ready), answer.body

    def is_taken(self) -> bool:
        return self.daemon.post(SINGLE, Authorization=f"Bearer {self.key}").status == 200


@contextmanager
def no_key(place: Place) -> Iterator[Row]:
    access = Access(place)
    yield access.row(None)[0]
    assert access.is_taken()


@contextmanager
def wrong_key(place: Place) -> Iterator[Row]:
    access = Access(place)
    yield access.row(access.key[:-1] + ("a" if access.key[-1] != "a" else "b"))[0]
    assert access.is_taken()


@contextmanager
def over_rate(place: Place) -> Iterator[Row]:
    access = Access(place, "--rate", "2/s")
    limit = time.monotonic() + TIMEOUT
    while (row := access.row(access.key)[0]).found == "the file":
        assert time.monotonic() < limit
    yield row
    while not access.is_taken():
        assert time.monotonic() < limit


@contextmanager
def over_recipients(place: Place) -> Iterator[Row]:
    access = Access(place, "--recipients-per-day", "1")
    assert access.is_taken()
    row = access.row(access.key)[0]
    left = 86_400 - time.time() % 86_400
    assert abs(int(row.retry_after) - left) < TIMEOUT
    yield Row(row.answer, "till the day's end (UTC)", row.found, row.ready)
    text = access.file.read_text()
    changed = re.sub(r"(recipients-per-day\s*=\s*)1\b", r"\g<1>5", text)
    assert changed != text
    access.file.write_text(changed)
    access.daemon.signal(1)
    limit = time.monotonic() + TIMEOUT
    while not access.is_taken():
        assert time.monotonic() < limit


def slow(place: Place, sent: bytes) -> Iterator[Row]:
    daemon = place.start_daemon("--header-timeout", "500ms", "--body-timeout", "500ms")
    with daemon.socket() as connection:
        connection.sendall(sent)
        # Others do not wait.
        assert daemon.post(SINGLE).status == 200
        ready = "ok" if daemon.request("GET", "/health/ready").status == 200 else "?"
        answer = read_answer(connection)
        assert connection.recv(1) == b"", "the connection goes on"
    kind = kind_of(json.loads(answer.body))
    status = f"{answer.status} `{kind}`" if kind else str(answer.status)
    found = "nothing" if len(daemon.files()) == 1 else "?"
    yield Row(status, answer.headers.get("retry-after", ""), found, ready)
    assert daemon.post(SINGLE).status == 200


@contextmanager
def slow_head(place: Place) -> Iterator[Row]:
    yield from slow(place, head("Content-Length: 100")[:-2])


@contextmanager
def slow_body(place: Place) -> Iterator[Row]:
    yield from slow(place, head("Content-Length: 100") + b"{")
