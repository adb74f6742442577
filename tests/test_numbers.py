"""Numbers among the variables keep the digits that they were written with, behind every door that reads JSON."""

import json
from decimal import Decimal
from email import message_from_bytes
from email.policy import SMTP

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import pmtaemail
from daemon import Daemon
from merge_model import jinja
from merge_model.values import Given
from pickup_reader import read
from strategies import examples

LITERALS = [
    "19.90",
    "12345678901234567890123",
    "-12345678901234567890123.4500",
    "1.0",
    "-0",
    "-0.0",
    "1e3",
    "1E400",
    "0.1e-7",
    "18446744073709551616",
    "0." + "0" * 400 + "1",
]
NUMBER = st.from_regex(r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,5})?", fullmatch=True)
MERGE = {"from": "shop@example.com", "to": "ann@example.org", "template": "merge", "text": "{{ x }}|{{ y.z }}."}
DATED = {"date": "2026-01-15T09:30:00+01:00", "messageId": "a@example.com"}


def text_of(variables: str) -> bytes:
    """The JSON of a message with these variables."""
    return json.dumps({**MERGE, **DATED, "variables": "@"}).replace('"@"', variables).encode()


def content(mail: bytes) -> str:
    return message_from_bytes(mail, policy=SMTP).get_content().strip().removesuffix(".")


@pytest.mark.parametrize("literal", LITERALS, ids=lambda literal: literal[:20])
def test_numbers_arrive_as_written_through_every_door(door, literal):
    if door.name in ("python", "node"):
        pytest.skip("the language's own reader of JSON makes a number of it, which has no digits")
    message = text_of(f'{{"x": {literal}, "y": {{"z": {literal}, "other": [1.50]}}}}')
    assert content(door.render(message)) == f"{literal}|{literal}"


@given(NUMBER, NUMBER)
def test_any_number_arrives_as_written(x, z):
    assert content(pmtaemail.render(text_of(f'{{"x": {x}, "\\u0079": {{"\\u007a":{z}}}}}'))) == f"{x}|{z}"


@given(
    st.decimals(allow_nan=False, allow_infinity=False)
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
)
def test_any_number_of_python_arrives_as_it_writes_itself(number):
    variables = {"x": number, "y": {"other": [number], "z": number}}
    shown = str(number)
    assert content(pmtaemail.render(MERGE, variables=variables)) == f"{shown}|{shown}"


def test_decimals_arrive_where_json_is_read_with_them():
    message = json.loads(text_of('{"x": 19.90, "y": {"z": 1E+2}}'), parse_float=Decimal)
    assert content(pmtaemail.render(message)) == "19.90|1E+2"


def test_the_lines_of_a_stream_keep_their_digits(daemon: Daemon):
    message = {key: value for key, value in MERGE.items() if key != "to"}
    people = [f'{{"address": "r@example.org", "variables": {{"x": {x}, "y": {{"z": {x}}}}}}}' for x in LITERALS]
    lines = "\n".join([json.dumps(message), *people]).encode()
    answer = daemon.post(lines, **{"Content-Type": "application/x-ndjson"})
    assert answer.status == 200, answer
    written = [(daemon.pickup / name).read_bytes() for name in answer.json()["files"]]
    sent = [content(expansion.message) for file in written for expansion in read(file).expansions]
    assert sent == [f"{literal}|{literal}" for literal in LITERALS]


