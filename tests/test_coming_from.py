"""The table "Coming from another program" of docs/merge.md: each mark gives what the table says."""

import re
from pathlib import Path

import pytest

import pmtaemail

PAGE = Path(__file__).parent.parent / "docs/merge.md"
VALUES = {"name": "Ann", "x": 1, "xs": ["a", "b"], "html": "<b>", "X": 1, "FNAME": "Ann"}


def rows() -> list[tuple[str, str, str]]:
    """Mark, what to write, what is told."""
    section = PAGE.read_text(encoding="utf-8").split("## Coming from another program")[1].split("\n## ")[0]
    lines = [line.replace("\\|", "\0") for line in section.splitlines() if line.startswith("| ")]
    cells = [[cell.strip().replace("\0", "|") for cell in line.strip("| ").split("|")] for line in lines[1:]]
    found = [tuple(row[-3:]) for row in cells]
    assert len(found) == 15
    return found


def told(text: str, template: str | None) -> set[str]:
    message = {"from": "a@example.com", "to": "b@example.org", "text": text}
    if template:
        message |= {"template": template, "variables": VALUES}
    found = {"warning"} if pmtaemail.warnings(message) else set()
    return found | ({"problem"} if pmtaemail.check(message) else set())


@pytest.mark.parametrize(("mark", "here", "other"), rows())
def test_each_mark_is_reported_as_the_table_says(mark, here, other):
    text = mark.strip("`").replace("…", "a")
    if "without `template`" in other:
        assert told(text, None) == {"warning"}
    if other.startswith("warning") and "without" not in other:
        for template in (None, "none", "merge", "jinja", "sparkpost"):
            assert "warning" in told(text, template), template
    if other == "problem":
        assert "problem" in told(text, "merge")
        assert "problem" in told(text, "jinja")
    for what, template in re.findall(r"(problem|warning) in (\w+)", other):
        assert what in told(text, template)


@pytest.mark.parametrize(("mark", "here", "other"), rows())
def test_what_is_to_be_written_is_right(mark, here, other):
    found = re.findall(r"(?:(merge|jinja|sparkpost):? )?(?:`([^`]*\{[^`]*)`|the same)", here)
    assert found
    for template, text in found:
        for language in [template] if template else ["merge", "jinja", "sparkpost"]:
            written = (text or mark.strip("`")).replace("…", "a")
            assert told(written, language) == set(), (language, written)
