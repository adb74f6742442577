"""Batches of messages, through HTTP and through the command, with one result a line."""

import json
import socket
import subprocess
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from daemon import TIMEOUT, Daemon
from raw_http import head, read_line

LINES = {"Content-Type": "application/x-ndjson"}


@dataclass(frozen=True)
class Results:
    """What became of a batch. Over HTTP `status` is that of the answer, of the command its exit code."""

    status: int
    lines: list[dict]

    @property
    def receipts(self) -> list[dict]:
        return [line for line in self.lines if "id" in line and "status" not in line]

    @property
    def problems(self) -> list[dict]:
        return [line for line in self.lines if "status" in line]


def parsed(octets: bytes) -> list[dict]:
    """Lines of JSON, of which the last one ends as well."""
    assert octets == b"" or octets.endswith(b"\n")
    return [json.loads(line) for line in octets.splitlines()]


def message(**fields: object) -> dict:
    return {"from": "shop@example.com", "to": "ann@example.org", "text": "Hello", **fields}


def as_lines(messages: Iterable[object]) -> bytes:
    return b"".join(json.dumps(message).encode() + b"\n" for message in messages)


class HttpBatch:
    """`POST /messages/batch`."""

    name = "http"

    def __init__(self, daemon: Daemon):
        self.daemon = daemon
        self.pickup = daemon.pickup

    def submit(self, body: bytes, *, lines: bool, atomic: bool = False) -> Results:
        path = "/messages/batch" + ("?atomic=true" if atomic else "")
        answer = self.daemon.post(body, path, **(LINES if lines else {"Content-Type": "application/json"}))
        if answer.headers["content-type"] == "application/problem+json":
            return Results(answer.status, [answer.json()])
        assert answer.headers["content-type"] == "application/x-ndjson"
        return Results(answer.status, parsed(answer.body))


class CommandBatch:
    """`pmtaemailapi submit --batch`."""

    name = "command"

    def __init__(self, binary: Path, pickup: Path):
        self.binary = binary
        self.pickup = pickup

    def submit(self, body: bytes, *, lines: bool, atomic: bool = False) -> Results:
        options = [*(["--ndjson"] if lines else []), *(["--atomic"] if atomic else [])]
        command = [self.binary, "submit", "--pickup", self.pickup, "--batch", "-", *options]
        done = subprocess.run(command, input=body, capture_output=True, check=False, timeout=TIMEOUT)
        return Results(done.returncode, parsed(done.stdout))


class Conversation:
    """A batch in the making: lines go out and results come in over one connection."""

    def __init__(self, daemon: Daemon, query: str = ""):
        self.socket = daemon.socket()
        fields = ("Content-Type: application/x-ndjson", "Transfer-Encoding: chunked")
        self.socket.sendall(head(*fields, path=f"/messages/batch{query}"))
        self.stream = self.socket.makefile("rb")
        self.status: int | None = None

    def __enter__(self) -> "Conversation":
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()
        self.socket.close()

    def send(self, octets: bytes) -> None:
        self.socket.sendall(b"%x\r\n%b\r\n" % (len(octets), octets))

    def end(self) -> None:
        self.socket.sendall(b"0\r\n\r\n")

    def results(self) -> Iterator[dict]:
        """One result after the other, until the answer ends as it should."""
        if self.status is None:
            self.status = int(read_line(self.stream).split()[1])
            while read_line(self.stream) not in (b"\r\n", b""):
                pass
        waiting = b""
        while size := int(read_line(self.stream) or b"-1", 16):
            assert size > 0, "the answer was broken off"
            waiting += self.stream.read(size)
            self.stream.read(2)
            *lines, waiting = waiting.split(b"\n")
            yield from map(json.loads, lines)
        assert waiting == b""


def post_while_reading(daemon: Daemon, path: Path) -> list[dict]:
    """Sends a file of any size, and reads results meanwhile, as a client must."""
    with Conversation(daemon) as conversation:

        def send() -> None:
            with path.open("rb") as file, suppress(OSError):
                while piece := file.read(1 << 16):
                    conversation.send(piece)
                conversation.end()

        sender = threading.Thread(target=send)
        sender.start()
        try:
            return list(conversation.results())
        finally:
            conversation.socket.shutdown(socket.SHUT_RDWR)
            sender.join()
