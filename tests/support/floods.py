"""What floods a daemon, and a client that has nothing to do with it."""

import resource
import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Thread

from daemon import Daemon
from peak import peak_of
from raw_http import MESSAGE, head

# The most memory that the daemon may have taken, whatever comes, of which an idle one has so much. A debug build has
# more, since the program itself is five times as large.
LIMIT = 64 << 20
IDLE = 10 << 20


@contextmanager
def many_files() -> Iterator[int]:
    """Lets this process open as many files as it may. Gives how many that are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        yield hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@dataclass
class WellBehaved:
    """Sends one message after the other, each on a connection of its own, from another address than the flood."""

    daemon: Daemon
    headers: dict[str, str] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    # Whether it may be told to come again.
    refused: bool = False

    def post(self, count: int) -> None:
        for _ in range(count):
            begun = time.monotonic()
            self.post_one()
            self.seconds.append(time.monotonic() - begun)

    def post_one(self) -> None:
        fields = [f"{name}: {value}" for name, value in self.headers.items()]
        request = head(f"Content-Length: {len(MESSAGE)}", "Connection: close", *fields) + MESSAGE
        with socket.create_connection((self.daemon.host, self.daemon.port), 30, ("127.0.0.77", 0)) as connection:
            connection.sendall(request)
            answer = b""
            while piece := connection.recv(65_536):
                answer += piece
        is_told = self.refused and answer.startswith(b"HTTP/1.1 503") and b"retry-after: 1\r\n" in answer
        assert is_told or answer.startswith(b"HTTP/1.1 200"), answer[:300]

    def told(self) -> str:
        median = statistics.median(self.seconds) * 1000
        return (
            f"{len(self.seconds)} messages beside it: median {median:.1f} ms, longest {max(self.seconds) * 1000:.0f} ms"
        )


@contextmanager
def beside(daemon: Daemon, *, refused: bool = False, **headers: str) -> Iterator[WellBehaved]:
    """Messages of a well-behaved client while something else goes on; afterwards the memory that the daemon took."""
    client = WellBehaved(daemon, headers, refused=refused)
    client.post(1)
    limit = LIMIT + max(0, peak_of(daemon) - IDLE)
    ends = Event()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            while not ends.is_set():
                client.post(1)
        except BaseException as failure:
            failures.append(failure)

    thread = Thread(target=run)
    thread.start()
    try:
        yield client
    finally:
        ends.set()
        thread.join()
    client.post(20)
    print(f"{peak_of(daemon) / 2**20:.1f} MiB; {client.told()}")
    assert not failures, failures
    assert peak_of(daemon) < limit


def send_all(connection: socket.socket, octets: bytes) -> None:
    """The daemon may answer and close before all is sent."""
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(octets)


def answer_of(connection: socket.socket) -> bytes:
    """All that comes until the connection ends."""
    answer = b""
    with suppress(ConnectionResetError):
        while piece := connection.recv(65_536):
            answer += piece
    return answer


def connections(daemon: Daemon, count: int, stack: ExitStack) -> list[socket.socket]:
    return [stack.enter_context(daemon.socket()) for _ in range(count)]


# ---- frames of HTTP/2 (RFC 9113 section 4.1, 6)

DATA, HEADERS, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 8, 9


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload
