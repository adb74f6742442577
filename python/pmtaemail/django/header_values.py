"""Header values as Django's users write them, and as the readers of Django's mail read them."""

import re
from collections.abc import Iterable
from email.errors import HeaderParseError
from email.header import Header, decode_header, make_header
from email.utils import formataddr
from typing import Any

from django.utils.encoding import punycode

QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
# The name is of quoted strings, and of what neither delimits nor addresses anything.
NAMED = re.compile(rf"(?P<name>(?:{QUOTED.pattern}|[^\"<>@])*)<(?P<address>[^<>]*)>", re.DOTALL)
COMMENTED = re.compile(r'(?P<address>[^\s<>()",;:@]+@[^\s<>()",;:@]+)\s*\((?P<name>[^()]*)\)')
# What needs no reading: the core reads it alike, and sooner.
PLAIN = re.compile(r"[\w.+-]+@[\w.-]+|[\w' -]+ <[\w.+-]+@[\w.-]+>")
# What a name may not hold without quotes, and encoded words, of which Python may take the quotes away.
MISREAD = re.compile(r"[][()\\,:;]|=\?")
CONTROL = re.compile("[\0-\x08\x0a-\x1f\x7f]")


class Unsaid(Exception):
    """The fields of a message cannot say this."""


def has_line_end(text: str) -> bool:
    """Which Django refuses: it would begin another field."""
    return "\n" in text or "\r" in text


def has_control(text: str) -> bool:
    """Tabs excepted, as in the fields of a message."""
    return CONTROL.search(text) is not None


def decoded(given: Any) -> str:
    """The text that a reader sees of what Django puts into the header.

    With a line end, which Django refuses, it stays as it is.
    """
    text = str(given)
    return text if has_line_end(text) else decoded_words(text)


def without_control(text: str) -> str:
    """The text itself; what Django sends, though it has control characters, the fields of a message cannot say."""
    if has_control(text) and not has_line_end(text):
        raise Unsaid
    return text


def decoded_words(text: str) -> str:
    """With its encoded words decoded (RFC 2047), unless they are none."""
    # Where there are other letters Django encodes a text as a whole, encoded words and all.
    if "=?" not in text or not text.isascii():
        return text
    try:
        return str(make_header(decode_header(text)))
    except (HeaderParseError, LookupError, ValueError):
        return text


def mailbox(given: Any) -> str | dict[str, str]:
    """A mailbox with whatever name stands before it, in quotes or not: `Lee, Ann <ann@example.com>`.

    A text that is no single mailbox comes back as it is; the core says what is wrong.
    """
    text = str(given)
    if PLAIN.fullmatch(text):
        return text
    parts = parts_of(text)
    if parts is None or has_line_end(text):
        return text
    name, address = parts
    name = without_control(decoded(name))
    return {"name": name, "address": address} if name else address


def parts_of(text: str) -> tuple[str, str] | None:
    """The name, its quotes taken away, and the address."""
    found = NAMED.fullmatch(text.strip()) or COMMENTED.fullmatch(text.strip())
    if found is None:
        return None
    name = QUOTED.sub(lambda quoted: re.sub(r"\\(.)", r"\1", quoted[1]), found["name"])
    return name.strip(), found["address"].strip()


def encoded(name: str, text: str) -> bytes:
    """A header field, its body all encoded words: control characters are the same to a reader then, and legal.

    Raises `Unsaid` for a field with a form of its own, which means nothing in encoded words.
    """
    lower = name.lower()
    if lower not in ("subject", "comments") and not lower.startswith("x-"):
        raise Unsaid
    words = Header(text, "utf-8", header_name=name)
    return f"{name}: ".encode() + words.encode(linesep="\r\n").encode()


def mailboxes(given: Iterable[Any]) -> list[str | dict[str, str]]:
    return [mailbox(each) for each in given if each]


def address(given: Any) -> str:
    """The address alone."""
    parts = parts_of(str(given))
    return str(given) if parts is None else parts[1]


def is_proper(given: Any) -> bool:
    """Whether the mailbox is read alike by all as it stands in Django's header."""
    found = NAMED.fullmatch(str(given).strip())
    return found is None or not (MISREAD.search(QUOTED.sub("", found["name"])) or has_control(found["name"]))


def formatted(given: Any) -> str:
    """The mailbox as RFC 5322 section 3.4 has it: its name in quotes or in encoded words where it must be."""
    parts = parts_of(str(given))
    if parts is None:
        return str(given)
    name, address = decoded(parts[0]), parts[1]
    local_part, at, domain = address.rpartition("@")
    address = f"{local_part}{at}{punycode(domain)}"
    if name.isascii() and "=?" not in name and not has_control(name):
        return formataddr((name, address))
    return f"{Header(name, 'utf-8').encode(linesep='')} <{address}>"
