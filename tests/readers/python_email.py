"""Python's email package: with its modern policy, and with the old interface on top of `compat32`."""

import email
import email.message
import email.policy
from email.header import decode_header, make_header
from email.utils import getaddresses

from .reading import ADDRESS_FIELDS, Attachment, Reading, digest, normal_address, normal_body


def read_modern(message: bytes) -> Reading:
    """`email.policy.default`, as new programs use it."""
    parsed = parse(message, email.policy.default)
    addresses = {
        name: [(mailbox.display_name, normal_address(mailbox.addr_spec)) for mailbox in parsed[name].addresses]
        for name in ADDRESS_FIELDS
        if name in parsed
    }
    subject = parsed["subject"]
    return reading(parsed, None if subject is None else str(subject), addresses)


def read_compat(message: bytes) -> Reading:
    """`compat32` with `decode_header` and `getaddresses`, as old programs do it."""
    parsed = parse(message, email.policy.compat32)
    addresses = {
        name: [
            (decode(display_name), normal_address(address))
            for display_name, address in getaddresses([unfold(value) for value in parsed.get_all(name)])
        ]
        for name in ADDRESS_FIELDS
        if name in parsed
    }
    subject = parsed["subject"]
    return reading(parsed, None if subject is None else decode(unfold(subject)), addresses)


def parse(message: bytes, policy: email.policy.Policy) -> email.message.Message:
    """The parsed message. The package takes UTF-8 in a header section (RFC 6532) only from text."""
    if message.isascii():
        return email.message_from_bytes(message, policy=policy)
    return email.message_from_string(message.decode(), policy=policy)


def unfold(value: str) -> str:
    return value.replace("\r\n", "").replace("\n", "")


def decode(value: str) -> str:
    return str(make_header(decode_header(value)))


def reading(parsed: email.message.Message, subject: str | None, addresses: dict) -> Reading:
    bodies: dict[str, str] = {}
    attachments = []
    for part in parsed.walk():
        if part.is_multipart():
            continue
        content = part.get_payload(decode=True)
        kind = part.get_content_type()
        name = {"text/plain": "text", "text/html": "html"}.get(kind)
        if name and name not in bodies and part.get_content_disposition() != "attachment":
            bodies[name] = normal_body(content.decode(part.get_content_charset("us-ascii")))
        else:
            attachments.append(Attachment(part.get_filename(), kind, digest(content)))
    message_id = parsed["message-id"]
    return Reading(
        fields=[name.lower() for name in parsed.keys()],  # noqa: SIM118 (a Message is no dict)
        subject=subject,
        addresses=addresses,
        message_id=None if message_id is None else str(message_id).strip(),
        bodies=bodies,
        attachments=attachments,
    )
