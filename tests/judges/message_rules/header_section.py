"""Header sections: lines, folding, field names."""

import re
from dataclasses import dataclass

from .encoded_words import check_encoded_words

MAX_FOLDED = 78
# Fields of free text, in which a quotation mark has no meaning.
UNSTRUCTURED = {"subject", "comments", "content-description"}


@dataclass(frozen=True)
class Field:
    """One header field: its name in lower case, its lines, its unfolded body."""

    name: str
    lines: tuple[str, ...]

    @property
    def body(self) -> str:
        """The field body with its folds undone (RFC 5322 section 2.2.3)."""
        return "".join(self.lines).partition(":")[2].lstrip(" \t")


def split_message(octets: bytes) -> tuple[list[Field], bytes, list[str]]:
    """The header fields and the body of a message or of a body part, and the rules its header section breaks."""
    if octets.startswith(b"\r\n"):
        head, body = b"", octets[2:]
    else:
        head, found, body = octets.partition(b"\r\n\r\n")
        if not found:
            return [], b"", ["no empty line ends a header section"]
    lines = head.decode("utf-8", "surrogateescape").split("\r\n") if head else []
    fields: list[list[str]] = []
    broken = []
    for line in lines:
        broken += check_line(line)
        if line[:1] in (" ", "\t"):
            if not fields:
                broken.append("a header section starts with a continuation line")
                continue
            fields[-1].append(line)
        else:
            if not re.match(r"[!-9;-~]+:(?: |$)", line):
                broken.append("a header line is not `Name: body`")
            fields.append([line])
    result = [Field(lines[0].partition(":")[0].lower(), tuple(lines)) for lines in fields]
    for field in result:
        if len(field.lines) > 1 and field.lines[0].endswith(" "):
            broken.append("white space at the end of a header line")
        broken += check_folding(field) + check_encoded_words(field.name, field.lines)
    return result, body, broken


def check_line(line: str) -> list[str]:
    broken = []
    if not line.strip(" \t"):
        broken.append("a header line of white space alone")
    elif line[-1] in " \t" and not re.fullmatch(r"[!-9;-~]+: ", line):
        broken.append("white space at the end of a header line")
    if any(ord(char) < 0x20 and char != "\t" or ord(char) == 0x7F for char in line):
        broken.append("a control character in a header line")
    return broken


def check_folding(field: Field) -> list[str]:
    """No line of more than 78 characters where a fold would make it shorter; the first word is on the name's line."""
    broken = []
    for number, line in enumerate(field.lines):
        if len(line) > MAX_FOLDED and any(useful_fold(line, at, number == 0) for at in fold_points(field, line)):
            broken.append(f"a {field.name} line of more than {MAX_FOLDED} characters could be folded")
    first, *rest = field.lines
    # The line of an encoded word has 76 characters at most (RFC 2047 section 2).
    if rest and first.lower() == f"{field.name}:" and not rest[0].startswith(" =?"):
        broken.append(f"a fold behind the name of {field.name}")
    return broken


def fold_points(field: Field, line: str) -> list[int]:
    """Where white space stands within `line` and outside of quoted strings."""
    masked = line
    if field.name not in UNSTRUCTURED:
        masked = re.sub(r'"(?:[^"\\]|\\.)*"', lambda quoted: "q" * len(quoted[0]), line)
    start = len(line) - len(line.lstrip(" \t"))
    return [match.start() for match in re.finditer(r"[ \t]+", masked) if match.start() >= start]


def useful_fold(line: str, at: int, first: bool) -> bool:
    """Whether a fold at `at` leaves something on the line before it, and that within the limit."""
    if first and line[:at].endswith(":"):
        # Some readers and signers lose a body that begins on the next line.
        return False
    return at <= MAX_FOLDED
