"""Writes `hostile.jsonl`: messages that must be refused, whatever else is right in them.

Run `python tests/make_hostile.py` after a change; with `--check` it only tells whether the file is fresh.
"""

import itertools
import json
import sys
from pathlib import Path

FILE = Path(__file__).with_name("hostile.jsonl")
GOOD = {"from": "ann@example.com", "to": "bo@example.org", "subject": "Hello", "text": "Hello."}

INJECTIONS = [
    "\r\nBcc: eve@example.com",
    "\nBcc: eve@example.com",
    "\rBcc: eve@example.com",
    "\r\n\r\nA body.",
    "\r\n.\r\nMAIL FROM:<eve@example.com>",
    "\r\nx-receiver: eve@example.com",
    "\n x-receiver: eve@example.com",
    "\0",
    "\x08",
    "\x1b[2J",
    "\x7f",
    "\x85",
]
BAD_ADDRESSES = [
    "", " ", "@", "a", "a@", "@b", "a@@b", "a@b@c", "a b@example.org", ".a@example.org", "a.@example.org",
    "a..b@example.org",
    "a@b>, <c@d", "<a@b", "a@b>", "<<a@b>>", "a@b <c@d>", "<a@b> <c@d>", '"a@b', '"a"b@example.org', "a@-b.org",
    "a@b-.org",
    "a@b..org", "a@.org", "a@b.org.", "a@b_c.org",
    "a@[1.2.3]", "a@[1.2.3.4", "a@1.2.3.4]", "a@[IPv6:1]", "a@[::1]",
    "G: a@b.org;", "a@b.org;c@d.org", "a@b!c", "a@b/c", "a@b:25", "a@b%c", "a@b?c", "a@b#c", "a@b\\c",
    "mailto:a@b.org", "a@" + "b" * 64 + ".org", "a" * 65 + "@b.org", "a@" + "b." * 130 + "org", "a@\u202eb.org",
    "a@xn--.org", "a@\u00ad.org", "a@b\u3002", "a\u2028@b.org", "a\u00a0@b.org",
]  # fmt: skip
ADDRESS_FIELDS = ("from", "sender", "to", "cc", "bcc", "replyTo")
WRONG_VALUES = [0, -1.5, True, False, {}, {"x": 1}, [[]], [[["a@b.example"]]], [0], [None, 7]]


def injections():
    for field, text in itertools.product(("subject", "messageId", "date", *ADDRESS_FIELDS), INJECTIONS):
        start = {"subject": "Hello", "messageId": "a@b.example", "date": "2026-01-15T09:30:00Z"}.get(
            field, "a@b.example"
        )
        yield {**GOOD, field: start + text}
    for field, text in itertools.product(ADDRESS_FIELDS, INJECTIONS):
        if field != "sender":
            yield {**GOOD, field: {"name": f"Ann{text}", "address": "a@b.example"}}


def addresses():
    for number, address in enumerate(BAD_ADDRESSES):
        field = ADDRESS_FIELDS[number % len(ADDRESS_FIELDS)]
        yield {**GOOD, field: address}
        yield {**GOOD, "to": ["bo@example.org", {"name": "Bo", "address": address}]}


def wrong_values():
    fields = ("from", "to", "replyTo", "subject", "text", "html", "date", "messageId", "sender")
    for field, value in itertools.product(fields, WRONG_VALUES):
        yield {**GOOD, field: value}


def others():
    for name in (
        "headers\r\nBcc",
        "Bcc:",
        "x-sender",
        "__proto__",
        "constructor",
        "from ",
        "\0",
        "from.address",
        "$ref",
    ):
        yield {**GOOD, name: "eve@example.com"}
    yield {"from": "a@b.example"}
    yield {"to": "a@b.example"}
    yield {}
    yield []
    yield "a@b.example"
    for code in ("\ud800", "\udfff", "\ude00\ud83d", "a\udbff"):
        for field in ("subject", "text", "to", "messageId"):
            yield {**GOOD, field: code}


def lines() -> str:
    messages = itertools.chain(injections(), addresses(), wrong_values(), others())
    return "".join(json.dumps(message) + "\n" for message in messages)


def main() -> int:
    text = lines()
    if "--check" not in sys.argv:
        FILE.write_text(text, encoding="ascii")
    elif FILE.read_text(encoding="ascii") != text:
        print("tests/support/hostile.jsonl is stale: run python tests/support/make_hostile.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
