"""The page of promises names tests that are there."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs/promises.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if re.match(r"\| [A-Z]", line)]


def named(row: str) -> list[tuple[str, str | None]]:
    """Each file that a row names, with a test in it; a test without a file is in the one before."""
    found: list[tuple[str, str | None]] = []
    for words in re.findall(r"`(test_\w+(?:\.py)?(?:::\w+)?)`", row):
        file, _, test = words.rpartition("::") if "::" in words else (words, "", None)
        found.append((file, test) if file.endswith(".py") else (found[-1][0], file))
    return found


def test_there_are_promises():
    assert len(ROWS) >= 10


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:40])
def test_a_promise_is_tried(row: str):
    assert named(row), "no test is named"
    for file, test in named(row):
        source = (TESTS / file).read_text(encoding="utf-8")
        assert test is None or f"\ndef {test}(" in source, f"{file}::{test}"
