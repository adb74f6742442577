"""The doors of the project, all with the same three verbs, so that each test runs through each of them.

A door takes the octets of a JSON message. Where the message has problems it raises `Refused` with their list.
"""

import base64
import json
import math
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from os import EX_DATAERR
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

import pmtaemail
from daemon import Answer, Daemon
from readers.line_process import LineProcess


def encode(message: object) -> bytes:
    """A message as JSON."""
    return json.dumps(message, ensure_ascii=False).encode()


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
    def pickup_files(self, message: bytes) -> list[bytes]: ...

    def submit(self, message: bytes) -> tuple[dict, list[bytes]]:
        """The receipt as it is in JSON, and the files."""
        ...


class Command:
    """The command line: `check`, `render`, `render --pickup-file`, `submit` where there may be several files."""

    name = "command"

    def __init__(self, binary: Path):
        self.binary = binary

    def check(self, message: bytes) -> None:
        self.run(message, "check", "--json")

    def render(self, message: bytes) -> bytes:
        return self.run(message, "render")

    def pickup_file(self, message: bytes) -> bytes:
        return self.run(message, "render", "--pickup-file")

    def pickup_files(self, message: bytes) -> list[bytes]:
        return self.submit(message)[1]

    def submit(self, message: bytes, *options: str) -> tuple[dict, list[bytes]]:
        with tempfile.TemporaryDirectory() as folder:
            receipt = json.loads(self.run(message, "submit", *options, "--pickup", folder, "--durability", "none"))
            return receipt, read_files(Path(folder), receipt["files"], receipt["octets"])

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
        return b"".join(self.pickup_files(message))

    def pickup_files(self, message: bytes) -> list[bytes]:
        return self.submit(message)[1]

    def submit(self, message: bytes) -> tuple[dict, list[bytes]]:
        return self.taken(self.daemon.post(message))

    def taken(self, answer: Answer) -> tuple[dict, list[bytes]]:
        receipt = json.loads(self.result(answer))
        files = read_files(self.daemon.pickup, receipt["files"], receipt["octets"])
        for name in receipt["files"]:
            (self.daemon.pickup / name).unlink()
        return receipt, files

    def result(self, answer: Answer) -> bytes:
        if answer.status in (400, 422):
            raise Refused([plain_pointer(problem) for problem in answer.json()["errors"]])
        assert answer.status == 200, answer
        return answer.body


class Python:
    """The package `pmtaemail`, given dicts; JSON that no dict can stand for is handed on as it is."""

    name = "python"

    def check(self, message: bytes) -> None:
        if problems := pmtaemail.check(self.read(message)):
            raise Refused([problem._asdict() for problem in problems])

    def render(self, message: bytes) -> bytes:
        with self.refusals():
            return pmtaemail.render(self.read(message))

    def pickup_file(self, message: bytes) -> bytes:
        return b"".join(self.pickup_files(message))

    def pickup_files(self, message: bytes) -> list[bytes]:
        return self.submit(message)[1]

    def submit(self, message: bytes) -> tuple[dict, list[bytes]]:
        with tempfile.TemporaryDirectory() as folder, self.refusals():
            receipt = pmtaemail.Pickup(folder, durability="none").submit(self.read(message))
            return receipt.asdict(), read_files(Path(folder), receipt.files, receipt.octets)

    @contextmanager
    def refusals(self) -> Iterator[None]:
        try:
            yield
        except pmtaemail.MessageError as error:
            raise Refused([problem._asdict() for problem in error.problems]) from error

    def read(self, message: bytes) -> Any:
        try:
            text = message.decode().removeprefix("\N{BYTE ORDER MARK}")
            found = json.loads(text, object_pairs_hook=unique, parse_constant=no_constant, parse_float=finite)
        except (ValueError, RecursionError):
            return message
        # A str would be read as JSON, and None is no message at all.
        return found if isinstance(found, dict) else message


class PythonJson(Python):
    """The package `pmtaemail`, given JSON."""

    name = "python-json"

    def read(self, message: bytes) -> bytes:
        return message


class NodeProcess(LineProcess):
    """A Node process with the package loaded."""

    def __init__(self) -> None:
        super().__init__("node", str(Path(__file__).with_name("node_door.mjs")))

    def ask(self, request: dict) -> dict:
        answer = super().ask(request)
        if answer.get("problems"):
            raise Refused(answer["problems"])
        return answer


class Node:
    """The package for Node, given objects; JSON that no object can stand for is handed on as it is."""

    name = "node"

    def __init__(self, process: NodeProcess):
        self.process = process

    def check(self, message: bytes) -> None:
        self.ask("check", message)

    def render(self, message: bytes) -> bytes:
        return base64.b64decode(self.ask("render", message)["octets"])

    def pickup_file(self, message: bytes) -> bytes:
        return b"".join(self.pickup_files(message))

    def pickup_files(self, message: bytes) -> list[bytes]:
        return self.submit(message)[1]

    def submit(self, message: bytes) -> tuple[dict, list[bytes]]:
        answer = self.ask("submit", message)
        return answer["receipt"], [base64.b64decode(file) for file in answer["files"]]

    def ask(self, verb: str, message: bytes) -> dict[str, Any]:
        return self.process.ask({"verb": verb, "message": base64.b64encode(message).decode(), "as": self.kind(message)})

    def kind(self, message: bytes) -> str:
        try:
            found = json.loads(
                message.decode(), object_pairs_hook=ordered, parse_constant=no_constant, parse_float=finite
            )
        except (ValueError, RecursionError):
            return "json"
        # A string would be read as JSON.
        return "json" if isinstance(found, str) else "object"


class NodeJson(Node):
    """The package for Node, given JSON."""

    name = "node-json"

    def kind(self, message: bytes) -> str:
        return "json"


def read_files(folder: Path, names: Iterable[str], octets: int) -> list[bytes]:
    """The files of a receipt, which knows the size of them all."""
    files = [(folder / name).read_bytes() for name in names]
    assert sum(map(len, files)) == octets
    return files


def ordered(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """JavaScript puts names that are numbers first."""
    if any(name.isdecimal() for name, _ in members):
        raise ValueError("an object does not keep the order")
    return unique(members)


def unique(members: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(members)) < len(members):
        raise ValueError("a dict has each name once")
    return found


def finite(number: str) -> float:
    if not math.isfinite(value := float(number)):
        raise ValueError("JSON ends before that")
    return value


def no_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def plain_pointer(problem: dict[str, str]) -> dict[str, str]:
    """The problem with its pointer as text: over HTTP it is a URI fragment (RFC 6901 section 6)."""
    assert problem["pointer"].startswith("#")
    return {**problem, "pointer": unquote(problem["pointer"][1:], errors="strict")}
