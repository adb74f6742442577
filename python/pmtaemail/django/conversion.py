"""From Django's EmailMessage to the fields of a message, without MIME in between."""

from datetime import UTC
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone

from .._objects import flat
from .finished import ENVELOPE_FIELDS, finished
from .header_values import (
    Unsaid,
    address,
    decoded,
    decoded_words,
    encoded,
    has_control,
    has_line_end,
    mailbox,
    mailboxes,
    without_control,
)
from .merge import is_merge

Fields = dict[str, Any]

# Header fields that are fields of the message too.
FIELDS_OF_HEADERS = {
    "message-id": "messageId",
    "in-reply-to": "inReplyTo",
    "references": "references",
    **ENVELOPE_FIELDS,
}

# The one value of List-Unsubscribe-Post (RFC 8058 section 3.1).
ONE_CLICK = "List-Unsubscribe=One-Click"

# The bodies of a message, in their order.
BODIES = {"text/plain": "text", "text/x-amp-html": "amp", "text/html": "html", "text/calendar": "calendar"}

# What an attached part says in its header section, and an attachment in its fields.
HEADERS_OF_PARTS = {"content-type", "content-transfer-encoding", "content-disposition", "content-id", "mime-version"}

# How a subclass may have made its MIME its own.
MAKERS = (
    "message",
    "_create_message",
    "_create_attachments",
    "_create_alternatives",
    "_create_attachment",
    "_create_mime_attachment",
    "_add_bodies",
    "_add_attachments",
    "_add_attachment",
)


def convert(message: EmailMessage) -> Fields | None:
    """The fields of `message`; None where they cannot say what Django's own MIME would."""
    # Of a merge one message alone could be finished.
    encoded_fields: list[bytes] | None = None if is_merge(message) else []
    try:
        refuse_own_mime(message)
        fields = {
            "from": mailbox(message.from_email),
            "to": mailboxes(message.to),
            "cc": mailboxes(message.cc),
            "bcc": mailboxes(message.bcc),
            "replyTo": mailboxes(message.reply_to),
            "subject": text_or_encoded("Subject", message.subject, encoded_fields),
            **bodies(message),
            "attachments": [attachment(each) for each in message.attachments],
        }
        if mixed_subtype(message) == "related" and not all("cid" in each for each in fields["attachments"]):
            raise Unsaid
        if getattr(settings, "EMAIL_USE_LOCALTIME", False):
            fields["date"] = timezone.localtime()
        fields |= headers(message, encoded_fields)
    except Unsaid:
        return None
    if is_merge(message):
        # Their place is taken by `recipients`.
        fields = {name: value for name, value in fields.items() if value or name not in ("to", "cc", "bcc")}
    fields |= getattr(message, "pmtaemail", {})
    return finished(fields, encoded_fields) if encoded_fields else fields


def text_or_encoded(name: str, given: Any, encoded_fields: list[bytes] | None) -> str | None:
    """The text of a header field; None for one with control characters, whose field is added to the list.

    Django sends these, also line ends in encoded words. One with a line end of its own it refuses, as the core does.
    """
    text = str(given)
    if has_line_end(text):
        return text
    text = decoded_words(text)
    if encoded_fields is None or not has_control(text):
        return text
    encoded_fields.append(encoded(name, text))
    return None


def refuse_own_mime(message: EmailMessage) -> None:
    makers = (getattr(type(message), name, None) for name in MAKERS)
    if any(maker and maker.__module__ != EmailMessage.__module__ for maker in makers):
        raise Unsaid
    if str(message.encoding or settings.DEFAULT_CHARSET).lower() not in ("utf-8", "utf8"):
        raise Unsaid
    if mixed_subtype(message) not in ("mixed", "related"):
        raise Unsaid


def mixed_subtype(message: EmailMessage) -> str:
    """Which Django 6 has no more."""
    return getattr(message, "mixed_subtype", "mixed")


