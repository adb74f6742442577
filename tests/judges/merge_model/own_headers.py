"""Header fields of a recipient's own: each stands in place of the message's of its name, or beside its others."""

from model.names import members
from model.values import own_pairs

# The fields of the message that say what a header field says.
FIELDS = {
    "reply-to": "replyto", "in-reply-to": "inreplyto", "references": "references", "date": "date",
    "message-id": "messageid", "x-priority": "priority", "importance": "priority", "list-unsubscribe": "unsubscribe",
    "list-unsubscribe-post": None, "to": None, "cc": None,
}  # fmt: skip
URGENCY = {"x-priority", "importance"}


def with_own(plain: dict, headers: object) -> dict:
    """The plain message with the header fields of one recipient."""
    own = own_pairs({"headers": headers})
    names = {name for name, _ in own}
    if names & URGENCY:
        names |= URGENCY
    common = own_pairs({"headers": plain.get("headers")})
    kept = [(name, text) for name, text in common if name not in names]
    if "list-unsubscribe" in names and "list-unsubscribe-post" not in names:
        kept = [(name, text) for name, text in kept if name != "list-unsubscribe-post"]
        is_https = any("<https:" in text.lower() for name, text in own if name == "list-unsubscribe")
        if is_https and has_one_click(plain, common):
            kept.append(("list-unsubscribe-post", "List-Unsubscribe=One-Click"))
    if "list-unsubscribe-post" in names and "list-unsubscribe" not in names and "unsubscribe" in plain:
        own = [(name, text) for name, text in own if name != "list-unsubscribe-post"]
        plain = {**plain, "unsubscribe": {**members(plain["unsubscribe"]), "oneclick": True}}
    result = {name: value for name, value in plain.items() if name not in {FIELDS.get(own) for own in names}}
    result["headers"] = [{"name": name, "value": text} for name, text in [*kept, *own]]
    return result


def has_one_click(plain: dict, common: list[tuple[str, str]]) -> bool:
    """Whether the message asks for one click."""
    ways = members(plain.get("unsubscribe") or {})
    is_asked = str(ways.get("url", "")).lower().startswith("https:") and ways.get("oneclick") is not False
    return is_asked or any(name == "list-unsubscribe-post" for name, _ in common)
