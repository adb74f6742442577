"""The template filled in for one recipient, as PowerMTA does while it delivers."""

import re

from .model import Expansion, PickupError, Recipient
from .octets import join_lines
from .values import read_schedule

DATE = "Thu, 01 Jan 2026 00:00:00 +0000"
TOKEN = re.compile(rb"\[(\[|\*?[A-Za-z][A-Za-z0-9_]*\])?")


def expand(sender: str, recipient: Recipient, parts: list[list[bytes]]) -> Expansion:
    """The personal message of `recipient`. A value is put in as it is: it is not scanned for variables again."""
    variables = recipient.variables
    sender = variables.get("*from", sender)
    known = {"*from": sender, **variables, "*to": recipient.address, "*date": DATE}
    chosen = read_part_list(variables.get("*parts", f"1-{len(parts)}"), len(parts))
    template = b"".join(join_lines(parts[number - 1]) for number in chosen)
    return Expansion(
        recipient=recipient.address,
        sender=sender,
        message=TOKEN.sub(lambda match: replace(match, known), template),
        envid=variables.get("*envid"),
        job=variables.get("*jobid"),
        vmta=variables.get("*vmta"),
        priority=int(variables["*priority"]) if "*priority" in variables else None,
        schedule=read_schedule(variables["*schedule"]) if "*schedule" in variables else (),
    )


def replace(match: re.Match[bytes], known: dict[str, str]) -> bytes:
    """What stands for one `[[` or `[name]`."""
    token = match[1]
    if token is None:
        raise PickupError("a [ that is neither doubled nor starts a variable")
    if token == b"[":
        return b"["
    name = token[:-1].decode("ascii").lower()
    if name not in known:
        raise PickupError("a variable that is not defined for a recipient")
    return known[name].encode()


def read_part_list(text: str, count: int) -> list[int]:
    """`1,3` or `1-3`: the numbers of existing parts, each at most once."""
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
