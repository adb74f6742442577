"""Where there is no room for another connection, an idle one gives way to it at once, and no more than one."""

import time
from collections.abc import Callable

from daemon import TIMEOUT
from raw_http import MESSAGE, exchange, head

REQUEST = head(f"Content-Length: {len(MESSAGE)}") + MESSAGE
LIVE = head(method="GET", path="/health/live")


def is_open(connection) -> bool:
    """Whether it still answers."""
    try:
        return exchange(connection, LIVE).status == 200
    except (AssertionError, OSError):
        return False


def test_one_idle_connection_gives_way_to_a_new_one(start_daemon: Callable):
    daemon = start_daemon("--max-connections", "3")
    before = [daemon.socket() for _ in range(3)]
    assert all(exchange(connection, REQUEST).status == 200 for connection in before)
    with daemon.socket() as new:
        assert exchange(new, REQUEST).status == 200
        # The others go on; each of them, asked, takes a place that it has already.
        assert sorted(is_open(connection) for connection in before) == [False, True, True]
        assert is_open(new)
    for connection in before:
        connection.close()


def test_who_comes_does_not_wait_for_those_who_are_idle(start_daemon: Callable):
    """Each leaves an idle connection behind that is some milliseconds old."""
    daemon = start_daemon("--max-connections", "2", "--durability", "none")
    begin = time.monotonic()
    connections = []
    for _ in range(100):
        connections.append(daemon.socket())
        assert exchange(connections[-1], REQUEST).status == 200
    # Half a second for each would be 49.
    assert time.monotonic() - begin < 20
    for connection in connections:
        connection.close()


def test_who_is_at_work_does_not_give_way(start_daemon: Callable):
    daemon = start_daemon("--max-connections", "2")
    with daemon.socket() as busy, daemon.socket() as idle:
        # Its body comes in part.
        busy.sendall(REQUEST[:-5])
        assert exchange(idle, LIVE).status == 200
        with daemon.socket() as new:
            assert exchange(new, LIVE).status == 200
            assert not is_open(idle)
            assert exchange(busy, REQUEST[-5:]).status == 200


def test_a_silent_connection_gives_way_when_it_has_had_its_time(start_daemon: Callable):
    daemon = start_daemon("--max-connections", "1", "--header-timeout", f"{TIMEOUT}s")
    with daemon.socket() as silent, daemon.socket() as new:
        assert exchange(new, LIVE).status == 200
        assert silent.recv(1) == b""
