"""What a message without problems should come out as: worked out from the documented rules alone."""

from dataclasses import dataclass

from readers import Reading, normal_body

from . import raw
from .addresses import mailboxes
from .delivery import Delivery, delivery
from .files import parts
from .names import members
from .own_headers import SHOWN, fields_of
from .structured import addresses
from .values import own_pairs, values

__all__ = ["Delivery", "Expected", "expect"]

ALWAYS = ["from", "date", "message-id", "mime-version", "content-type"]


@dataclass(frozen=True)
class Expected:
    """The envelope, and either what every reader should show or, of a finished message, the very octets."""

    delivery: Delivery
    reading: Reading | None
    octets: bytes | None = None


def expect(message: dict) -> Expected:
    """The outcome of a message that has no problem. Field names in any documented spelling."""
    fields = members(message)
    if "raw" in fields:
        return expect_raw(fields)
    own = own_pairs(fields)
    fields |= fields_of(own)
    lists = {name: mailboxes(fields.get(name)) for name in ("from", "replyto", "to", "cc", "bcc")}
    shown = lists | {name: mailboxes(text) for name, text in own if name in SHOWN}
    bodies = {name: normal_body(fields.get(name, "")) for name in ("text", "html")}
    written = ["reply-to" if name == "replyto" else name for name in ("replyto", "to", "cc") if shown[name]]
    message_id = fields.get("messageid")
    texts = values(fields)
    names = [*ALWAYS, *written, *(["subject"] if "subject" in fields else []), *(name for name, _ in texts)]
    return Expected(
        delivery=delivery(fields, lists, smtputf8=needs_smtputf8(shown, texts)),
        reading=Reading(
            fields=sorted(names),
            subject=fields.get("subject", ""),
            addresses={name: shown["replyto" if name == "reply-to" else name] for name in ["from", *written]}
            | {name: mailboxes(text) for name, text in texts if name == "sender"},
            message_id=None if message_id is None else "<" + message_id.strip("<>") + ">",
            bodies={name: text for name, text in bodies.items() if text},
            attachments=parts(fields),
            values=[(name, text) for name, text in texts if name != "sender"],
        ),
    )


def needs_smtputf8(shown: dict[str, list[tuple[str, str]]], texts: list[tuple[str, str]]) -> bool:
    """Whether an address in the header has letters beyond ASCII."""
    named = [address for mailboxes_of_field in shown.values() for _, address in mailboxes_of_field]
    return not all(address.isascii() for address in [*named, *addresses(texts)])


def expect_raw(fields: dict) -> Expected:
    """A finished message is taken for its addresses, and left as it is."""
    octets = raw.octets(fields["raw"])
    lists = {name: mailboxes(fields.get(name)) for name in ("to", "cc", "bcc")}
    if not any(lists.values()):
        lists = {"to": raw.mailboxes(octets, "to", "cc", "bcc")}
        octets = raw.without_bcc(octets)
    lists["from"] = raw.mailboxes(octets, "from")
    header_is_ascii = raw.split(octets)[0].isascii()
    return Expected(delivery(fields, lists, smtputf8=not header_is_ascii), reading=None, octets=octets)
