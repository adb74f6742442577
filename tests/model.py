"""What a message without problems should come out as: worked out from the documented rules alone."""

import re
from dataclasses import dataclass

from readers import Reading, normal_address, normal_body

ALWAYS = ["from", "date", "message-id", "mime-version", "content-type"]


@dataclass(frozen=True)
class Expected:
    """The envelope (`sender` empty for the null reverse-path) and what every reader should show."""

    sender: str
    recipients: list[str]
    reading: Reading


def expect(message: dict) -> Expected:
    """The outcome of a message that has no problem. Field names in any documented spelling."""
    fields = {plain(name): value for name, value in message.items() if value is not None}
    lists = {name: mailboxes(fields.get(name)) for name in ("from", "replyto", "to", "cc", "bcc")}
    everybody = [address for name in ("to", "cc", "bcc") for _, address in lists[name]]
    sender = fields.get("sender")
    bodies = {name: normal_body(fields.get(name, "")) for name in ("text", "html")}
    written = ["reply-to" if name == "replyto" else name for name in ("replyto", "to", "cc") if lists[name]]
    message_id = fields.get("messageid")
    return Expected(
        sender=lists["from"][0][1] if sender is None else "" if sender == "<>" else mailboxes(sender)[0][1],
        recipients=list(dict.fromkeys(everybody)),
        reading=Reading(
            fields=sorted([*ALWAYS, *written, *(["subject"] if "subject" in fields else [])]),
            subject=fields.get("subject", ""),
            addresses={name: lists["replyto" if name == "reply-to" else name] for name in ["from", *written]},
            message_id=None if message_id is None else "<" + message_id.strip("<>") + ">",
            bodies={name: text for name, text in bodies.items() if text},
        ),
    )


def plain(name: str) -> str:
    """A field name as names are compared: without case, `_` and `-`."""
    return name.lower().replace("_", "").replace("-", "")


def mailboxes(value: object) -> list[tuple[str, str]]:
    """(name, address) of each mailbox of a field."""
    if value is None:
        return []
    if isinstance(value, list):
        return [mailbox for item in value for mailbox in mailboxes(item)]
    if isinstance(value, dict):
        parts = {plain(key): part for key, part in value.items()}
        return [(parts.get("name") or "", normal_address(parts.get("address") or parts["email"]))]
    return [mailbox(text) for text in split_list(value)]


def split_list(text: str) -> list[str]:
    """The items of a list, at the commas outside of quotes."""
    return re.findall(r'(?:"(?:[^"\\]|\\.)*"|[^",])+', text)


def mailbox(text: str) -> tuple[str, str]:
    match = re.fullmatch(r'\s*((?:"(?:[^"\\]|\\.)*"|[^"<>])*?)\s*<([^>]*)>\s*', text)
    if not match:
        return "", normal_address(text.strip())
    return unquote(match[1]), normal_address(match[2])


def unquote(word: str) -> str:
    return re.sub(r"\\(.)", r"\1", word[1:-1]) if word.startswith('"') else word
