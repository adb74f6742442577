"""Header fields whose text is what counts."""

import re

from .names import members
from .own_headers import fields_of, leaving, priority, without_own
from .structured import structured
from .urls import without_brackets


def values(fields: dict) -> list[tuple[str, str]]:
    """Name and text of each such field, in the order in which they stand."""
    given = own_pairs(fields)
    fields = {**fields, **fields_of(given)}
    found = []
    for key, name in (("inreplyto", "in-reply-to"), ("references", "references")):
        if ids := message_ids(fields.get(key)):
            found.append((name, " ".join(ids)))
    found += unsubscribe(members(fields.get("unsubscribe", {})))
    found += leaving(given) + priority(given, fields.get("priority", "").lower())
    return found + headers(fields.get("headers"))


def own_pairs(fields: dict) -> list[tuple[str, str]]:
    """Name and text of each header field in `headers`."""
    value = fields.get("headers")
    if value is None:
        return []
    pairs = value.items() if isinstance(value, dict) else [named(item) for item in value if item is not None]
    return [(name.lower(), text) for name, given in pairs for text in texts(given)]


def message_ids(value: object) -> list[str]:
    return ["<" + word.strip("<>") + ">" for text in texts(value) for word in re.split("[ \t]+", text) if word]


def unsubscribe(ways: dict) -> list[tuple[str, str]]:
    if not ways:
        return []
    targets = [without_brackets(ways["url"])] if "url" in ways else []
    if "mailto" in ways:
        mailto = ways["mailto"]
        mailto = mailto if mailto.lower().startswith("mailto:") else f"mailto:{mailto}"
        targets.append(without_brackets(mailto))
    found = [("list-unsubscribe", ", ".join(f"<{target}>" for target in targets))]
    if ways.get("oneclick", True) and ways.get("url", "").lower().startswith("https:"):
        found.append(("list-unsubscribe-post", "List-Unsubscribe=One-Click"))
    return found


def headers(value: object) -> list[tuple[str, str]]:
    if value is None:
        return []
    return [(name, structured(name, text)) for name, text in without_own(own_pairs({"headers": value}))]


def named(item: dict) -> tuple[str, object]:
    parts = members(item)
    return parts["name"], parts["value"]


def texts(value: object) -> list[str]:
    """One text or several."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else [text for text in value if text is not None]
