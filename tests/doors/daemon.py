"""The daemon as a process of its own, on a port that the system chooses."""

import http.client
import json
import os
import signal
import socket
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

TIMEOUT = 60


@dataclass(frozen=True)
class Answer:
    """A whole HTTP answer."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> object:
        return json.loads(self.body)


def assert_problem(answer, status: int) -> dict:
    """A problem document of RFC 9457 that says its status."""
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json() if hasattr(answer, "json") else json.loads(answer.body)
    assert document["status"] == status
    assert document["title"]
    return document


class Program:
    """`pmtaemailapi` as a process that logs lines of JSON, which has begun when `begun` is in its log.

    A context manager that ends the process by its id. `log` holds the lines of its log; it is whole after `stop`.
    """

    begun = "listening"

    def __init__(self, command: list, pass_fds: tuple[int, ...] = (), **environment: str):
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, **environment},
            pass_fds=pass_fds,
        )
        self.log: list[bytes] = []
        self.first = self.read_until_begun()
        self.news = threading.Condition()
        self.drain = threading.Thread(target=self.read_log)
        self.drain.start()

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def read_until_begun(self) -> dict:
        for line in self.process.stderr:
            self.log.append(line)
            entry = json.loads(line)
            if entry["event"] == self.begun:
                return entry
        raise RuntimeError(f"the program ended with {self.process.wait()}: {self.log}")

    def read_log(self) -> None:
        for line in self.process.stderr:
            with self.news:
                self.log.append(line)
                self.news.notify_all()

    def wait_for_event(self, event: str) -> None:
        """Waits until the log has an entry of this event."""
        with self.news:
            seen = self.news.wait_for(lambda: any(entry["event"] == event for entry in self.entries()), TIMEOUT)
        assert seen, f"no {event} in the log"

    def entries(self) -> list[dict]:
        """The log so far, parsed."""
        return [json.loads(line) for line in list(self.log)]

    def signal(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def stop(self) -> int:
        """Ends the process and gives its exit status."""
        if self.process.poll() is None:
            self.signal()
        return self.wait()

    def wait(self) -> int:
        """Waits for the end of the process and of its log."""
        try:
            status = self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self.drain.join(TIMEOUT)
            self.process.stderr.close()
        return status


class Daemon(Program):
    """Starts `pmtaemailapi -listen 127.0.0.1:0 -pickup DIR` and waits until it says where it listens.

    Without a pickup directory it has to be told where messages go.
    """

    def __init__(
        self,
        binary: Path,
        pickup: Path | None,
        *arguments: str,
        listen: tuple[str, ...] = ("127.0.0.1:0",),
        wrapper: tuple[str, ...] = (),
        pass_fds: tuple[int, ...] = (),
        **environment: str,
    ):
        self.pickup = pickup
        addresses = [word for address in listen for word in ("-listen", address)]
        where = ("-pickup", pickup) if pickup else ()
        super().__init__([*wrapper, binary, *addresses, *where, *arguments], pass_fds, **environment)
        # The first one, if it is of TCP.
        address = self.first["address"].split(", ")[0].removeprefix("https://")
        host, _, port = address.rpartition(":")
        self.host, self.port = host.strip("[]"), int(port) if port.isdigit() else 0

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT)

    def socket(self) -> socket.socket:
        return socket.create_connection((self.host, self.port), timeout=TIMEOUT)

    def request(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> Answer:
        """One request on a connection of its own. An iterator as `body` is sent in chunks."""
        connection = self.connect()
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def post(self, body: object, path: str = "/messages", **headers: str) -> Answer:
        return self.request("POST", path, body, headers)

    def files(self) -> list[Path]:
        """What stands in the pickup directory, hidden files too."""
        return sorted(self.pickup.iterdir())
