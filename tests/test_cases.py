"""Every case of `cases/` through every door.

A case is a folder with `message.json` and either `expected.pickup`, the exact octets of the pickup file, or
`problems.json`, the exact list of problems. `pytest --update-cases` writes the expected files anew from the command.
"""

import json
import re
from pathlib import Path

import pytest

from doors import Command, Door, Refused
from judge import judge
from readers import ForeignReaders

CASES = sorted(path.parent for path in (Path(__file__).parent / "cases").glob("*/message.json"))
GOOD = [case for case in CASES if not case.name.startswith("problem_")]
BAD = [case for case in CASES if case.name.startswith("problem_")]

# Cases whose expected file is right and which the product does not meet yet, with what it does instead.
NOT_YET = {
    "attached_message_8bit": "the multiparts around an 8bit part do not say that they are 8bit (RFC 2045 section 6.4)",
    "attachment_names": "`'` and `*` stand in file names that are not quoted, which Python's email takes for RFC 2231",
    "dsn_empty": "an empty `dsn` takes the BSMTP form though the header form could say it all",
    "problem_attached_message_last_line": "a last line of 999 octets without a line end is taken",
    "problem_dkim_wrong_domain": "a member of the wrong type makes another one missing",
    "problem_header_lacks_both": "of two missing members one is told",
    "problem_unsubscribe_twice": "List-Unsubscribe can be given twice, by `headers` and by `unsubscribe`",
    "problem_unsubscribe_wrong_mailto": "a member of the wrong type makes another one missing",
    "smtputf8_in_headers_alone": "an internationalised address in a header field alone does not make SMTPUTF8",
}


def cases(which: list[Path]) -> pytest.MarkDecorator:
    """The test runs on each of the cases."""
    return pytest.mark.parametrize(
        "case",
        [
            pytest.param(case, id=case.name, marks=pytest.mark.xfail(reason=NOT_YET[case.name]))
            if case.name in NOT_YET
            else pytest.param(case, id=case.name)
            for case in which
        ],
    )


def problems_of(verb, message: bytes) -> list[dict[str, str]]:
    with pytest.raises(Refused) as refused:
        verb(message)
    return refused.value.problems


@pytest.fixture(autouse=True)
def _update(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-cases") and hasattr(request.node, "callspec"):
        update(request.node.callspec.params["case"], Command(request.getfixturevalue("binary")))


def update(case: Path, command: Command) -> None:
    """Writes the expected file of a case as the command makes it now."""
    message = (case / "message.json").read_bytes()
    if case in BAD:
        problems = problems_of(command.check, message)
        text = json.dumps(problems, indent=2, ensure_ascii=False) + "\n"
        (case / "problems.json").write_text(text, encoding="utf-8")
    else:
        (case / "expected.pickup").write_bytes(command.pickup_file(message))


@cases(GOOD)
def test_pickup_file(case: Path, door: Door):
    message = (case / "message.json").read_bytes()
    expected = (case / "expected.pickup").read_bytes()
    door.check(message)
    assert door.pickup_file(message) == expected


@cases(GOOD)
def test_render_is_the_message_of_the_pickup_file(case: Path, door: Door):
    message = (case / "message.json").read_bytes()
    rendered = door.render(message)
    if not (case / "expected.pickup").read_bytes().startswith(b"x-sender:"):
        rendered = b"".join(b"." + line if line.startswith(b".") else line for line in rendered.splitlines(True))
        rendered += b".\r\n"
    assert (case / "expected.pickup").read_bytes().endswith(b"\r\n" + rendered)


@cases(GOOD)
def test_the_expected_file_is_right(case: Path, readers: ForeignReaders):
    assert judge((case / "message.json").read_bytes(), (case / "expected.pickup").read_bytes(), readers) == []


@cases(BAD)
def test_problems(case: Path, door: Door):
    message = (case / "message.json").read_bytes()
    expected = json.loads((case / "problems.json").read_bytes())
    assert [problems_of(verb, message) for verb in (door.check, door.render, door.pickup_file)] == [expected] * 3


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_has_one_outcome(case: Path):
    outcome = "problems.json" if case in BAD else "expected.pickup"
    assert {path.name for path in case.iterdir()} == {"message.json", outcome}


def test_every_problem_code_has_a_case():
    source = (Path(__file__).parent.parent / "core/src/problem/code.rs").read_text(encoding="utf-8")
    codes = set(re.findall(r'^    \w+ = "(\w+)",$', source, re.MULTILINE))
    seen = {problem["code"] for case in BAD for problem in json.loads((case / "problems.json").read_bytes())}
    assert codes
    assert seen == codes
