"""The values that both forms share: identifiers, DKIM options, schedules."""

import re
from datetime import datetime

from .model import PickupError

DKIM_KEYS = ("s", "d", "i", "key-list")


def check_token(text: str, what: str) -> str:
    """Printable text without white space."""
    if not re.fullmatch(r"[!-~]+", text):
        raise PickupError(f"{what} is not printable text without white space")
    return text


def read_dkim(text: str) -> dict[str, str]:
    """`s=SELECTOR; d=DOMAIN; i=IDENTITY; key-list=NAME`, each at most once."""
    options: dict[str, str] = {}
    for item in text.split("; "):
        key, equals, value = item.partition("=")
        if not equals or key not in DKIM_KEYS or key in options:
            raise PickupError("x-dkim-options: unknown or repeated option")
        if not re.fullmatch(r"[!-:<-~]+", value):
            raise PickupError("x-dkim-options: not a value")
        options[key] = value
    return options


def read_schedule(text: str) -> tuple[tuple[str, str], ...]:
    """`START/END, START/END`, each `YYYY-MM-DD HH:MM:SS`, each start before its end."""
    return tuple(read_window(window) for window in text.split(", "))


def read_window(text: str) -> tuple[str, str]:
    start, slash, end = text.partition("/")
    if not slash or not read_time(start) < read_time(end):
        raise PickupError("a schedule window is not START/END with the start first")
    return start, end


def read_time(text: str) -> datetime:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", text, re.ASCII):
        raise PickupError("a time is not YYYY-MM-DD HH:MM:SS")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise PickupError("there is no such time") from None
