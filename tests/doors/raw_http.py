"""HTTP requests spelled out octet by octet, for what a client library will not send."""

import socket
from dataclasses import dataclass

MESSAGE = b'{"from":"ann@example.com","to":"bo@example.org","text":"Hello."}'
# Its second recipient is no address.
BAD = b'{"from":"ann@example.com","to":["bo@example.org","nobody"]}'


@dataclass(frozen=True)
class RawAnswer:
    status: int
    headers: dict[str, str]
    body: bytes


def head(*fields: str, method: str = "POST", path: str = "/messages") -> bytes:
    """A request head with a Host field and `fields`."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *fields, "", ""]
    return "\r\n".join(lines).encode()


def read_answer(connection: socket.socket) -> RawAnswer:
    """One answer with a Content-Length, and not an octet more."""
    stream = connection.makefile("rb", buffering=0)
    lines = []
    while (line := read_line(stream)) != b"\r\n":
        assert line.endswith(b"\r\n"), "the connection ended within the head of an answer"
        lines.append(line.decode("ascii").rstrip())
    fields = (line.partition(":") for line in lines[1:])
    headers = {name.lower(): value.strip() for name, _, value in fields}
    body = b""
    while len(body) < int(headers["content-length"]):
        piece = stream.read(int(headers["content-length"]) - len(body))
        assert piece, "the connection ended within the body of an answer"
        body += piece
    return RawAnswer(int(lines[0].split(" ")[1]), headers, body)


def read_line(stream) -> bytes:
    """A line without a look ahead, so that the next answer stays where it is."""
    line = b""
    while not line.endswith(b"\n") and (octet := stream.read(1)):
        line += octet
    return line


def exchange(connection: socket.socket, octets: bytes) -> RawAnswer:
    connection.sendall(octets)
    return read_answer(connection)
