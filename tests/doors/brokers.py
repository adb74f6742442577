"""Three NATS brokers with JetStream as processes of their own: a cluster that is killed, frozen and begun again."""

import hashlib
import http.client
import json
import platform
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

TIMEOUT = 60
# New brokers have a leader after a third of a second, or, where two have asked for votes at once, after ten seconds.
QUICK = 2
ATTEMPTS = 5
COUNT = 3
PROGRAM = Path(sys.executable).parent / "nats-server"
# Of the program in the wheels of requirements-dev.txt, which are a repack: nobody else vouches for it.
SHA256 = {
    ("Linux", "x86_64"): "dd9b8a99f78955e35108355176d2fe61269efb909698eb9fce3d5d81a70e2bda",
    ("Linux", "aarch64"): "343009a85281846edd8cf8b31227617b5d9ba068b1b09a4821179ea334345d8f",
    ("Darwin", "arm64"): "0f94a43194e5b20d03182ec7484263b8e94331a7033f890a2b2c3c42e043468e",
}
# A broker acknowledges what it has synced: the default syncs every two minutes.
CONFIGURATION = """
server_name: "{name}"
listen: "{address}:{client}"
http: "127.0.0.1:{monitor}"
max_payload: 8MB
jetstream {{ store_dir: "{store}", sync_interval: always, {limit} }}
cluster {{ name: tests, ping_interval: "2s", ping_max: 2, listen: "127.0.0.1:{cluster}", routes: [{routes}] }}
"""


@cache
def program() -> Path:
    """The broker, if it is the one that was looked at."""
    assert PROGRAM.exists(), f"{PROGRAM} is missing: install requirements-dev.txt"
    expected = SHA256[platform.system(), platform.machine()]
    assert hashlib.sha256(PROGRAM.read_bytes()).hexdigest() == expected, f"{PROGRAM} is another program"
    return PROGRAM


def wait_until(is_reached: Callable[[], object], what: str, limit: float = TIMEOUT) -> None:
    """Asks until it is true; a cluster tells nobody when it has changed."""
    end = time.monotonic() + limit
    while not is_reached():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {limit:.0f} s: {what}")
        threading.Event().wait(0.03)


class TakenPortError(Exception):
    """Another process has taken a port meanwhile."""


class Broker:
    """One broker, that keeps its ports and its store over all its lives."""

    def __init__(
        self,
        folder: Path,
        number: int,
        ports: tuple[int, int, int],
        routes: list[int],
        limit: str,
        address: str = "127.0.0.1",
    ):
        self.name = f"n{number}"
        self.client, self.monitor, self.cluster = ports
        self.log = folder / f"{self.name}.log"
        self.configuration = folder / f"{self.name}.conf"
        self.configuration.write_text(
            CONFIGURATION.format(
                name=self.name,
                address=address,
                client=self.client,
                monitor=self.monitor,
                cluster=self.cluster,
                store=folder / self.name,
                limit=limit,
                routes=", ".join(f'"nats://127.0.0.1:{port}"' for port in routes),
            )
        )
        self.process: subprocess.Popen | None = None
        self.is_frozen = False

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [program(), "-c", self.configuration], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """Kills it, frozen or not."""
        if self.process:
            self.process.kill()
            self.process.wait(TIMEOUT)
        self.process, self.is_frozen = None, False

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)
        self.is_frozen = True

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.is_frozen = False

    @property
    def answers(self) -> bool:
        return self.process is not None and not self.is_frozen

    def ask(self, path: str) -> tuple[int, dict]:
        """What it tells of itself: status and document."""
        connection = http.client.HTTPConnection("127.0.0.1", self.monitor, timeout=TIMEOUT)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    @property
    def is_ready(self) -> bool:
        if self.process.poll() is not None:
            log = self.log.read_text(errors="replace")
            raise TakenPortError if "address already in use" in log else RuntimeError(log[-2_000:])
        with suppress(OSError, http.client.HTTPException):
            return self.ask("/healthz")[0] == 200
        return False


