"""Numbers among the variables keep the digits that they were written with, behind every door that reads JSON."""

import json
from decimal import Decimal
from email import message_from_bytes
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pmtaemail
from daemon import Daemon
from pickup_reader import read

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
