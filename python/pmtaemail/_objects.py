"""Python's own kinds of objects, as the few kinds that JSON has, and bytes."""

import dataclasses
import datetime
import enum
import io
import numbers
import os
import uuid
from collections.abc import Iterable, Mapping
from decimal import Decimal
from email.generator import BytesGenerator
from email.headerregistry import Address
from email.message import Message
from email.utils import format_datetime, localtime, make_msgid, parseaddr
from pathlib import Path
from typing import Any, Unpack

from .types import Attachment


@dataclasses.dataclass(frozen=True, slots=True)
class Receipt:
    """What a message became in the pickup directory."""

    id: str
    """Unique, and sorts by time."""
    message_id: str | None
    """The Message-ID without angle brackets; None for a mail merge, each message of which has its own."""
    files: tuple[str, ...]
    """The names of the files in the pickup directory."""
    recipients: int
    """How many different recipients."""
    octets: int
    """The size of all files."""
    envids: tuple[str | None, ...] | None = None
    """For a mail merge, the envelope ids of the recipients in their order, None where one was given."""

    def asdict(self) -> dict[str, Any]:
        """The receipt with the names and types that it has in JSON."""
        found = {
            "id": self.id,
            "messageId": self.message_id,
            "files": list(self.files),
            "recipients": self.recipients,
            "octets": self.octets,
            "envids": None if self.envids is None else list(self.envids),
        }
        return {name: value for name, value in found.items() if value is not None}


def attachment(path: str | os.PathLike[str], /, **fields: Unpack[Attachment]) -> Attachment:
    """The file at `path` as an attachment, with its name; `fields` (such as `cid="logo"`) are added."""
    file = Path(path)
    found: Attachment = {"filename": file.name, "content": file.read_bytes()}
    return found | fields


def plain(value: object) -> object:
    """The str, bytes, dict, list or number that `value` stands for. Called for all that is none of these itself."""
    match value:
        case enum.Enum():
            return value.value
        case datetime.date() | datetime.time():
            # One without an offset is a problem of the message's own dates, which is reported with its place.
            return value.isoformat()
        case Decimal():
            # As it is written: 19.90 is a price. What is no number is none for the message either.
            return str(value) if value.is_finite() else float("nan")
        case uuid.UUID():
            return str(value)
        case numbers.Integral():
            return int(value)
        case numbers.Real():
            return float(value)
        case bytearray() | memoryview():
            return bytes(value)
        case os.PathLike():
            return os.fspath(value)
        case Address():
            return str(value)
        case Message():
            return {"raw": octets(value)}
        case Mapping():
            return dict(value.items())
        case object(keys=names, __getitem__=_) if callable(names):
            # What `dict` takes for a mapping, such as a row of sqlite3.
            return {name: value[name] for name in names()}
        case Iterable():
            return list(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    raise TypeError(f"a message cannot hold an object of type {type(value).__qualname__}")


def octets(message: Message) -> bytes:
    """The message as it is sent, with the Date and the Message-ID that it must have."""
    added = ""
    if "Date" not in message:
        added += f"Date: {format_datetime(localtime())}\r\n"
    if "Message-ID" not in message:
        domain = parseaddr(str(message["From"]))[1].rpartition("@")[2]
        added += f"Message-ID: {make_msgid(domain=domain)}\r\n"
    return added.encode() + flat(message)


def flat(message: Message) -> bytes:
    """The message in the form of the wire, by its own policy."""
    out = io.BytesIO()
    BytesGenerator(out, mangle_from_=False, policy=message.policy.clone(linesep="\r\n")).flatten(message)
    return out.getvalue()


def joined(message: object | None, fields: Mapping[str, object] | None) -> object:
    """The message with the fields that were given as keywords."""
    if message is None:
        raise TypeError("a message is missing: give a dict, JSON, or the fields as keywords")
    if not isinstance(message, (str, bytes, dict)):
        message = plain(message)
    if not isinstance(message, dict):
        raise TypeError("fields can be added to a dict, not to JSON")
    return {**message, **(fields or {})}
