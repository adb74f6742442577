"""Malformed HTTP/2 requests hand nothing over, and the daemon goes on."""

import socket
from collections.abc import Iterator
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import pytest

from daemon import TIMEOUT, Daemon
from raw_http import MESSAGE

Fields = list[tuple[str, str]]
HEAD: Fields = [(":method", "POST"), (":scheme", "http"), (":authority", "localhost"), (":path", "/messages")]
LENGTH = ("content-length", str(len(MESSAGE)))


@pytest.fixture(scope="module")
def serving(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(binary, tmp_path_factory.mktemp("pickup"), "--durability", "none") as daemon:
        yield daemon


def status_of(daemon: Daemon, fields: Fields, body: bytes = MESSAGE, trailers: Fields | None = None) -> str:
    """The status, or that the stream or the connection is ended without one."""
    config = h2.config.H2Configuration(
        header_encoding="latin-1",
        validate_outbound_headers=False,
        normalize_outbound_headers=False,
        validate_inbound_headers=False,
    )
    client = h2.connection.H2Connection(config)
    client.initiate_connection()
    client.send_headers(1, fields)
    client.send_data(1, body, end_stream=trailers is None)
    if trailers is not None:
        client.send_headers(1, trailers, end_stream=True)
    with daemon.socket() as connection:
        connection.settimeout(TIMEOUT)
        connection.sendall(client.data_to_send())
        return answer(client, connection)


def answer(client: h2.connection.H2Connection, connection: socket.socket) -> str:
    while received := connection.recv(65_536):
        for event in client.receive_data(received):
            if isinstance(event, h2.events.ResponseReceived):
                return dict(event.headers)[":status"]
            if isinstance(event, h2.events.StreamReset | h2.events.ConnectionTerminated):
                return f"error {int(event.error_code)}"
    return "the end"


def test_what_is_right_is_taken(daemon: Daemon):
    for fields in HEAD, [*HEAD, LENGTH], [*HEAD, ("host", "localhost")], [*HEAD, ("te", "trailers")]:
        assert status_of(daemon, fields) == "200"
    assert status_of(daemon, HEAD, trailers=[("x-trailer", "a")]) == "200"
    assert len(daemon.files()) == 5


REFUSED: dict[str, Fields] = {
    "a length that is too small": [*HEAD, ("content-length", str(len(MESSAGE) - 1))],
    "a length that is too large": [*HEAD, ("content-length", str(len(MESSAGE) + 1))],
    "two lengths": [*HEAD, LENGTH, ("content-length", "5")],
    "a length that is none": [*HEAD, ("content-length", "+5")],
    "chunks": [*HEAD, ("transfer-encoding", "chunked")],
    "a connection": [*HEAD, ("connection", "keep-alive")],
    "te": [*HEAD, ("te", "gzip")],
    "large letters": [*HEAD, ("X-Large", "a")],
    "CRLF in a value": [*HEAD, ("x-a", "b\r\ncontent-length: 5")],
    "LF in a value": [*HEAD, ("x-a", "b\nc")],
    "NUL in a value": [*HEAD, ("x-a", "b\0c")],
    "a colon in a name": [*HEAD, ("x:a", "b")],
    "a blank in a name": [*HEAD, ("x a", "b")],
    "CRLF in a name": [*HEAD, ("x\r\na", "b")],
    "CRLF in the path": [*HEAD[:3], (":path", "/messages HTTP/1.1\r\nX: y")],
    "a blank in the path": [*HEAD[:3], (":path", "/messages x")],
    "no path": HEAD[:3],
    "an empty path": [*HEAD[:3], (":path", "")],
    "two paths": [*HEAD, (":path", "/health")],
    "no method": HEAD[1:],
    "two methods": [*HEAD, (":method", "GET")],
    "no scheme": [HEAD[0], *HEAD[2:]],
    "an unknown pseudo-header": [*HEAD, (":unknown", "a")],
    "a status": [*HEAD, (":status", "200")],
    "a pseudo-header behind another field": [*HEAD[:3], ("x-a", "b"), HEAD[3]],
    "another host": [*HEAD, ("host", "elsewhere")],
    "two hosts": [*HEAD, ("host", "localhost"), ("host", "localhost")],
    "two authorities": [*HEAD, (":authority", "elsewhere")],
    "no host": [*HEAD[:2], HEAD[3]],
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_doubtful_is_refused(serving: Daemon, name: str):
    status = status_of(serving, REFUSED[name])
    assert status.startswith(("4", "error", "the end")), status
    assert serving.files() == []
    assert status_of(serving, [*HEAD[:3], (":path", "/messages/check")]) == "200"


@pytest.mark.parametrize("trailer", [("transfer-encoding", "chunked"), ("X-Large", "a"), ("content-length", "5\r\n")])
def test_doubtful_trailers_are_refused(serving: Daemon, trailer: tuple[str, str]):
    status = status_of(serving, HEAD, trailers=[trailer])
    assert status.startswith(("4", "error", "the end")), status
    assert serving.files() == []


def test_a_pseudo_header_after_the_body_has_no_effect(daemon: Daemon):
    """It makes the request malformed (RFC 9113 section 8.1), which the library h2 does not say."""
    assert status_of(daemon, HEAD, trailers=[(":path", "/health")]) == "200"
    assert len(daemon.files()) == 1


def test_a_field_that_is_said_again_and_again_by_its_number(serving: Daemon):
    """An HPACK bomb: each octet stands for a field of 4,000."""
    status = status_of(serving, [*HEAD, *[("x-a", "b" * 4_000)] * 5_000])
    assert status.startswith(("431", "error", "the end")), status
    assert serving.files() == []
