"""The filters, as Liquid's and Jinja's documentation and docs/merge.md tell of them."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, localcontext
from urllib.parse import quote, quote_plus

from .values import show

NUMBER = re.compile(r"[ \t]*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?[ \t]*", re.ASCII)
# White space as Unicode has it; Python counts four control characters more.
BLANK = r"[^\S\x1c-\x1f]"
# What is escaped in JSON beside what has to be: it may stand in HTML, and in a script.
UNSAFE = re.compile("[<>&'\x7f-\x9f\u2028\u2029]")


def capitalize(text: str) -> str:
    return text[:1].upper() + text[1:].lower()


def title(text: str) -> str:
    return "".join(capitalize(word) for word in re.split(rf"([-({{\[<]|{BLANK})", text))


def truncate(text: str, length: int = 50, ellipsis: str = "...") -> str:
    if len(text) <= length:
        return text
    return text[: max(0, length - len(ellipsis))] + ellipsis


def truncatewords(text: str, words: int = 15, ellipsis: str = "...") -> str:
    found = [word for word in re.split(rf"{BLANK}+", text) if word]
    return text if len(found) <= max(words, 1) else " ".join(found[: max(words, 1)]) + ellipsis


def to_json(value: object, *, separators: tuple[str, str] = (",", ":")) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=separators)
    return UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def date(value: object, format: str) -> str:
    if value == "":
        return ""
    if isinstance(value, int | float) or re.fullmatch(r"\d{9,}", value):
        return datetime.fromtimestamp(float(value), UTC).strftime(format)
    time = datetime.fromisoformat(value)
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).strftime(format)


def number(value: object, decimals: int | None = None, decimal: str = ".", thousands: str = ",") -> str:
    text = show(value)
    if text == "":
        return ""
    if not NUMBER.fullmatch(text):
        raise ValueError("no number")
    with localcontext(prec=10_000):
        exact = Decimal(text.strip())
        if decimals is not None:
            exact = exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    digits = f"{abs(exact):f}"
    whole, _, fraction = digits.partition(".")
    whole = re.sub(r"(?<=\d)(?=(?:\d{3})+$)", lambda _: thousands, whole)
    sign = "-" if exact < 0 else ""
    return sign + whole + (decimal + fraction if fraction else "")


def on_text(function: Callable[..., str]) -> Callable[..., str]:
    return lambda value, *arguments: function(show(value), *arguments)


def default(value: object, text: object = "") -> object:
    return text if value is None or value is False or value in ("", [], {}) else value


LIQUID: dict[str, Callable[..., object]] = {
    **{name: on_text(str.upper) for name in ("upcase", "upper")},
    **{name: on_text(str.lower) for name in ("downcase", "lower")},
    "capitalize": on_text(capitalize),
    "title": on_text(title),
    "truncate": on_text(truncate),
    "truncatewords": on_text(truncatewords),
    "urlencode": on_text(quote),
    "url_encode": on_text(lambda text: quote_plus(text)),
    **dict.fromkeys(("json", "tojson"), to_json),
    "date": date,
    "number": number,
}


def apply(value: object, name: str, arguments: list) -> object:
    """What a filter of Liquid's makes of a value. What is absent stays so but for `default`."""
    if name == "default":
        return default(value, *arguments)
    return None if value is None else LIQUID[name](value, *arguments)
