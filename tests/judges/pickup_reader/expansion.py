"""The template filled in for one recipient, as PowerMTA does while it delivers."""

import re

from .dialect import Dialect
from .model import Expansion, PickupError, Recipient
from .octets import join_lines
from .values import read_schedule

DATE = "Thu, 01 Jan 2026 00:00:00 +0000"
TOKEN = re.compile(rb"\[(\[|\*?[A-Za-z][A-Za-z0-9_]*\])?")
VARIABLE = re.compile(rb"\[(\*?[A-Za-z][A-Za-z0-9_]*)\]")
# Those that are known to be replaced in a template.
RESERVED = ("*to", "*from", "*date", "*jobid")


def expand(sender: str, recipient: Recipient, parts: list[list[bytes]], dialect: Dialect) -> Expansion:
    """The personal message of `recipient`."""
    variables = recipient.variables
    sender = variables.get("*from", sender)
    known = {"*from": sender, **variables, "*to": recipient.address, "*date": DATE}
    chosen = read_part_list(variables.get("*parts", f"1-{len(parts)}"), len(parts))
    template = b"".join(join_lines(parts[number - 1]) for number in chosen)
    return Expansion(
        recipient=recipient.address,
        sender=sender,
        message=fill(template, known, dialect),
        envid=variables.get("*envid"),
        job=variables.get("*jobid"),
        vmta=variables.get("*vmta"),
        priority=int(variables["*priority"]) if "*priority" in variables else None,
        subaccount_id=variables.get("*subaccountid"),
        custom_message_id=variables.get("*custommessageid"),
        schedule=read_schedule(variables["*schedule"]) if "*schedule" in variables else (),
    )


def fill(template: bytes, known: dict[str, str], dialect: Dialect) -> bytes:
    """The template with the values put in, each as it is."""
    known = {name: value for name, value in known.items() if not name.startswith("*") or name in RESERVED}
    if dialect.trims:
        known = {name: value.strip(" \t") for name, value in known.items()}
    if dialect.closing_is_doubled:
        template = template.replace(b"]]", b"]")
    filled = TOKEN.sub(lambda match: replace(match, known, dialect), template)
    if dialect.scans_again:
        filled = VARIABLE.sub(lambda match: known.get(match[1].decode("ascii").lower(), "").encode(), filled)
    return filled


def replace(match: re.Match[bytes], known: dict[str, str], dialect: Dialect) -> bytes:
    """What stands for one `[[` or `[name]`."""
    token = match[1]
    if token is None:
        raise PickupError("a [ that is neither doubled nor starts a variable")
    if token == b"[":
        return b"["
    name = token[:-1].decode("ascii").lower()
    if name in known:
        return known[name].encode()
    if dialect.unknown_is_empty:
        return b""
    if name.startswith("*"):
        raise PickupError("a reserved variable that is not known to be replaced in a template")
    raise PickupError("a variable that is not defined for a recipient")


def read_part_list(text: str, count: int) -> list[int]:
    """`1,3` or `1-3`, not both: the numbers of existing parts, each at most once."""
    if "," in text and "-" in text:
        raise PickupError("*parts has a range in a list")
    numbers: list[int] = []
    for item in text.split(","):
        first, _, last = item.partition("-")
        start, end = int(first), int(last or first)
        if not 1 <= start <= end <= count:
            raise PickupError("*parts names a part that is not there")
        numbers.extend(range(start, end + 1))
    if len(set(numbers)) != len(numbers):
        raise PickupError("*parts names a part twice")
    return numbers
