"""What a reader cannot read for a fault of its own. Each entry is as narrow as it can be said, and gives the reason."""

import re
from collections.abc import Callable
from dataclasses import dataclass

ADDRESS_FIELDS = ("from", "reply-to", "to", "cc")


@dataclass(frozen=True)
class Fault:
    """`reader` shows `parts` of a reading wrongly where `explains(expected, got)` is true."""

    reader: str
    parts: tuple[str, ...]
    reason: str
    explains: Callable


def only_white_space_of_names(expected: list, got: list) -> bool:
    """The same mailboxes, if white space in their names is left out."""
    return [(re.sub(r"[ \t]", "", name), address) for name, address in expected or []] == [
        (re.sub(r"[ \t]", "", name), address) for name, address in got or []
    ]


def one_line_end_more(expected: dict, got: dict) -> bool:
    """The same bodies, some with one more line end."""
    bodies = {name: expected.get(name, "") for name in {*expected, *got}}
    return all(got.get(name, "") in (text, text + "\n") for name, text in bodies.items())


def byte_order_mark_of_body_lost(expected: dict, got: dict) -> bool:
    """The same bodies without a U+FEFF at their start."""
    return one_line_end_more({name: text.removeprefix("\ufeff") for name, text in expected.items()}, got)


def byte_order_marks_of_words_lost(expected: object, got: object) -> bool:
    """The same but for U+FEFF, which may have stood at the start of any encoded word."""
    return repr(expected).replace("\\ufeff", "") == repr(got).replace("\\ufeff", "")


def quotes_of_local_parts_lost(expected: list, got: list) -> bool:
    return [(name, re.sub(r'^"([^"\\]*)"@', r"\1@", address)) for name, address in expected or []] == got


def cut_at_ipv6(expected: list, got: list) -> bool:
    before = [mailbox for mailbox in expected or [] if "@[ipv6:" not in mailbox[1]]
    return len(before) < len(expected or []) and all(mailbox in (got or []) for mailbox in before)


FAULTS = [
    Fault(
        "python email",
        ADDRESS_FIELDS,
        "in a phrase it collapses white space within encoded words, and puts a blank between two of them",
        only_white_space_of_names,
    ),
    Fault(
        "postal-mime",
        ("bodies",),
        "it counts the line end before a boundary, which belongs to the boundary, to the body part",
        one_line_end_more,
    ),
    Fault(
        "postal-mime",
        ("bodies",),
        "it takes U+FEFF at the start of a text for a byte order mark, and drops it",
        byte_order_mark_of_body_lost,
    ),
    Fault(
        "postal-mime",
        ("subject", *ADDRESS_FIELDS),
        "it takes U+FEFF at the start of an encoded word for a byte order mark, and drops it",
        byte_order_marks_of_words_lost,
    ),
    Fault(
        "postal-mime",
        ADDRESS_FIELDS,
        "it shows a quoted local part without its quotes",
        quotes_of_local_parts_lost,
    ),
    Fault(
        "postal-mime",
        ADDRESS_FIELDS,
        "it takes the colon of an IPv6 literal for the start of a group",
        cut_at_ipv6,
    ),
]


def excused(reader: str, part: str, expected: object, got: object) -> bool:
    """Whether a known fault of `reader` explains what it made of `part`."""
    return any(fault.reader == reader and part in fault.parts and fault.explains(expected, got) for fault in FAULTS)
