"""Structured header fields of the caller's own: what a reader sees of them, whose white space means nothing."""

import re
from email.utils import format_datetime, parsedate_to_datetime

from .addresses import mailboxes
from .urls import angles_without_brackets

LISTS_OF_URLS = {"list-archive", "list-help", "list-owner", "list-post", "list-subscribe", "archived-at"}
ADDRESSES = {"disposition-notification-to", "return-receipt-to", "mail-followup-to", "mail-reply-to", "sender"}
TOKENS = {"auto-submitted", "precedence", "feedback-id", "list-id", "supersedes", "x-msmail-priority"}
TOKENS |= {"x-auto-response-suppress"}
QUOTED = r'"(?:[^"\\]|\\.)*"'


def structured(name: str, text: str) -> str:
    """The text of the field `name`, as it is read."""
    if name in ADDRESSES:
        return ", ".join(written(text))
    if name == "expires":
        return re.sub(r"^(\w+, )0", r"\1", format_datetime(parsedate_to_datetime(text.partition("(")[0])))
    if name == "autocrypt":
        return key(spaced(text))
    if name == "keywords":
        phrases = re.findall(rf"(?:{QUOTED}|[^,])+", spaced(text))
        # White space ends an encoded word.
        return ", ".join(phrase.strip() + ("" if phrase.isascii() else " ") for phrase in phrases).rstrip()
    if name in LISTS_OF_URLS:
        # A comment that is encoded is apart from its parentheses.
        return re.sub(r"\(([^()]*[^ -~][^()]*)\)", r"( \1 )", re.sub(r"(?<=[>)]),\s*", ", ", urls(text)))
    return spaced(text) if name in TOKENS else text


def urls(text: str) -> str:
    return angles_without_brackets(spaced(text))


def addresses(pairs: list[tuple[str, str]]) -> list[str]:
    """The addresses that stand in the fields of addresses."""
    return [address for name, text in pairs if name in ADDRESSES for _, address in mailboxes(spaced(text))]


def spaced(text: str) -> str:
    """One blank for each run of white space outside of quotes."""
    return re.sub(rf"({QUOTED})|[ \t]+", lambda at: at[1] or " ", text).strip(" ")


def written(text: str) -> list[str]:
    """Each mailbox as it is shown, its name in quotes where it must be."""
    shown = []
    for name, address in mailboxes(spaced(text)):
        label = f'"{name}"' if re.search(r"[,.]", name) and name.isascii() else name
        shown.append(f"{label} <{address}>" if name else address)
    return shown


def key(text: str) -> str:
    """Attributes whose last is a key; where it does not fit, white space parts it."""
    head, _, data = text.partition("keydata=")
    data = data.replace(" ", "")
    if len("keydata=" + data) <= 72:
        return f"{head}keydata={data}"
    return f"{head}keydata= " + " ".join(data[at : at + 72] for at in range(0, len(data), 72))
