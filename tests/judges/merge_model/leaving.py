"""A value in the query of a mailto: URL is percent-encoded; one that is percent-encoded already stays so."""

import re
from collections.abc import Callable
from urllib.parse import quote

TAG = re.compile(r"(\{\{.*?\}\}\}?)")


def fill_mailto(template: str, fill: Callable[[str], str]) -> str:
    pieces = [piece for piece in TAG.split(template) if piece]
    if TAG.fullmatch(pieces[-1]) and (len(pieces) == 1 or [piece.lower() for piece in pieces[:-1]] == ["mailto:"]):
        return fill(template)
    filled = ""
    for piece in pieces:
        text = fill(piece)
        filled += encoded(text) if TAG.fullmatch(piece) and "?" in filled else text
    return filled


def encoded(value: str) -> str:
    return "".join(
        part if re.fullmatch("%[0-9A-Fa-f]{2}", part) else quote(part, safe="@~")
        for part in re.split("(%[0-9A-Fa-f]{2})", value)
    )
