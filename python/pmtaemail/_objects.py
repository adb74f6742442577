"""Python's own kinds of objects, as the few kinds that JSON has, and bytes."""

import dataclasses
import datetime
import enum
import functools
import io
import numbers
import os
import uuid
from collections import UserString
from collections.abc import AsyncIterable, Awaitable, Collection, Iterable, Mapping
from decimal import Decimal
from email.generator import BytesGenerator
from email.headerregistry import Address
from email.message import Message
from email.policy import Policy
from pathlib import Path
from typing import Any, Unpack

from .errors import Problem
from .types import Attachment

NAN = float("nan")


@dataclasses.dataclass(frozen=True, slots=True)
class Rejected:
    """A recipient of a mail merge who gets nothing, because it breaks a rule and `invalid_recipients` is `"skip"`."""

    index: int
    """The index of the recipient, counted from 0 in the given order."""
    pointer: str
    """Where the first rule is broken: a JSON Pointer (RFC 6901) into the message."""
    code: str
    """The frozen word of that rule, as of a `Problem`."""


@dataclasses.dataclass(frozen=True, slots=True)
class RecipientReceipt:
    """The identifiers of one recipient's message of a mail merge."""

    index: int
    """The index of the recipient, counted from 0 in the given order."""
    envid: str
    """The envelope ID, which bounces and accounting contain: given, or generated."""
    message_id: str
    """The Message-ID without angle brackets."""


@dataclasses.dataclass(frozen=True, slots=True)
class Receipt:
    """The result of submitting a message."""

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
    rejected: tuple[Rejected, ...] | None = None
    """For a mail merge with `invalid_recipients="skip"`, who gets nothing; they are in neither of the above."""
    recipient_receipts: Collection[RecipientReceipt] = dataclasses.field(default=(), repr=False, compare=False)
    """For a mail merge, what each recipient's message is known by. Made when it is iterated over: a million of them
    take no memory. They are not in `asdict`."""
    seeds: int | None = None
    """For a mail merge with `seeds`, how many different ones got a copy. They are no recipients."""
    replayed: bool = dataclasses.field(default=False, compare=False)
    """It was already submitted with the same idempotency key, and was not submitted again."""
    warnings: tuple[Problem, ...] | None = None
    """What breaks no rule in the message and may not be meant; None where `warnings=True` did not ask."""

    def asdict(self) -> dict[str, Any]:
        """The receipt with the names and types that it has in JSON."""
        found = {
            "id": self.id,
            "messageId": self.message_id,
            "files": list(self.files),
            "recipients": self.recipients,
            "seeds": self.seeds,
            "octets": self.octets,
            "replayed": self.replayed or None,
            "envids": None if self.envids is None else list(self.envids),
            "rejected": None if self.rejected is None else [dataclasses.asdict(rejected) for rejected in self.rejected],
            "warnings": None if self.warnings is None else [warning._asdict() for warning in self.warnings],
        }
        return {name: value for name, value in found.items() if value is not None}


def attachment(path: str | os.PathLike[str], /, **fields: Unpack[Attachment]) -> Attachment:
    """Reads the file at `path` as an attachment with its name; `fields`, such as `cid="logo"`, are added.

    Raises `OSError` where it cannot be read.

    >>> import pathlib, pmtaemail, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp(), "report.pdf")
    >>> file.write_bytes(b"%PDF-1.7")
    8
    >>> pmtaemail.attachment(file, disposition="inline")
    {'filename': 'report.pdf', 'content': b'%PDF-1.7', 'disposition': 'inline'}
    """
    file = Path(path)
    found: Attachment = {"filename": file.name, "content": file.read_bytes()}
    return found | fields


