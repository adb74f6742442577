"""What other people's parsers see on a connection: where one request ends and the next begins."""

from dataclasses import dataclass
from pathlib import Path

import h11

from readers.line_process import LineProcess


@dataclass(frozen=True)
class Seen:
    """A whole request."""

    method: str
    target: str
    body: bytes


@dataclass(frozen=True)
class Connection:
    """The whole requests, and whether what follows them is refused."""

    requests: list[Seen]
    refused: bool


class Llhttp(LineProcess):
    """Node's parser."""

    def __init__(self):
        super().__init__("node", str(Path(__file__).with_name("http_judge.mjs")))

    def read(self, sent: bytes) -> Connection:
        seen = self.ask({"stream": sent.hex()})
        requests = [Seen(each["method"], each["target"], bytes.fromhex(each["body"])) for each in seen["requests"]]
        return Connection(requests, seen["refused"])


def seen_by_h11(sent: bytes) -> Connection:
    """What Python's h11 sees, which refuses what RFC 9112 does not allow."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    connection.receive_data(sent)
    connection.receive_data(b"")
    seen: list[Seen] = []
    try:
        while request := whole_request(connection):
            seen.append(request)
            answer(connection)
    # The second where it would go on with another protocol.
    except (h11.RemoteProtocolError, h11.LocalProtocolError):
        return Connection(seen, True)
    return Connection(seen, False)


def whole_request(connection: h11.Connection) -> Seen | None:
    request = connection.next_event()
    if not isinstance(request, h11.Request):
        return None
    body = b""
    while isinstance(event := connection.next_event(), h11.Data):
        body += event.data
    is_whole = isinstance(event, h11.EndOfMessage)
    return Seen(request.method.decode(), request.target.decode(), body) if is_whole else None


def answer(connection: h11.Connection) -> None:
    """So that the next request may come; none does where the connection ends with this one."""
    connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
    connection.send(h11.EndOfMessage())
    if connection.our_state is h11.DONE and connection.their_state is h11.DONE:
        connection.start_next_cycle()
