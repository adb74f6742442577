"""What a client does not send costs others nothing."""

import http.client
import selectors
from contextlib import ExitStack

from daemon import TIMEOUT, Daemon
from raw_http import MESSAGE, head, read_answer


def post_from(daemon: Daemon, address: str) -> int:
    connection = http.client.HTTPConnection(daemon.host, daemon.port, timeout=TIMEOUT, source_address=(address, 0))
    connection.request("POST", "/messages", MESSAGE)
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_thousand_bodies_that_do_not_come_stop_nobody(start_daemon):
    # Their time would be over long after the test.
    daemon = start_daemon("--body-timeout", "1h")
    with ExitStack() as stack:
        waiting = [stack.enter_context(daemon.socket()) for _ in range(1_100)]
        for connection in waiting:
            connection.sendall(head("Content-Length: 100") + b"{")
        for address in ("127.0.0.1", "127.0.0.2"):
            assert [post_from(daemon, address) for _ in range(3)] == [200] * 3
        # Those that were too many are told: which ones depends on the order in which threads came to them.
        with selectors.DefaultSelector() as answered:
            for connection in waiting:
                answered.register(connection, selectors.EVENT_READ)
            told = answered.select(TIMEOUT)
        assert told
        assert {read_answer(key.fileobj).status for key, _ in told} == {503}
    assert len(daemon.files()) == 6


def test_bytes_of_bodies_that_do_not_come_stop_nobody(start_daemon):
    daemon = start_daemon("--body-timeout", "1h", "--body-limit", "1MiB", "--max-bytes-in-flight", "4MiB")
    with ExitStack() as stack:
        waiting = [stack.enter_context(daemon.socket()) for _ in range(4)]
        fields = ("Content-Type: message/rfc822", f"Content-Length: {1 << 20}", "Expect: 100-continue")
        for connection in waiting:
            connection.sendall(head(*fields))
            assert connection.recv(65_536).startswith(b"HTTP/1.1 100 ")
            # All but one byte.
            connection.sendall(b"x" * ((1 << 20) - 1))
        # The bytes are taken as they are read; that takes the daemon a moment.
        assert [post_from(daemon, "127.0.0.2") for _ in range(20)] == [200] * 20
