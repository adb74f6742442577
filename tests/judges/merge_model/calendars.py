"""Values in an iCalendar object are escaped as their place asks for, and their lines folded anew."""

import re
from collections.abc import Callable

from .values import with_lf

TAG = re.compile(r"\{\{.*?\}\}\}?")
# Of those that the tests write.
NO_TEXT = {"ATTENDEE", "ORGANIZER", "URL", "DTSTART", "DTEND"}
TEXT_ESCAPES = {"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"}
QUOTED_ESCAPES = {"^": "^^", '"': "^'", "\n": "^n"}


def fill_calendar(content: str, fill: Callable[[str], str]) -> str:
    lines = re.findall(r"[^\n]*(?:\n[ \t][^\n]*)*\n?", with_lf(content))
    return "".join(fill_line(line, fill) if TAG.search(line) else line for line in lines)


def fill_line(line: str, fill: Callable[[str], str]) -> str:
    end = "\n" if line.endswith("\n") else ""
    line = re.sub(r"\n[ \t]", "", line.removesuffix("\n"))
    return fold(TAG.sub(lambda tag: escaped(line[: tag.start()], tag[0], fill(tag[0])), line)) + end


def escaped(before: str, tag: str, value: str) -> str:
    """The value behind what stands before it in its line."""
    if re.match(r"\{\{\s*[\"']", tag):
        return value
    before = TAG.sub("x", before)
    unquoted = re.sub(r'"[^"]*"', "", before)
    if '"' in unquoted:
        return "".join(QUOTED_ESCAPES.get(char, char) for char in value)
    if ":" not in unquoted:
        return value.replace("^", "^^")
    is_text = re.split("[;:]", before)[0].upper() not in NO_TEXT
    return "".join(TEXT_ESCAPES.get(char, char) for char in value) if is_text else value


def fold(line: str) -> str:
    folded, room = "", 75
    for char in line:
        if len(char.encode()) > room:
            folded, room = folded + "\n ", 74
        folded, room = folded + char, room - len(char.encode())
    return folded