# Small enough for floats to tell the results of both languages alike.
SMALL = st.from_regex(r"-?(0|[1-9][0-9]{0,5})(\.[0-9]{1,4})?(e[0-3])?", fullmatch=True)
PATH = st.sampled_from(
    [
        "a", "b", "o.n", "l[0]", "l[-1]", "a|default(3)", "gone|default(b)", "l|first", "l|last", "l|min", "l|max",
        "l|sort|first", "l|sort(reverse=true)|last", "(l + [a])|last", "[o, {'n': b}]|map(attribute='n')|list|last",
        "([o, {'n': b}]|sort(attribute='n')|first).n", "([o, {'n': b}]|max(attribute='n')).n", "(l|unique|list)[0]",
        "(l|reject('lt', a)|list + [b])|first", "({'x': a, 'y': b}|dictsort(by='value')|first)[1]",
        "([o, {'n': b}]|groupby('n')|first).grouper", "a|string", "a ~ 'x' ~ b",
    ]
)  # fmt: skip
NUMERIC = PATH.filter(lambda path: "~" not in path and "string" not in path)
SIDE = st.one_of(NUMERIC.map(lambda path: f"({path})"), st.sampled_from(["a", "b", "o.n", "-a", "3", "19.9", "0"]))
SUM = st.one_of(
    st.tuples(SIDE, st.sampled_from("+-*"), SIDE).map(" ".join),
    st.tuples(SIDE, st.sampled_from("+-*"), SIDE, st.sampled_from("+-*"), SIDE).map(" ".join),
    st.sampled_from(["l|sum", "a|abs", "-a|abs", "a|float", "[o, o]|sum(attribute='n')", "a|int", "b|round(1)"]),
)
TEST = st.one_of(
    st.tuples(SIDE, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), SIDE).map(" ".join),
    st.tuples(SIDE, st.sampled_from(["in l", "not in l", "in [3, b]", "is gt 3", "is eq(a)", "is number"])).map(
        " ".join
    ),
    st.tuples(SUM, st.sampled_from(["<", ">="]), SIDE).map(" ".join),
    st.sampled_from(["l == [a, b, c]", "o == {'n': a}", "l < [b]", "a ~ b == b ~ a", "a < b < c", "[a, b] != [b, a]"]),
)
CONDITION = st.one_of(
    TEST,
    TEST.map(lambda test: f"not {test}"),
    st.tuples(TEST, st.sampled_from([" and ", " or "]), TEST).map("".join),
)
PIECE = st.one_of(
    PATH.map(lambda path: f"{{{{ {path} }}}}"),
    SUM.map(lambda sum: f"{{{{ '%.3f'|format({sum}) }}}}"),
    st.tuples(PATH, CONDITION, PATH).map(lambda three: "{{{{ {} if {} else {} }}}}".format(*three)),
    st.tuples(CONDITION, PATH, PATH).map(
        lambda three: "{{% if {} %}}{{{{ {} }}}}{{% else %}}-{{{{ {} }}}}{{% endif %}}".format(*three)
    ),
    SIDE.map(lambda side: f"{{% for i in l if i < {side} or i == b %}}{{{{ i }}}},{{% endfor %}}"),
    st.tuples(PATH, CONDITION).map(
        lambda two: "{{% set m = {} %}}{{% if {} and m != 3 %}}{{{{ m }}}}{{% endif %}}".format(*two)
    ),
)


@examples(300)
@given(st.lists(PIECE, min_size=1, max_size=5).map("|".join), st.lists(SMALL, min_size=3, max_size=3))
@example("{% if a > 10 %}{{ a }}{% endif %}", ["19.90", "3", "1.0"])
@example("{{ a if -a < b else c }}|{{ l|sort|first }}", ["1e3", "19.90", "19.9"])
def test_only_what_is_computed_loses_its_digits_in_jinja(template, literals):
    a, b, c = literals
    variables = f'{{"a": {a}, "b": {b}, "c": {c}, "o": {{"n": {a}}}, "l": [{a}, {b}, {c}]}}'
    model = json.loads(variables, parse_float=Given, parse_int=lambda text: Given(text) if text == "-0" else int(text))
    message = json.loads(text_of("{}")) | {"template": "jinja", "text": template + "."}
    document = json.dumps(message).replace('"variables": {}', f'"variables": {variables}').encode()
    assert content(pmtaemail.render(document)) == jinja.fill(template, model).strip()
