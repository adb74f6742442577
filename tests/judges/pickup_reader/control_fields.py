"""The x- header fields that PowerMTA acts on and takes out of a message."""

import re

from .model import PickupError
from .octets import decode
from .values import check_token, read_dkim, read_schedule

# Name of the field -> name in `PickupFile`, reader of the value.
OPTIONS = {
    "x-envid": ("envid", lambda text: check_token(text, "x-envid")),
    "x-job": ("job", lambda text: check_token(text, "x-job")),
    "x-virtual-mta": ("vmta", lambda text: check_token(text, "x-virtual-mta")),
    "x-dkim-options": ("dkim", read_dkim),
    "x-schedule": ("schedule", read_schedule),
}
ENVELOPE = {"x-sender", "x-receiver", "x-sender-override"}


def take_options(lines: list[bytes]) -> tuple[dict[str, object], list[bytes]]:
    """The option fields that stand at the head of `lines`, each at most once, and the lines after them."""
    options: dict[str, object] = {}
    for index, line in enumerate(lines):
        name, value = split_field(line)
        if name not in OPTIONS:
            return options, lines[index:]
        key, read_value = OPTIONS[name]
        if key in options:
            raise PickupError(f"{name} stands twice")
        options[key] = read_value(value)
    return options, []


def split_field(line: bytes) -> tuple[str, str]:
    """Name and value of a control field, spelled exactly `name: value`; an empty name for any other line."""
    name, colon, value = line.partition(b":")
    known = name.decode("latin-1")
    if not colon or known not in OPTIONS and known not in ENVELOPE:
        return "", ""
    if not value.startswith(b" ") or value != b" " + value.strip():
        raise PickupError(f"{known} is not followed by one space and a value")
    return known, decode(value[1:], utf8=False)


def check_message(lines: list[bytes]) -> None:
    """A message starts with a header section and an empty line, and has no control field in any spelling."""
    for number, line in enumerate(lines):
        if not line:
            if number == 0:
                raise PickupError("the message has no header section")
            return
        if line[:1] in b" \t":
            if number == 0:
                raise PickupError("the message starts with a continuation line")
            continue
        match = re.match(rb"([!-9;-~]+)[ \t]*:", line)
        if not match:
            raise PickupError("a line of the header section is not a header field")
        name = match[1].decode("ascii").lower()
        if name in OPTIONS or name in ENVELOPE:
            raise PickupError(f"{name} stands after the message began")
    raise PickupError("no empty line ends the header section")
