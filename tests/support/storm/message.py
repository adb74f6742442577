"""What is submitted in a storm. The subject tells the judge what should be there: tag, files, lines of text."""

import json
import random
import re
from dataclasses import dataclass

from pickup_reader import PickupError, read

LINE = b"0123456789abcde\r\n"
# From less than a page to more than goes into one write of many.
LINES = (1, 1, 1, 60, 600, 4_000)
# More than are kept open until they are handed over (core/src/pickup_directory).
MANY = 70
FILES = {"single": 1, "several": 3, "many": MANY}
KINDS = ("single", "several", "many")
WEIGHTS = (20, 4, 1)
SUBJECT = re.compile(rb"^Subject: (\S+) (\d+) (\d+)\r$", re.MULTILINE)


@dataclass(frozen=True)
class Work:
    """One submission, known by its tag, which is its key if it has one. The same tag makes the same message."""

    tag: str
    kind: str
    lines: int
    is_keyed: bool
    # Of a batch that is submitted as a whole: all its files.
    files: int = 0

    @classmethod
    def any(cls, tag: str, is_keyed: bool) -> "Work":
        (kind,) = random.choices(KINDS, WEIGHTS)
        lines = random.choice(LINES) if kind != "many" else 1
        return cls(tag, kind, lines, is_keyed)

    def message(self) -> dict:
        text = LINE.decode().replace("\r", "") * self.lines + "end"
        subject = f"{self.tag} {self.files or FILES[self.kind]} {self.lines}"
        fields = {"from": "a@example.com", "subject": subject, "text": text}
        if self.kind == "single":
            return {**fields, "to": "b@example.org"}
        recipients = [f"r{number}@example.org" for number in range(FILES[self.kind])]
        return {**fields, "merge": "expanded", "recipients": recipients}

    def body(self) -> str:
        return json.dumps(self.message())


def recognize(data: bytes) -> tuple[str, int] | None:
    """Tag and number of files of a submission, given one of them; none if the file is not whole."""
    try:
        message = read(data).message or b""
    except (PickupError, ValueError, IndexError):
        return None
    head, _, text = message.partition(b"\r\n\r\n")
    subjects = SUBJECT.findall(head + b"\r\n")
    if len(subjects) != 1:
        return None
    tag, files, lines = subjects[0]
    return (tag.decode(), int(files)) if text == LINE * int(lines) + b"end\r\n" else None