def plain(value: object) -> object:
    """The str, bytes, dict, list or number that `value` stands for. Called for all that is none of these itself."""
    match value:
        case enum.Enum():
            return value.value
        case datetime.date() | datetime.time():
            # One without an offset is a problem of the message's own dates, which is reported with its place. pandas'
            # NaT, which is a datetime, is not equal to itself.
            return value.isoformat() if value == value else NAN
        case Decimal():
            # As it is written: 19.90 is a price. What is no number is none for the message either.
            return str(value) if value.is_finite() else NAN
        case object(dtype=_, shape=()):
            return scalar(value)
        case object() if type(value).__name__ == "NAType":
            # That of pandas.
            return NAN
        case uuid.UUID() | UserString() | object(casefold=_):
            # With a method of `str` it is a text, such as a lazy translation, and no list of letters.
            return str(value)
        case numbers.Integral():
            return int(value)
        case numbers.Real():
            return float(value)
        case bytearray() | memoryview():
            return bytes(value)
        case os.PathLike():
            # Some are bytes, which must not be taken for a file's content.
            return os.fsdecode(value)
        case Address():
            return str(value)
        case Message():
            return {"raw": flat(value)}
        case Mapping():
            return dict(value.items())
        case object(keys=names, __getitem__=_) if callable(names):
            # What `dict` takes for a mapping, such as a row of sqlite3.
            return {name: value[name] for name in names()}
        case object(model_dump=dump) if callable(dump) and not isinstance(value, type):
            # A model of pydantic.
            return dump()
        case object(read=read) if callable(read):
            raise TypeError(f"{kind(value)} is a stream, which is not read here: give its contents, `.read()`")
        case AsyncIterable() | Awaitable():
            raise TypeError(
                f"{kind(value)} is asynchronous: await it first; AsyncPickup takes async iterables as `recipients` and"
                " as the list of messages"
            )
        case Iterable():
            return list(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    raise TypeError(
        f"a message cannot contain {kind(value)}: give text, bytes, a number, a date, a mapping or an iterable"
    )


def kind(value: object) -> str:
    return f"an object of type {type(value).__qualname__}"


def scalar(value: Any) -> object:
    """The Python value of one of numpy."""
    match value.dtype.kind:
        case "f":
            # Of 32 bits it is another number when it is widened: 19.9 would be 19.899999618530273.
            return float(str(value)) if value.itemsize <= 8 else Decimal(str(value))
        case "M":
            return str(value) if value == value else NAN
    return value.item()


def flat(message: Message) -> bytes:
    """The message in the form of the wire, by its own policy."""
    kind = wire_policy(type(message.policy))
    policy = kind.__new__(kind)
    # As `clone` does, which makes no policy of another class.
    vars(policy).update(vars(message.policy) | {"linesep": "\r\n"})
    out = io.BytesIO()
    BytesGenerator(out, mangle_from_=False, policy=policy).flatten(message)
    return out.getvalue()


class WireFolding:
    """For a policy of the standard library: a word that is too long for a line stays whole, after the field's name.

    The standard library encodes it, but RFC 2047 (section 5) allows no encoded words in URLs and identifiers, and
    nobody decodes them there; or it leaves the first line empty, which confuses some readers. A line may have 998
    bytes.
    """

    def fold_binary(self, name: str, value: str) -> bytes:
        folded: bytes = super().fold_binary(name, value)  # type: ignore[misc]
        text = str(value)
        is_encoded = b"=?" in folded and "=?" not in text and text.isascii()
        if not is_encoded and not folded.startswith(f"{name}: \r\n".encode()):
            return folded
        wide: WireFolding = self.clone(max_line_length=998)  # type: ignore[attr-defined]
        return super(WireFolding, wide).fold_binary(name, value)  # type: ignore[misc, no-any-return]


@functools.cache
def wire_policy(policy: type[Policy]) -> type[Policy]:
    return type(policy.__name__, (WireFolding, policy), {})


def several(messages: Iterable[Any]) -> list[Any]:
    """The messages of an iterable. An error of the iterable itself comes before anything is done with them."""
    if isinstance(messages, (str, bytes, bytearray, memoryview, Mapping, Message)) or hasattr(messages, "casefold"):
        raise TypeError(f"submit_many takes an iterable of messages; {kind(messages)} is one, and for submit")
    if isinstance(messages, AsyncIterable):
        raise TypeError("an async iterable of messages is for AsyncPickup.submit_many")
    return list(messages)


def joined(message: object | None, fields: Mapping[str, object] | None) -> object:
    """The message with the fields that were given as keywords."""
    if message is None:
        raise TypeError("a message is missing: give a dict, JSON, or the fields as keywords")
    if not isinstance(message, (str, bytes, dict)):
        message = plain(message)
    if not isinstance(message, dict):
        raise TypeError("fields can be added to a dict, not to JSON")
    return {**message, **(fields or {})}
