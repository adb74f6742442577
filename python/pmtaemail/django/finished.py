"""Django's EmailMessage as Django writes it: for what the fields of a message cannot say."""

import copy
import re
from typing import Any

from django.core.mail import EmailMessage

from .._native import render
from .._objects import flat
from ..errors import Problem
from .errors import HeaderError
from .header_values import Unsaid, address, decoded_words, encoded, formatted, has_control, has_line_end, is_proper

Fields = dict[str, Any]

# PowerMTA's own header fields are fields of the envelope, and not to be shown to anybody.
ENVELOPE_FIELDS = {"x-job": "job", "x-envid": "envid", "x-virtual-mta": "vmta"}

# All that may stand beside a finished message.
ENVELOPE = {"sender", "to", "cc", "bcc", "envid", "job", "vmta", "dkim", "schedule", "verp", "dsn"}


def convert_to_raw(message: EmailMessage) -> Fields:
    """The message with its envelope."""
    refuse_line_ends(message)
    message, mailboxes = with_proper_mailboxes(message)
    mime = message.message()
    fields: Fields = {
        "sender": address(message.from_email),
        "to": [address(recipient) for recipient in message.recipients()],
    }
    for header, name in ENVELOPE_FIELDS.items():
        if header in mime:
            fields[name] = str(mime[header])
            del mime[header]
    octets = flat(mime)
    if "DKIM-Signature" not in mime:
        octets = mended(octets, mailboxes)
    return {"raw": octets, **fields, **getattr(message, "pmtaemail", {})}


def refuse_line_ends(message: EmailMessage) -> None:
    """Raises before Django does, whose error is no `MessageError`."""
    values = {"/subject": message.subject, "/from": message.from_email}
    for name in ("to", "cc", "reply_to"):
        values |= {f"/{name}/{index}": each for index, each in enumerate(getattr(message, name))}
    values |= {f"/headers/{name}": value for name, value in message.extra_headers.items()}
    detail = "A header field may not contain line breaks or other control characters."
    found = [
        Problem("control_character", pointer, detail) for pointer, each in values.items() if has_line_end(str(each))
    ]
    if found:
        raise HeaderError(found)


def finished(fields: Fields, header_fields: list[bytes]) -> Fields:
    """The finished message that the fields make, with more fields in its header."""
    envelope = {
        name: value for name, value in fields.items() if name.replace("_", "").replace("-", "").lower() in ENVELOPE
    }
    return {"raw": b"\r\n".join([*header_fields, render(**fields)]), **envelope}


def with_proper_mailboxes(message: EmailMessage) -> tuple[EmailMessage, dict[bytes, str]]:
    """The message itself where Django's header has its mailboxes as they are meant, and otherwise one where it has.

    With that the bodies of these fields, by their names in small letters: Python writes some of them otherwise again.
    """
    headers = {name.lower(): name for name in message.extra_headers}
    lists = {"to": message.to, "cc": message.cc, "reply-to": message.reply_to, "from": [message.from_email]}
    given = {name: [each for each in mailboxes if each] for name, mailboxes in lists.items() if name not in headers}
    if "from" in headers:
        given["from"] = [message.extra_headers[headers["from"]]]
    if all(is_proper(mailbox) for mailboxes in given.values() for mailbox in mailboxes):
        return message, {}
    proper = {name: [formatted(each) for each in mailboxes] for name, mailboxes in given.items()}
    message = copy.copy(message)
    message.to, message.cc = proper.get("to", message.to), proper.get("cc", message.cc)
    message.reply_to = proper.get("reply-to", message.reply_to)
    message.from_email = formatted(message.from_email)
    if "from" in headers:
        message.extra_headers = message.extra_headers | {headers["from"]: proper["from"][0]}
    return message, {name.encode(): ",\r\n ".join(mailboxes) for name, mailboxes in proper.items()}


def mended(octets: bytes, mailboxes: dict[bytes, str]) -> bytes:
    """With the bodies given, and with encoded words where Django's header has control characters."""
    header, empty_line, rest = octets.partition(b"\r\n\r\n")
    fields = re.split(rb"\r\n(?![ \t])", header)
    return b"\r\n".join(mended_field(field, mailboxes) for field in fields) + empty_line + rest


def mended_field(field: bytes, mailboxes: dict[bytes, str]) -> bytes:
    name, _, body = field.partition(b":")
    lower = name.lower()
    if lower in mailboxes:
        return name + b": " + mailboxes[lower].encode()
    text = re.sub(rb"\r\n(?=[ \t])", b"", body).decode(errors="surrogateescape").strip(" \t")
    try:
        return encoded(name.decode(), decoded_words(text)) if has_control(text) else field
    except Unsaid:
        return field
