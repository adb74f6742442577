"""What the tests of the Python package share: a message, and values that stand for texts."""

import enum

import pmtaemail

FIXED = {"date": "2026-01-02T03:04:05Z", "messageId": "1@example.com"}
MESSAGE = {"from": "shop@example.com", "to": ["ann@example.org", "bob@example.org"], "text": "Hello", **FIXED}
RENDERED = pmtaemail.render(MESSAGE)


class Priority(enum.Enum):
    HIGH = "high"


class Shouting(str):
    def __str__(self) -> str:
        return "NOT THIS"
