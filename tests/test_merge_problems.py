"""What is wrong with a message for many: every problem with its code and place, and nothing is handed over."""

import json
from collections.abc import Callable

import pytest

from daemon import Daemon
from doors import Command, Door, PythonJson, Refused, encode
from merge_problems import BASE, PROBLEMS, merge, one, own, without_place


def problems_of(verb, message: bytes) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as refused:
        verb(message)
    return [(problem["code"], problem["pointer"]) for problem in refused.value.problems]


def verbs_of(door: Door) -> list[Callable[[bytes], object]]:
    return [door.check, door.render, door.pickup_files]


def found_by(verb: Callable[[bytes], object], message: dict) -> list[dict[str, str]]:
    with pytest.raises(Refused) as refused:
        verb(encode(message))
    return without_place(refused.value.problems)


@pytest.mark.parametrize("name", PROBLEMS)
def test_problems(name: str):
    message, expected = PROBLEMS[name]
    assert [found_by(verb, message) for verb in verbs_of(PythonJson())] == [expected] * 3


def test_every_interface_reports_the_same(door: Door):
    """To every verb. Each verb of the command is a process of its own: they take turns."""
    verbs = verbs_of(door)
    for turn, (name, (message, expected)) in enumerate(PROBLEMS.items()):
        asked = verbs if not isinstance(door, Command) else [verbs[turn % len(verbs)]]
        assert [found_by(verb, message) for verb in asked] == [expected] * len(asked), name


def test_the_position_in_a_template_is_reported(door: Door):
    texts = {
        ("merge", "Hello\n\né {{ name | uper }}"): "In line 3, column 13 there is an unknown filter `uper`.",
        ("merge", "{{ a }} {% if a %}"): "In line 1, column 9 there is a tag of another template language",
        ("merge", "Hello\n {{ user.name }}"): "The template needs this variable in `/text`, line 2, column 2; give",
        ("sparkpost", "Hello\n {{ for }}"): "In line 2, column 2 there is the word `for`, which is not allowed here",
        ("sparkpost", "é\n {{ a > 1 }}"): "The template in `/text`, line 2, column 2, compares values of different",
        ("jinja", "Hello\n {{ user.name }}"): "The template in `/text` needs a variable that is not given: ",
        ("jinja", "é {{ 1|shout }}"): "This is not a valid template: unknown filter `shout`, in line 1, column 8.",
        ("jinja", "Hello\n{% if %}"): "This is not a valid template: syntax error, in line 2, column 7.",
    }  # fmt: skip
    for (language, text), expected in texts.items():
        message = one(text=text, template=language, variables={"a": "b", "user": {}})
        with pytest.raises(Refused) as refused:
            door.check(encode(message))
        (problem,) = refused.value.problems
        assert expected in problem["detail"]


def test_no_file_is_left(daemon: Daemon):
    assert {daemon.post(encode(message)).status for message, _ in PROBLEMS.values()} == {422}
    assert daemon.files() == []


def test_problems_of_many_recipients_are_in_their_order(door: Door):
    variables = [{} if index % 3 == 0 else {"x": "\n" if index % 3 == 1 else "a"} for index in range(9)]
    found = problems_of(door.check, encode(merge([*own()[:0], *(own(v)[0] for v in variables)], subject="{{ x }}")))
    codes = {0: "missing_variable", 1: "control_character"}
    assert found == [(codes[n % 3], f"/recipients/{n}/variables/x") for n in range(9) if n % 3 < 2]


def test_at_most_1000_problems_are_listed(door: Door):
    found = problems_of(door.check, encode(merge(own() * 3_000, subject="{{ x }}")))
    assert found == [("missing_variable", f"/recipients/{index}/variables/x") for index in range(1_000)]


def test_details_do_not_repeat_values(door: Door):
    canary = "kanarienvogel"
    for message in (
        merge(own({"x": f"{canary}\n"}), subject="{{ x }}"),
        merge(own(), text=f"{{{{ {canary} {canary} }}}}"),
        merge(own({"x": f"{canary} "}), unsubscribe={"url": "https://example.com/{{ x }}"}),
        merge(own(), text="{% " + canary + " %}", template="jinja"),
        merge(own({"x": canary}), text="{{ x.y.z }}", template="jinja"),
        merge(own({"x": canary}), text="{{ each x }}{{ end }}", template="sparkpost"),
        merge(own(), text="{{ " + canary + " " + canary + " }}", template="sparkpost"),
    ):
        with pytest.raises(Refused) as refused:
            door.check(encode(message))
        assert canary not in str([problem["detail"] for problem in refused.value.problems])


@pytest.mark.parametrize(
    ("recipient", "code", "pointer"),
    [
        ('{"address": "a@b.example", "variables": {"x": "\\ud800"}}', "lone_surrogate", "/recipients/0/variables/x"),
        ('{"address": "a@b.example", "envid": "a", "envid": "b"}', "duplicate_field", "/recipients/0/envid"),
        ('{"address": "a@b.example", "email": "a@b.example"}', "duplicate_field", "/recipients/0/email"),
        (
            '{"address": "a@b.example", "variables": {"x": 1, "x": 1}}',
            "duplicate_field",
            "/recipients/0/variables/x",
        ),
    ],
)
def test_json_that_no_dict_can_represent(door: Door, recipient: str, code: str, pointer: str):
    message = json.dumps({**BASE, "recipients": ["#"]}).replace('"#"', recipient)
    assert problems_of(door.check, message.encode()) == [(code, pointer)]


def test_names_of_variables_are_case_sensitive(door: Door):
    door.check(encode(merge(own({"x": 1, "X": 2, "x_": 3}), text="{{ x }}{{ X }}{{ x_ }}")))
