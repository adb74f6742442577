"""What a reader makes of a message, in terms that all readers share."""

import hashlib
from dataclasses import dataclass, field

import idna


class Octets(bytes):
    """Octets that show themselves in short."""

    def __repr__(self) -> str:
        return (
            f"<{len(self)} octets, {hashlib.sha256(self).hexdigest()[:8]}, {bytes(self[:20])!r}..{bytes(self[-20:])!r}>"
        )


@dataclass(frozen=True)
class Attachment:
    """A part that is neither the text nor the html body.

    `parameters` are those of its media type but for `name`; None where a reader does not show them.
    """

    name: str | None
    media_type: str
    content: Octets
    cid: str | None = None
    disposition: str | None = None
    parameters: dict[str, str] | None = field(default_factory=dict, hash=False)


@dataclass
class Reading:
    """The parts of a message that a person, or a program, acts on.

    `fields` are the names of all header fields in order, in lower case. `addresses` hold (name, address) of each
    address field. `values` are the decoded bodies of all other fields but those in `PLAIN_FIELDS`, with their names.
    Line ends in `bodies` are LF.
    """

    fields: list[str]
    subject: str | None
    addresses: dict[str, list[tuple[str, str]]]
    message_id: str | None
    bodies: dict[str, str]
    attachments: list[Attachment] = field(default_factory=list)
    values: list[tuple[str, str]] = field(default_factory=list)


def normal_body(text: str) -> str:
    """A body with LF line ends."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def normal_address(address: str) -> str:
    """An addr-spec with its domain as A-labels in lower case: some readers show U-labels."""
    local, at, domain = address.rpartition("@")
    if domain.isascii():
        return local + at + domain.lower()
    return local + at + idna.encode(domain, uts46=True).decode()


def normal_values(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The fields whose text counts, in order."""
    return [(name, value) for name, value in pairs if name not in PLAIN_FIELDS and name not in ADDRESS_FIELDS]


def attachment(
    name: str | None,
    media_type: str,
    content: bytes,
    *,
    cid: str | None = None,
    disposition: str | None = None,
    parameters: dict[str, str] | None = None,
) -> Attachment:
    """A part as a reader shows it, in the form that readers are compared in."""
    if media_type in BODY_LIKE:
        # Readers decode and mend the line ends of what they take for text.
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").rstrip(b"\n")
    if parameters is not None:
        parameters = {key.lower(): value for key, value in parameters.items() if key.lower() != "name"}
    return Attachment(
        name=name,
        media_type=media_type,
        content=Octets(content),
        cid=None if cid is None else cid.strip().removeprefix("<").removesuffix(">"),
        disposition=disposition,
        parameters=parameters,
    )


ADDRESS_FIELDS = ("from", "sender", "reply-to", "to", "cc", "bcc")
# Fields that are read as something else than text, or that every message has.
PLAIN_FIELDS = ("subject", "date", "message-id", "mime-version", "content-type", "content-transfer-encoding")
BODY_LIKE = ("text/calendar", "text/x-amp-html", "application/ics")
