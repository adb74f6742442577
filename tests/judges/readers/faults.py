"""What a reader cannot read for a fault of its own. Each entry is as narrow as it can be said, and gives the reason."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from .reading import Attachment, Octets

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
    return [(re.sub(r"\s", "", name), address) for name, address in expected or []] == [
        (re.sub(r"\s", "", name), address) for name, address in got or []
    ]


def one_line_end_more(expected: dict, got: dict) -> bool:
    """The same bodies, some with one more line end."""
    bodies = {name: expected.get(name, "") for name in {*expected, *got}}
    return all(got.get(name, "") in (text, text + "\n") for name, text in bodies.items())


def line_end_of_empty_body(expected: dict, got: dict) -> bool:
    """The same bodies, but for some that are empty but for a line end."""
    return got.items() <= expected.items() and {expected[name] for name in expected.keys() - got.keys()} == {"\n"}


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


def quotes_and_escapes_lost(expected: list, got: list) -> bool:
    """The same lists, if the mailboxes with a quoted local part are left out."""
    kept = [
        (right, seen) for right, seen in zip(expected or [], got or [], strict=False) if not right[1].startswith('"')
    ]
    return len(kept) < len(expected or []) == len(got or []) and all(right == seen for right, seen in kept)


def blank_of_a_fold(expected: tuple, got: tuple) -> bool:
    """The same value with one blank before it, of a name so long that the value starts on the second line."""
    return len(expected[0]) > 60 and got == (expected[0], " " + expected[1])


def octets_of_utf8_shown(expected: tuple, got: tuple) -> bool:
    """The same value, with each octet of its UTF-8 as a character where it was not encoded."""
    name, text = expected
    addresses = {address: address.encode().decode("latin-1") for address in re.findall(r"<([^>]+)>", text)}
    return got == (name, re.sub(r"<([^>]+)>", lambda at: f"<{addresses[at[1]]}>", text)) != expected


def differs_in(**changes: Callable[[Attachment], object]) -> Callable[[Attachment, Attachment], bool]:
    """The same part but for some of its traits, which come out as told."""
    return lambda expected, got: got == replace(expected, **{key: made(expected) for key, made in changes.items()})


def encoded_word_in_name_decoded(expected: Attachment, got: Attachment) -> bool:
    return "=?" in (expected.name or "") and replace(got, name=expected.name) == expected


def type_by_name(expected: Attachment, got: Attachment) -> bool:
    return expected.media_type == "application/octet-stream" and differs_in(media_type=lambda _: got.media_type)(
        expected, got
    )


def lines_of_message_ended_by_lf(part: Attachment) -> Octets:
    return Octets(part.content.replace(b"\r\n", b"\n") + b"\n")


def empty_line_added(part: Attachment) -> Octets:
    return Octets(part.content + b"\r\n")


def last_line_end_cut(part: Attachment) -> Octets:
    return Octets(re.sub(rb"\r\n\Z", b"\n", part.content))


def content_in_utf8(expected: Attachment, got: Attachment) -> bool:
    charset = (expected.parameters or {}).get("charset", "utf-8")
    return expected.media_type.startswith("text/") and differs_in(
        content=lambda part: Octets(part.content.decode(charset, "replace").encode())
    )(expected, got)


def is_message(explains: Callable) -> Callable:
    return lambda expected, got: expected.media_type.startswith("message/") and explains(expected, got)


FAULTS = [
    Fault("mailparser", ("sender",), "it does not tell who is in Sender", lambda _, got: got is None),
    Fault(
        "mailparser",
        ("value",),
        "in a field that it does not know it takes UTF-8 (RFC 6532) for Latin-1",
        octets_of_utf8_shown,
    ),
    Fault(
        "python email",
        ADDRESS_FIELDS,
        "in a phrase it collapses white space within encoded words, U+2028 and the like too, and puts a "
        "blank between two of them",
        only_white_space_of_names,
    ),
    Fault(
        "postal-mime",
        ("bodies",),
        "it counts the line end before a boundary, which belongs to the boundary, to the body part",
        one_line_end_more,
    ),
    Fault(
        "mailparser",
        ("bodies",),
        "it takes the line end before a boundary for the content of a part that is empty, without a soft line break",
        line_end_of_empty_body,
    ),
    Fault(
        "postal-mime",
        ("bodies",),
        "it takes U+FEFF at the start of a text for a byte order mark, and drops it",
        byte_order_mark_of_body_lost,
    ),
    Fault(
        "postal-mime",
        ("subject", "value", *ADDRESS_FIELDS),
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
    Fault(
        "mail-parser",
        ADDRESS_FIELDS,
        "it has no address literals: a list with one comes out as none, or without its address",
        lambda expected, got: any("@[" in address for _, address in expected or []),
    ),
    Fault(
        "mail-parser",
        ADDRESS_FIELDS,
        "it takes a quoted local part for a name, or drops its escapes",
        quotes_and_escapes_lost,
    ),
    Fault(
        "mail-parser",
        ("attachment",),
        "it gives the text of a file in UTF-8, not its octets",
        content_in_utf8,
    ),
    Fault(
        "mail-parser",
        ("attachment",),
        "it drops a parameter whose value is empty",
        differs_in(parameters=lambda part: {key: value for key, value in part.parameters.items() if value}),
    ),
    Fault(
        "mailparser",
        ("attachment",),
        "it takes the type of application/octet-stream from the file name",
        type_by_name,
    ),
    Fault(
        "python email",
        ("value",),
        "it keeps the blank of a fold that stands right after the name",
        blank_of_a_fold,
    ),
    Fault(
        "python email, compat32",
        ("value",),
        "it keeps the blank of a fold that stands right after the name",
        blank_of_a_fold,
    ),
    Fault(
        "python email",
        ("attachment",),
        "it drops blanks at the start of a file name that is percent-encoded",
        differs_in(name=lambda part: (part.name or "").lstrip()),
    ),
    Fault(
        "python email, compat32",
        ("attachment",),
        "it drops blanks at the start of a file name that is percent-encoded",
        differs_in(name=lambda part: (part.name or "").lstrip()),
    ),
    Fault(
        "postal-mime",
        ("attachment",),
        "it decodes what looks like an encoded word in a file name, percent-encoded or not",
        encoded_word_in_name_decoded,
    ),
    Fault(
        "postal-mime",
        ("attachment",),
        "it gives an attached message with LF, and one more of them",
        is_message(differs_in(content=lines_of_message_ended_by_lf)),
    ),
    Fault(
        "python email",
        ("attachment",),
        "it writes an empty line behind an attached message that is header alone",
        is_message(differs_in(content=empty_line_added)),
    ),
    Fault(
        "python email, compat32",
        ("attachment",),
        "it writes an empty line behind an attached message that is header alone",
        is_message(differs_in(content=empty_line_added)),
    ),
    Fault(
        "MIME-tools",
        ("attachment",),
        "it cuts the CR of the last line end of an attached message",
        is_message(differs_in(content=last_line_end_cut)),
    ),
]


def excused(reader: str, part: str, expected: object, got: object) -> bool:
    """Whether a known fault of `reader` explains what it made of `part`."""
    return any(fault.reader == reader and part in fault.parts and fault.explains(expected, got) for fault in FAULTS)
