"""What a reader makes of a message, in terms that all readers share."""

import hashlib
from dataclasses import dataclass, field

import idna


@dataclass(frozen=True)
class Attachment:
    """A part that is no body: its octets by their SHA-256."""

    name: str | None
    media_type: str
    sha256: str


@dataclass
class Reading:
    """The parts of a message that a person, or a program, acts on.

    `fields` are the names of all header fields in order, in lower case. `addresses` hold (name, address) of each
    address field. Line ends in `bodies` are LF, and one line end at the very end does not count: a message cannot say
    that it has none.
    """

    fields: list[str]
    subject: str | None
    addresses: dict[str, list[tuple[str, str]]]
    message_id: str | None
    bodies: dict[str, str]
    attachments: list[Attachment] = field(default_factory=list)


def normal_body(text: str) -> str:
    """A body with LF line ends, without the last one."""
    return text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")


def normal_address(address: str) -> str:
    """An addr-spec with its domain as A-labels in lower case: some readers show U-labels."""
    local, at, domain = address.rpartition("@")
    if domain.isascii():
        return local + at + domain.lower()
    return local + at + idna.encode(domain, uts46=True).decode()


def digest(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()


ADDRESS_FIELDS = ("from", "sender", "reply-to", "to", "cc", "bcc")
