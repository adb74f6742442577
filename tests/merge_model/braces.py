"""Templates of the kind `merge`: `{{ name }}`, `{{{ name }}}`, `{{ name | default: "friend" }}`, `{{ "literal" }}`."""

import re

from .values import escape, show, with_lf

NAME = r"[A-Za-z_][A-Za-z0-9_]*"
LITERAL = r""""(?:[^"]*)"|'(?:[^']*)'"""
EXPRESSION = (
    rf"\s*(?:(?P<path>{NAME}(?:\.{NAME})*)(?:\s*\|\s*default\s*:\s*(?P<default>{LITERAL}))?|(?P<literal>{LITERAL}))\s*"
)
TAG = re.compile(rf"\{{\{{(?P<raw>\{{)?{EXPRESSION}(?(raw)\}})\}}\}}")


class Missing(Exception):
    """The template needs a variable that has no value."""


def fill(template: str, variables: dict, *, html: bool = False) -> str:
    """`template` with its values. In HTML they are escaped, but for those in triple braces and literals.

    A line end stays one, whatever it touches: those of the text and of values are LF before they meet.
    """

    def text(tag: re.Match[str]) -> str:
        if tag["literal"] is not None:
            return tag["literal"][1:-1]
        found = look_up(tag["path"], variables)
        if found is None and tag["default"] is None:
            raise Missing(tag["path"])
        filled = tag["default"][1:-1] if found is None else with_lf(show(found))
        return escape(filled) if html and not tag["raw"] else filled

    return TAG.sub(text, with_lf(template))


def look_up(path: str, variables: dict) -> object:
    """The value at a dotted path; None where there is none."""
    value: object = variables
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value
