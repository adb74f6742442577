"""Mailboxes as the documentation describes them."""

import re

from readers import normal_address

from .names import plain


def mailboxes(value: object) -> list[tuple[str, str]]:
    """(name, address) of each mailbox of a field."""
    if value is None:
        return []
    if isinstance(value, list):
        return [mailbox for item in value for mailbox in mailboxes(item)]
    if isinstance(value, dict):
        parts = {plain(key): part for key, part in value.items()}
        return [(parts.get("name") or "", normal_address(parts.get("address") or parts["email"]))]
    return [mailbox(text) for text in split_list(value)]


def split_list(text: str) -> list[str]:
    """The items of a list, at the commas outside of quotes."""
    return re.findall(r'(?:"(?:[^"\\]|\\.)*"|[^",])+', text)


def mailbox(text: str) -> tuple[str, str]:
    match = re.fullmatch(r'\s*((?:"(?:[^"\\]|\\.)*"|[^"<>])*?)\s*<([^>]*)>\s*', text)
    if not match:
        return "", normal_address(text.strip())
    return unquote(match[1]), normal_address(match[2])


def unquote(word: str) -> str:
    return re.sub(r"\\(.)", r"\1", word[1:-1]) if word.startswith('"') else word
