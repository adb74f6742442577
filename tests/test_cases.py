"""Every case of `cases/` through every door.

A case is a folder with `message.json` and either `expected.pickup`, the exact octets of the pickup file, or
`problems.json`, the exact list of problems; what can be wrong with a merge is in `merge_problems.py`. An envelope id
that is made is always the same one in the expected files. Where bodies are made from others (`textFromHtml`,
`inlineCss`, `mjml`), `made.json` has those that could be given in their place.
`pytest --update-cases` writes the expected files anew from the command.
"""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from case_files import CASES, GOOD, MERGES, cases
from doors import Command, Door, Refused
from judge import judge
from made_ids import with_known_envelope_id
from merge_judge import judge_merge, judge_sent, take_apart
from merge_model import personal
from merge_problems import PROBLEMS
from readers import ForeignReaders

ONE_MESSAGE = [case for case in GOOD if case not in MERGES]
BAD = [case for case in CASES if case.name.startswith("problem_")]


MADE = [case for case in GOOD if (case / "made.json").exists()]
MAKERS = ("textFromHtml", "inlineCss", "mjml", "html")


def given(case: Path) -> bytes:
    """The message of a case, with the bodies given that are made."""
    message = (case / "message.json").read_bytes()
    if case not in MADE:
        return message
    fields = {name: value for name, value in json.loads(message).items() if name not in MAKERS}
    return json.dumps(fields | json.loads((case / "made.json").read_bytes())).encode()


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
        (case / "expected.pickup").write_bytes(with_known_envelope_id(command.pickup_file(message)))


@cases(GOOD)
def test_pickup_file(case: Path, door: Door):
    message = (case / "message.json").read_bytes()
    expected = (case / "expected.pickup").read_bytes()
    door.check(message)
    assert with_known_envelope_id(door.pickup_file(message)) == expected


@cases(ONE_MESSAGE)
def test_render_is_the_message_of_the_pickup_file(case: Path, door: Door):
    message = (case / "message.json").read_bytes()
    rendered = door.render(message)
    if not (case / "expected.pickup").read_bytes().startswith(b"x-sender:"):
        rendered = b"".join(b"." + line if line.startswith(b".") else line for line in rendered.splitlines(True))
        rendered += b".\r\n"
    assert (case / "expected.pickup").read_bytes().endswith(b"\r\n" + rendered)


@cases(MADE)
def test_what_is_made_is_as_if_it_were_given(case: Path, door: Door):
    assert with_known_envelope_id(door.pickup_file(given(case))) == (case / "expected.pickup").read_bytes()


@cases(ONE_MESSAGE)
def test_the_expected_file_is_right(case: Path, readers: ForeignReaders):
    assert judge(given(case), (case / "expected.pickup").read_bytes(), readers) == []


@cases(MERGES)
def test_the_expected_merge_is_right(case: Path, readers: ForeignReaders):
    message = json.loads(given(case))
    assert judge_merge(message, [(case / "expected.pickup").read_bytes()], readers) == []


@cases(MERGES)
def test_render_is_the_message_of_the_first_recipient(case: Path, door: Door, readers: ForeignReaders):
    octets = (case / "message.json").read_bytes()
    first = take_apart([(case / "expected.pickup").read_bytes()])[0]
    rendered = replace(first, file=replace(first.file, message=door.render(octets)))
    assert judge_sent(personal(json.loads(given(case)), 0), rendered, readers.read_all(rendered.file.message)) == []


@cases(BAD)
def test_problems(case: Path, door: Door):
    message = (case / "message.json").read_bytes()
    expected = json.loads((case / "problems.json").read_bytes())
    assert [problems_of(verb, message) for verb in (door.check, door.render, door.pickup_file)] == [expected] * 3


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_has_one_outcome(case: Path):
    outcome = "problems.json" if case in BAD else "expected.pickup"
    assert {path.name for path in case.iterdir()} - {"made.json"} == {"message.json", outcome}
    if case in GOOD:
        fields = json.loads((case / "message.json").read_bytes())
        assert (case in MADE) == any(fields.get(name) for name in MAKERS[:3])


def test_every_problem_code_has_a_case():
    source = (Path(__file__).parent.parent / "core/src/problem/code.rs").read_text(encoding="utf-8")
    codes = set(re.findall(r'^    \w+ = "(\w+)",$', source, re.MULTILINE))
    lists = [json.loads((case / "problems.json").read_bytes()) for case in BAD]
    lists += [problems for _, problems in PROBLEMS.values()]
    seen = {problem["code"] for problems in lists for problem in problems}
    # What is wrong between a form's JSON and its files is tested with forms, what an access key may not with keys, what
    # other services have with their APIs, and warnings, which are problems where that is asked for, by themselves.
    elsewhere = {"unknown_part", "unused_part", "forbidden_sender", "unsupported"}
    warnings = {"foreign_placeholder", "large_html", "missing_text", "missing_alt", "insecure_link", "script_link"}
    assert codes - seen == elsewhere | warnings | {"missing_unsubscribe"}
    assert seen <= codes
