"""Python's email package: with its modern policy, and with the old interface on top of `compat32`."""

import email
import email.message
import email.policy
import email.utils
from collections.abc import Iterator
from email.header import decode_header, make_header
from email.utils import getaddresses

from .reading import ADDRESS_FIELDS, Reading, attachment, normal_address, normal_body, normal_values


def read_modern(message: bytes) -> Reading:
    """`email.policy.default`, as new programs use it."""
    parsed = parse(message, email.policy.default)
    addresses = {
        name: [(mailbox.display_name, normal_address(mailbox.addr_spec)) for mailbox in parsed[name].addresses]
        for name in ADDRESS_FIELDS
        if name in parsed
    }
    subject = parsed["subject"]
    values = [(name.lower(), str(value)) for name, value in parsed.items()]
    return reading(parsed, None if subject is None else str(subject), addresses, values)


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
    values = [(name.lower(), decode(unfold(value))) for name, value in parsed.items()]
    return reading(parsed, None if subject is None else decode(unfold(subject)), addresses, values)


def parse(message: bytes, policy: email.policy.Policy) -> email.message.Message:
    """The parsed message. The package takes UTF-8 in a header section (RFC 6532) only from text."""
    if message.partition(b"\r\n\r\n")[0].isascii():
        return email.message_from_bytes(message, policy=policy)
    return email.message_from_string(message.decode(), policy=policy)


def unfold(value: str) -> str:
    return value.replace("\r\n", "").replace("\n", "")


def decode(value: str) -> str:
    if value.isascii():
        return str(make_header(decode_header(value)))
    # What stands beside encoded words comes in an encoding of Python's own.
    pieces = decode_header(value)
    return "".join(
        piece if isinstance(piece, str) else piece.decode(charset or "raw-unicode-escape") for piece, charset in pieces
    )


def reading(parsed: email.message.Message, subject: str | None, addresses: dict, values: list) -> Reading:
    bodies: dict[str, str] = {}
    attachments = []
    for part in leaves(parsed):
        kind = part.get_content_type()
        name = {"text/plain": "text", "text/html": "html"}.get(kind)
        if name and name not in bodies and part.get_content_disposition() is None:
            content = part.get_payload(decode=True)
            bodies[name] = normal_body(content.decode(part.get_content_charset("us-ascii")))
            continue
        parameters = {key: email.utils.collapse_rfc2231_value(value) for key, value in part.get_params()[1:]}
        attachments.append(
            attachment(
                part.get_filename(),
                kind,
                octets(part),
                cid=part["content-id"],
                disposition=part.get_content_disposition(),
                parameters=parameters,
            )
        )
    message_id = parsed["message-id"]
    return Reading(
        fields=[name.lower() for name in parsed.keys()],  # noqa: SIM118 (a Message is no dict)
        subject=subject,
        addresses=addresses,
        message_id=None if message_id is None else str(message_id).strip(),
        bodies=bodies,
        attachments=attachments,
        values=normal_values(values),
    )


def leaves(part: email.message.Message) -> Iterator[email.message.Message]:
    """The parts that hold no others; an attached message is one, whatever it holds."""
    if part.get_content_maintype() != "multipart":
        yield part
        return
    for child in part.get_payload():
        yield from leaves(child)


def octets(part: email.message.Message) -> bytes:
    inner = part.get_payload()
    if not isinstance(inner, list):
        return part.get_payload(decode=True)
    messages = [each.as_bytes(policy=email.policy.compat32.clone(linesep="\r\n", mangle_from_=False)) for each in inner]
    if part.get_content_type() == "message/delivery-status":
        # Groups of fields, of which each is read as a message: with an empty line behind it.
        return b"\r\n".join(message.removesuffix(b"\r\n") for message in messages)
    return b"".join(messages)
