"""Messages for very many: the JSON, the same as lines of JSON, and a quick look at what came of it."""

import email
import json
import re
from collections.abc import Iterable, Iterator
from email.header import decode_header, make_header

from pickup_reader import PickupFile

HEAD = {
    "from": "Shop <shop@example.com>",
    "subject": "Hello {{ name }}",
    "text": "Dear {{ name }} of {{ city | default: 'nowhere' }},\n\nyour number is {{ number }}.\n",
    "template": "merge",
    "variables": {"city": "Oslo"},
}
# With these, and an envelope id of its own for each recipient, the same merge gives the same octets.
FIXED = {**HEAD, "date": "2026-01-15T09:30:00Z", "messageId": "m{{ number }}@example.com"}
CHUNK = 64 * 1024


def recipient(number: int, **fields: object) -> dict:
    name = f"Name {number}" if number % 3 else f"Ånd «{number}»"
    return {
        "name": name,
        "address": f"r{number}@example.org",
        "variables": {"name": name, "number": number},
        **fields,
    }


def crowd(count: int) -> list[dict]:
    """Recipients whose envelope ids are made for them."""
    return [recipient(number) for number in range(count)]


def known_crowd(count: int) -> list[dict]:
    """Recipients with an envelope id each."""
    return [recipient(number, envid=f"e{number}") for number in range(count)]


def as_json(head: dict, recipients: list) -> bytes:
    return json.dumps({**head, "recipients": recipients}).encode()


def as_lines(head: dict, recipients: Iterable) -> bytes:
    return b"".join(json.dumps(item).encode() + b"\n" for item in (head, *recipients))


def json_pieces(head: dict, recipients: Iterable[dict]) -> Iterator[bytes]:
    """The JSON piece by piece, `recipients` last; it never stands whole in memory."""
    start = json.dumps(head).removesuffix("}") + ', "recipients": ['
    return gathered(start, (("," if at else "") + json.dumps(item) for at, item in enumerate(recipients)), "]}")


def line_pieces(head: dict, recipients: Iterable[dict]) -> Iterator[bytes]:
    return gathered(json.dumps(head) + "\n", (json.dumps(item) + "\n" for item in recipients), "")


def gathered(start: str, items: Iterable[str], end: str) -> Iterator[bytes]:
    piece = start
    for item in items:
        piece += item
        if len(piece) > CHUNK:
            yield piece.encode()
            piece = ""
    yield (piece + end).encode()


def assert_right(files: list[PickupFile], recipients: list[dict]) -> None:
    """Every recipient gets its own message, in the order given."""
    sent = [expansion for file in files for expansion in file.expansions]
    assert len(sent) == len(recipients)
    for expansion, given in zip(sent, recipients, strict=True):
        name, number = given["variables"]["name"], given["variables"]["number"]
        message = email.message_from_bytes(expansion.message)
        assert expansion.recipient == given["address"]
        assert str(make_header(decode_header(re.sub("\r\n", "", message["to"])))) in (
            f"{name} <{given['address']}>",
            f'"{name}" <{given["address"]}>',
        )
        assert str(make_header(decode_header(re.sub("\r\n", "", message["subject"])))) == f"Hello {name}"
        assert message.get_payload(decode=True).decode().splitlines() == [
            f"Dear {name} of Oslo,",
            "",
            f"your number is {number}.",
        ]
