"""What systemd is told: readiness, the end, and the watchdog's signs of life (sd_notify(3))."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from daemon import TIMEOUT


class Manager:
    """The socket on which systemd listens."""

    def __init__(self, path: Path):
        self.path = str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(TIMEOUT)

    def told(self) -> list[str]:
        """The assignments of the next datagram."""
        return self.socket.recv(4096).decode().splitlines()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(tmp_path / "notify")
    with manager.socket:
        yield manager


def test_ready_when_it_listens_and_stopping_when_it_stops(start_daemon: Callable, manager: Manager):
    daemon = start_daemon(NOTIFY_SOCKET=manager.path)
    assert manager.told() == ["READY=1", f"STATUS=listening on {daemon.host}:{daemon.port}"]
    assert daemon.request("GET", "/health").status == 200
    daemon.signal(signal.SIGTERM)
    assert manager.told() == ["STOPPING=1"]
    assert daemon.wait() == 0


def test_nobody_is_told_of_a_start_that_failed(run: Callable, manager: Manager, tmp_path: Path):
    environment = {**os.environ, "NOTIFY_SOCKET": manager.path}
    done = run("serve", "--pickup", tmp_path / "missing", env=environment)
    assert done.returncode == 73
    manager.socket.settimeout(0)
    with pytest.raises(BlockingIOError):
        manager.told()


def test_the_watchdog_is_fed_until_the_end(start_daemon: Callable, manager: Manager):
    daemon = start_daemon(NOTIFY_SOCKET=manager.path, WATCHDOG_USEC="200000")
    told = [manager.told() for _ in range(6)]
    assert ["READY=1", f"STATUS=listening on {daemon.host}:{daemon.port}"] in told
    assert told.count(["WATCHDOG=1"]) == 5
    # While it drains it is alive as well.
    with daemon.socket() as connection:
        connection.sendall(b"POST /messages HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n")
        # It has to know of the request before it ends.
        assert connection.recv(4096).startswith(b"HTTP/1.1 100 ")
        daemon.signal(signal.SIGTERM)
        while manager.told() != ["STOPPING=1"]:
            pass
        assert manager.told() == ["WATCHDOG=1"]
    assert daemon.wait() == 0


@pytest.mark.parametrize("environment", [{}, {"WATCHDOG_USEC": "200000", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "0"}])
def test_without_a_watchdog_nothing_is_fed(start_daemon: Callable, manager: Manager, environment: dict):
    daemon = start_daemon(NOTIFY_SOCKET=manager.path, **environment)
    assert manager.told()[0] == "READY=1"
    assert daemon.request("GET", "/health").status == 200
    daemon.signal(signal.SIGTERM)
    assert manager.told() == ["STOPPING=1"]


def test_a_manager_that_is_gone_stops_nothing(start_daemon: Callable, tmp_path: Path):
    daemon = start_daemon(NOTIFY_SOCKET=str(tmp_path / "missing"))
    daemon.wait_for_event("notify_failed")
    assert daemon.request("GET", "/health").status == 200
    assert daemon.stop() == 0
