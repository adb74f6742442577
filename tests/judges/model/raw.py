"""A finished message that is sent as it is."""

import base64
import re
from email.utils import getaddresses

from readers import normal_address

from .names import members

FIELD = re.compile(rb"(?im)^(from|to|cc|bcc):((?:.*\r\n)(?:[ \t].*\r\n)*)")


def octets(value: object) -> bytes:
    """The given octets with CRLF at the end of every line, and an empty line after the header section."""
    parts = {"content": value} if isinstance(value, str) else members(value)
    content = parts["content"]
    given = base64.b64decode(content) if parts.get("encoding") == "base64" else content.encode()
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", given)
    lines = lines if lines.endswith(b"\r\n") else lines + b"\r\n"
    return lines if b"\r\n\r\n" in lines else lines + b"\r\n"


def split(message: bytes) -> tuple[bytes, bytes]:
    """The header section and what follows it."""
    end = message.find(b"\r\n\r\n") + 2
    return (message[:end], message[end:]) if end > 1 else (message, b"")


def mailboxes(message: bytes, *names: str) -> list[tuple[str, str]]:
    """(name, address) of the fields called so, in the order of `names`; groups taken apart."""
    found = []
    for name in names:
        bodies = [field[2].decode() for field in FIELD.finditer(split(message)[0]) if field[1].lower() == name.encode()]
        bodies = [re.sub(r"^\s*[\w ]+:(?!.*:.*\])|;\s*$", "", body) for body in bodies]
        found += [(shown, normal_address(address)) for shown, address in getaddresses(bodies) if address]
    return found


def without_bcc(message: bytes) -> bytes:
    head, rest = split(message)
    return FIELD.sub(lambda field: b"" if field[1].lower() == b"bcc" else field[0], head) + rest
