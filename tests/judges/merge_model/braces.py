"""Templates of the kind `merge`: `{{ name }}`, `{{{ name }}}`, `{{ name | default: "friend" }}`, `{{ "literal" }}`."""

import re

from .filters import apply
from .values import escape, show, with_lf

NAME = r"[A-Za-z_][A-Za-z0-9_]*"
LITERAL = r""""(?:[^"]*)"|'(?:[^']*)'"""
ARGUMENT = rf"{LITERAL}|-?\d+(?:\.\d+)?|true|false|nil"
FILTER = rf"\s*\|\s*(?P<name>\w+)(?:\s*:\s*(?P<arguments>(?:{ARGUMENT})(?:\s*,\s*(?:{ARGUMENT}))*))?"
CHAIN = re.sub(r"\(\?P<\w+>", "(?:", FILTER)


def expression(kind: str) -> str:
    """What stands between the braces; the names of its groups begin with `kind`."""
    path = rf"(?P<{kind}_path>{NAME}(?:\.{NAME})*)"
    return rf"\s*(?:{path}|(?P<{kind}_literal>{LITERAL}))(?P<{kind}_filters>(?:{CHAIN})*)\s*"


# Three braces are a value of HTML where three end it; of others the first is text.
TAG = re.compile(rf"\{{\{{\{{{expression('raw')}\}}\}}\}}|\{{\{{{expression('plain')}\}}\}}")


class Missing(Exception):
    """The template needs a variable that has no value."""


def fill(template: str, variables: dict, *, html: bool = False) -> str:
    """`template` with its values. In HTML they are escaped, but for those in triple braces.

    A line end stays one, whatever it touches: those of the text and of values are LF before they meet.
    """

    def text(tag: re.Match[str]) -> str:
        is_raw = tag["raw_path"] is not None or tag["raw_literal"] is not None
        kind = "raw" if is_raw else "plain"
        path, literal, filters = (tag[f"{kind}_{part}"] for part in ("path", "literal", "filters"))
        value = look_up(path, variables) if literal is None else literal[1:-1]
        if isinstance(value, str):
            value = with_lf(value)
        for found in re.finditer(FILTER, filters):
            value = apply(value, found["name"], arguments(found["arguments"] or ""))
        if value is None:
            raise Missing(path)
        filled = show(value)
        return escape(filled) if html and not is_raw else filled

    return TAG.sub(text, with_lf(template))


def arguments(text: str) -> list:
    """The arguments of a filter."""
    words = {"true": True, "false": False, "nil": None}
    found = re.findall(ARGUMENT, text)
    return [
        word[1:-1] if word[0] in "\"'" else words[word] if word in words else float(word) if "." in word else int(word)
        for word in found
    ]


def look_up(path: str, variables: dict) -> object:
    """The value at a dotted path; None where there is none."""
    value: object = variables
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value
