"""Header fields in `headers` that the documentation reads as fields of the message."""

from email.utils import parsedate_to_datetime

from .structured import spaced
from .urls import angles_without_brackets

# By the name of the header field, the field that says the same.
FIELDS = {
    "date": "date",
    "message-id": "messageid",
    "reply-to": "replyto",
    "in-reply-to": "inreplyto",
    "references": "references",
}
URGENCY = {"1": "high", "2": "high", "3": "normal", "4": "low", "5": "low"}
# In a mail merge these are shown, and deliver nothing.
SHOWN = ("to", "cc")
OWN = {*FIELDS, *SHOWN, "x-priority", "importance", "list-unsubscribe", "list-unsubscribe-post"}


def without_own(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The header fields that are the sender's own."""
    return [(name, text) for name, text in pairs if name not in OWN]


def fields_of(pairs: list[tuple[str, str]]) -> dict:
    """What the header fields say, as fields of the message."""
    found = {FIELDS[name]: spaced(text) for name, text in pairs if name in FIELDS}
    if "date" in found:
        found["date"] = parsedate_to_datetime(found["date"].partition("(")[0]).isoformat()
    return found


def priority(pairs: list[tuple[str, str]], word: str | None) -> list[tuple[str, str]]:
    """X-Priority and Importance; `word` is what the message or the recipient says by its field."""
    given = dict(pairs)
    number = spaced(given.get("x-priority", "").partition("(")[0])
    word = word or spaced(given.get("importance", "")).lower() or URGENCY.get(number)
    if not word:
        return []
    if URGENCY.get(number) != word:
        number = {"high": "1", "normal": "3", "low": "5"}[word]
    return [("x-priority", number), ("importance", word)]


def leaving(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """List-Unsubscribe and List-Unsubscribe-Post."""
    given = dict(pairs)
    names = [name for name in ("list-unsubscribe", "list-unsubscribe-post") if name in given]
    return [
        (name, ", ".join(angles_without_brackets(spaced(part)) for part in given[name].split(","))) for name in names
    ]
