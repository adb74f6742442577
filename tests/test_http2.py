"""HTTP/2 without TLS: the answers of HTTP/1.1, and a clean end."""

import json
import signal

from curl import curl
from daemon import Daemon
from raw_http import BAD, MESSAGE


def test_http2_is_served_by_prior_knowledge(daemon: Daemon):
    url = f"{daemon.url}/messages"
    large = json.dumps({**json.loads(MESSAGE), "text": "x" * 5_000_000}).encode()
    for body in MESSAGE, large:
        version, status, answer = curl(url, "--data-binary", "@-", body=body)
        assert (version, status) == ("2", 200)
        (file,) = json.loads(answer)["files"]
        assert (daemon.pickup / file).stat().st_size > len(body) / 2
    version, status, answer = curl(f"{url}/render", "--data-binary", "@-", body=large)
    assert (version, status) == ("2", 200)
    assert answer.count(b"x") >= 5_000_000
    assert len(daemon.files()) == 2


def test_http2_has_the_same_answers(start_daemon):
    daemon = start_daemon("-body-limit", "1000")
    for path, body, expected in [
        ("/messages", BAD, 422),
        ("/messages", b"{", 400),
        ("/messages", b" " * 1001, 413),
        ("/messages", b" " * 5_000_000, 413),
        ("/elsewhere", MESSAGE, 404),
        ("/health", MESSAGE, 405),
    ]:
        version, status, answer = curl(daemon.url + path, "--data-binary", "@-", body=body)
        assert (version, status) == ("2", expected)
        assert json.loads(answer)["status"] == expected
    # The head of a request may have 64 KiB, as in HTTP/1.1.
    assert curl(f"{daemon.url}/health", "--header", f"X-Long: {'x' * 60_000}")[1] == 200
    assert daemon.files() == []


def test_an_idle_http2_connection_does_not_hold_up_the_end(daemon: Daemon):
    settings, acknowledgement = b"\0\0\0\x04\0\0\0\0\0", b"\0\0\0\x04\x01\0\0\0\0"
    with daemon.socket() as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings + acknowledgement)
        stream = connection.makefile("rb")

        def read_frame() -> tuple[int, bytes]:
            frame = stream.read(9)
            return frame[3], stream.read(int.from_bytes(frame[:3], "big"))

        while (frame := read_frame())[0] != 4 or not frame[1]:
            pass
        daemon.signal(signal.SIGTERM)
        while (frame := read_frame())[0] != 6:
            pass
        # The client acknowledges the ping that comes with the GOAWAY, and that is all.
        connection.sendall(b"\0\0\x08\x06\x01\0\0\0\0" + frame[1])
        assert daemon.wait() == 0
    assert daemon.entries()[-1]["event"] == "stopped"
    assert "abandoned" not in daemon.entries()[-1]


def test_bodies_that_wait_leave_room_for_others(daemon: Daemon):
    """A connection has 65,535 octets and what WINDOW_UPDATE adds, streams what SETTINGS say (RFC 9113, 6.9.2)."""
    with daemon.socket() as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0")
        stream = connection.makefile("rb")
        of_stream = of_connection = None
        while of_stream is None or of_connection is None:
            head = stream.read(9)
            payload = stream.read(int.from_bytes(head[:3], "big"))
            if head[3] == 4 and payload:
                settings = [payload[start : start + 6] for start in range(0, len(payload), 6)]
                (of_stream,) = [int.from_bytes(one[2:], "big") for one in settings if one[:2] == b"\0\x04"]
            elif head[3] == 8 and head[5:] == b"\0\0\0\0":
                of_connection = 65_535 + int.from_bytes(payload, "big")
        assert of_connection >= 16 * of_stream
