"""The doors of the project, all with the same three verbs, so that each test runs through each of them.

A door takes the octets of a JSON message. Where the message has problems it raises `Refused` with their list.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

from daemon import Answer, Daemon

EX_DATAERR = 65


class Refused(Exception):
    """The message has problems: a list of `{code, pointer, detail}`."""

    def __init__(self, problems: list[dict[str, str]]):
        super().__init__(json.dumps(problems))
        self.problems = problems


class Door(Protocol):
    """What a test may ask of every door."""

    name: str

    def check(self, message: bytes) -> None: ...
    def render(self, message: bytes) -> bytes: ...
    def pickup_file(self, message: bytes) -> bytes: ...


class Command:
    """The command line: `check`, `render`, `render --pickup-file`."""

    name = "command"

    def __init__(self, binary: Path):
        self.binary = binary

    def check(self, message: bytes) -> None:
        self.run(message, "check", "--json")

    def render(self, message: bytes) -> bytes:
        return self.run(message, "render")

    def pickup_file(self, message: bytes) -> bytes:
        return self.run(message, "render", "--pickup-file")

    def run(self, message: bytes, *arguments: str) -> bytes:
        done = subprocess.run([self.binary, *arguments], input=message, capture_output=True, check=False)
        if done.returncode == EX_DATAERR and arguments != ("check", "--json"):
            self.check(message)
            raise AssertionError(f"{arguments} refuses what check takes")
        if done.returncode == EX_DATAERR:
            raise Refused([json.loads(line) for line in done.stdout.splitlines()])
        assert done.returncode == 0, done.stderr
        return done.stdout


class Http:
    """The daemon: `/messages` and what stands below it. A file that it hands over is read and taken away."""

    name = "http"

    def __init__(self, daemon: Daemon):
        self.daemon = daemon

    def check(self, message: bytes) -> None:
        self.result(self.daemon.post(message, "/messages/check"))

    def render(self, message: bytes) -> bytes:
        return self.result(self.daemon.post(message, "/messages/render"))

    def pickup_file(self, message: bytes) -> bytes:
        receipt = json.loads(self.result(self.daemon.post(message)))
        octets = b"".join(self.take(receipt))
        assert len(octets) == receipt["octets"]
        return octets

    def take(self, receipt: dict) -> Iterator[bytes]:
        for name in receipt["files"]:
            path = self.daemon.pickup / name
            yield path.read_bytes()
            path.unlink()

    def result(self, answer: Answer) -> bytes:
        if answer.status in (400, 422):
            raise Refused([plain_pointer(problem) for problem in answer.json()["errors"]])
        assert answer.status == 200, answer
        return answer.body


def plain_pointer(problem: dict[str, str]) -> dict[str, str]:
    """The problem with its pointer as text: over HTTP it is a URI fragment (RFC 6901 section 6)."""
    assert problem["pointer"].startswith("#")
    return {**problem, "pointer": unquote(problem["pointer"][1:], errors="strict")}