class Brokers:
    """A cluster. A context manager that ends each process by its id.

    `limit` is more of the configuration of JetStream, such as `max_file: 1MB`; `address` is where clients come.
    """

    def __init__(self, folder: Path, limit: str = "", address: str = "127.0.0.1"):
        self.folder = folder
        self.limit = limit
        self.address = address
        self.brokers: list[Broker] = []

    def __enter__(self) -> "Brokers":
        for attempt in range(ATTEMPTS):
            try:
                self.begin(self.folder / f"brokers.{attempt}", TIMEOUT if attempt == ATTEMPTS - 1 else QUICK)
                return self
            except (TakenPortError, TimeoutError):
                self.end()
            except BaseException:
                self.end()
                raise
        raise RuntimeError("the brokers do not start")

    def __exit__(self, *_: object) -> None:
        self.end()

    def begin(self, folder: Path, limit: float) -> None:
        folder.mkdir()
        ports = free_ports(3 * COUNT)
        routes = ports[2::3]
        self.brokers = [
            Broker(folder, number, tuple(ports[3 * number : 3 * number + 3]), routes, self.limit, self.address)
            for number in range(COUNT)
        ]
        self.restart_all(limit)

    def end(self) -> None:
        for broker in self.brokers:
            broker.kill()

    @property
    def url(self) -> str:
        return ",".join(f"nats://{self.address}:{broker.client}" for broker in self.brokers)

    # ---- what happens to them

    def kill(self, number: int) -> None:
        self.brokers[number].kill()

    def kill_all(self) -> None:
        self.end()

    def freeze(self, number: int) -> None:
        self.brokers[number].freeze()

    def thaw(self, number: int) -> None:
        """Lets it go on, and waits until it has what it missed: another one that is lost before is one too many."""
        self.brokers[number].thaw()
        self.wait_ready()

    def restart(self, number: int) -> None:
        """Begins it again, killing it if it lives, and waits until it is whole."""
        self.kill(number)
        self.brokers[number].start()
        self.wait_ready()

    def restart_all(self, limit: float = TIMEOUT) -> None:
        self.kill_all()
        for broker in self.brokers:
            broker.start()
        self.wait_ready(limit)

    # ---- what they tell

    def wait_ready(self, limit: float = TIMEOUT) -> None:
        """Until all that live have a leader, and all that they should have."""
        wait_until(
            lambda: all(broker.is_ready for broker in self.brokers if broker.answers), "brokers are ready", limit
        )

    def stream(self, name: str) -> dict | None:
        """What the leader of a stream tells of it, if there is one; which broker that is, is in `number`."""
        for number, broker in enumerate(self.brokers):
            if not broker.answers:
                continue
            with suppress(OSError, http.client.HTTPException):
                status, document = broker.ask("/jsz?accounts=true&streams=true&consumers=true&config=true")
                accounts = document.get("account_details") or [] if status == 200 else []
                for stream in (one for account in accounts for one in account.get("stream_detail") or []):
                    if stream["name"] == name and (stream.get("cluster") or {}).get("leader") == broker.name:
                        return {**stream, "number": number}
        return None

    def leader_of(self, name: str) -> int:
        """Waits until a broker that answers says that it leads the stream."""
        found: list[dict] = []
        wait_until(lambda: found.extend(filter(None, [self.stream(name)])) or found, f"{name} has a leader")
        return found[-1]["number"]

    def messages_in(self, name: str) -> int | None:
        """How many messages are in a stream; none while nobody leads it."""
        stream = self.stream(name)
        return stream and stream["state"]["messages"]

    def wait_for_messages(self, name: str, count: int, limit: float = TIMEOUT) -> None:
        wait_until(lambda: self.messages_in(name) == count, f"{count} messages in {name}", limit)


def free_ports(count: int) -> list[int]:
    """Ports that nobody had a moment ago: brokers have to know each other's before they start."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