def bodies(message: EmailMessage) -> Fields:
    alternatives = list(getattr(message, "alternatives", None) or [])
    if getattr(message, "alternative_subtype", "alternative") != "alternative":
        raise Unsaid
    left = list(BODIES.items())
    bodies: Fields = {}
    if message.body or not alternatives:
        alternatives.insert(0, (message.body, f"text/{message.content_subtype}"))
    for content, media_type in alternatives:
        essence, *parameters = (part.strip().lower() for part in str(media_type).split(";"))
        # In a message their order is fixed, and there is one of each.
        while left and left[0][0] != essence:
            left.pop(0)
        if not left or isinstance(content, (bytes, Message)):
            raise Unsaid
        name = left.pop(0)[1]
        bodies[name] = str(content)
        if name == "calendar":
            bodies[name] = {"content": str(content), **dict(parameter.split("=", 1) for parameter in parameters)}
        elif parameters:
            raise Unsaid
    return bodies


def attachment(given: Any) -> Fields:
    if isinstance(given, Message):
        return attached_part(given)
    filename, content, media_type = given
    if isinstance(content, EmailMessage):
        content = content.message()
    if isinstance(content, Message):
        content = flat(content)
    fields: Fields = {
        "filename": filename and without_control(decoded(filename)),
        "content": content,
        "contentType": media_type,
    }
    if not isinstance(content, (bytes, bytearray, memoryview)):
        if str(media_type).startswith("text/"):
            fields |= {"content": str(content), "encoding": "utf8"}
        else:
            fields["content"] = str(content).encode()
    return fields


def attached_part(part: Message) -> Fields:
    """A part that was made by hand, such as an inline image with its Content-ID."""
    names = {name.lower() for name, _ in part.items()}
    parameters = dict(part.get_params(failobj=[])[1:])
    if part.is_multipart() or not names <= HEADERS_OF_PARTS:
        raise Unsaid
    if parameters.keys() - {"name", "charset"}:
        raise Unsaid
    charset = parameters.get("charset")
    fields: Fields = {
        "filename": without_control(decoded(part.get_filename() or "")) or None,
        "content": part.get_payload(decode=True),
        "contentType": part.get_content_type() + (f"; charset={charset}" if charset else ""),
        "disposition": part.get_content_disposition(),
    }
    if cid := part["Content-ID"]:
        fields["cid"] = str(cid).strip().removeprefix("<").removesuffix(">")
    return fields


def headers(message: EmailMessage, encoded_fields: list[bytes] | None) -> Fields:
    """The fields that stand for the message's further header fields."""
    found: Fields = {"headers": []}
    given = {str(name): str(value) for name, value in message.extra_headers.items()}
    by_name = {name.lower(): value for name, value in given.items()}
    if len(by_name) < len(given) or by_name.keys() & {"to", "cc", "reply-to"}:
        # Django shows other recipients then than the mail goes to.
        raise Unsaid
    if "from" in by_name:
        found |= {"from": mailbox(by_name["from"]), "sender": address(message.from_email)}
    leave_other_one_click(by_name)
    for name, value in given.items():
        lower = name.lower()
        if lower == "from":
            continue
        if lower == "date":
            found["date"] = date(value)
        elif lower in FIELDS_OF_HEADERS:
            found[FIELDS_OF_HEADERS[lower]] = value.split() if lower == "references" else value
        elif (text := text_or_encoded(name, value, encoded_fields)) is not None:
            found["headers"].append({"name": name, "value": text})
    return found


def leave_other_one_click(by_name: dict[str, str]) -> None:
    """List-Unsubscribe-Post that breaks RFC 8058 is sent by Django, and refused by the core."""
    post = by_name.get("list-unsubscribe-post")
    has_https = "<https:" in by_name.get("list-unsubscribe", "").lower()
    if post is not None and not (has_https and post.strip() == ONE_CLICK):
        raise Unsaid


def date(header: str) -> str:
    try:
        given = parsedate_to_datetime(header)
    except ValueError as error:
        raise Unsaid from error
    return (given if given.tzinfo else given.replace(tzinfo=UTC)).isoformat()
