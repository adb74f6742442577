"""What of Python's kinds of objects a message takes, and what is said of those that it does not."""

import asyncio
import csv
import io
import os
from collections import UserString
from datetime import date, datetime
from decimal import Decimal
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path
from uuid import UUID

import numpy
import pandas
import pydantic
import pytest
from django.utils.functional import lazystr

import pmtaemail
from python_messages import MESSAGE, Priority

MERGE = {"from": "shop@example.com", "subject": "News", "template": "merge", "text": "{{ x }}."}


PERSON = {"address": "ann@example.org"}


def attached(content: object, **more: object) -> dict:
    return {**MESSAGE, "attachments": [{"filename": "a.txt", "content": content, **more}]}


def found(message: object = None, **fields: object) -> list[tuple[str, str]]:
    return [(problem.code, problem.pointer) for problem in pmtaemail.check(message, **fields)]


def sentence(message: object, **fields: object) -> str:
    (problem,) = pmtaemail.check(message, **fields)
    return problem.detail


# All of them have a text of four letters, which could be base64.
STR_LIKES = [Path("data"), UserString("data"), Priority.HIGH, Decimal(1234), UUID(int=5), date(2026, 1, 2)]


@pytest.mark.parametrize("value", STR_LIKES, ids=lambda value: type(value).__name__)
def test_what_only_has_a_text_is_no_content(value):
    for encoding in ({}, {"encoding": "utf8"}):
        assert found(attached(value, **encoding)) == [("wrong_type", "/attachments/0/content")]
    assert "no file is read" in sentence(attached(value))
    for field in ("text", "html", "amp", "raw"):
        assert ("wrong_type", f"/{field}") in found(MESSAGE, **{field: value})
    assert ("wrong_type", "/raw/content") in found(raw={"content": value})
    invitation = {"method": "REQUEST", "content": value}
    assert found(MESSAGE, calendar=invitation) == [("wrong_type", "/calendar/content")]
    # Where a text means something, so does what has one.
    assert found(MESSAGE, subject=value, attachments=[{"filename": value, "content": b""}]) == []


def test_names_of_files_that_are_octets_are_no_content(tmp_path: Path):
    (tmp_path / "data").write_bytes(b"x")
    (entry,) = os.scandir(os.fsencode(tmp_path))
    assert found(attached(entry)) == [("wrong_type", "/attachments/0/content")]


def test_invalid_base64_names_the_alternatives():
    detail = sentence(attached("Grüße"))
    assert 'encoding: "utf8"' in detail
    assert "`bytes`" in detail


def test_an_attachment_is_not_a_path():
    for attachments in (["report.pdf"], {Path("report.pdf")}, (name for name in ["report.pdf"])):
        (problem,) = pmtaemail.check(MESSAGE, attachments=attachments)
        assert (problem.code, problem.pointer) == ("wrong_type", "/attachments/0")
        assert "`pmtaemail.attachment`" in problem.detail


def test_content_comes_whole():
    for pieces in ({b"x"}, (piece for piece in [b"x", b"y"]), [b"x"]):
        assert "whole content" in sentence(attached(pieces))


@pytest.mark.parametrize("where", ["attachment", "raw", "text", "message"])
def test_streams_are_not_read(where: str, tmp_path: Path):
    (tmp_path / "data").write_bytes(b"data")
    for stream in (io.BytesIO(b"data"), io.StringIO("data"), (tmp_path / "data").open("rb")):
        message = attached(stream) if where == "attachment" else {**MESSAGE, where: stream}
        with stream, pytest.raises(TypeError, match=r"stream.*\.read\(\)") as error:
            pmtaemail.check(stream if where == "message" else message)
        pointer = {"attachment": "/attachments/0/content"}.get(where, f"/{where}")
        assert getattr(error.value, "__notes__", []) == ([] if where == "message" else [f"in the message at {pointer}"])


def test_bytes_are_no_text():
    for field in ("subject", "text", "html", "envid"):
        assert "decode" in sentence(MESSAGE, **{field: b"x"})


def test_a_path_is_not_a_message():
    with pytest.raises(TypeError, match="a path is not read"):
        pmtaemail.check(Path("message.json"))


def test_a_finished_message_is_told_from_json():
    for octets in (b"Subject: x\r\n\r\nHello", "From: a@example.com\n\nHello", b"Subject: x\r\n\r\n\xff"):
        (problem,) = pmtaemail.check(octets)
        assert (problem.code, problem.pointer) == ("not_json", "")
        assert "`raw`" in problem.detail
    for text in ("Hello", "", "5", "[]", '{"subject": "x"', ": x"):
        assert not [problem for problem in pmtaemail.check(text) if "`raw`" in problem.detail]
    for raw in (b'{"from": "a@example.com"}', '\n {"from": 1}', {"content": b"{}"}):
        (problem,) = pmtaemail.check(raw=raw)
        assert (problem.code, problem.pointer) == ("invalid_content", "/raw")
        assert "JSON" in problem.detail


def test_a_date_without_offset_says_what_it_lacks():
    naive = datetime(2026, 1, 2, 3, 4, 5, 6)
    assert "`tzinfo`" in sentence(MESSAGE, date=naive)
    assert "`tzinfo`" in sentence(MESSAGE, schedule=[{"start": naive, "end": "2026-01-03T00:00:00Z"}])
    assert "`tzinfo`" not in sentence(MESSAGE, date=naive.date())


def test_a_name_that_is_no_text_is_a_problem():
    assert ("wrong_type", "") in found({**MESSAGE, 1: 2})
    assert found({**MESSAGE, "headers": {None: "x"}}) == [("wrong_type", "/headers")]
    assert ("wrong_type", "/attachments/0") in found(attached(b"", **{}) | {"attachments": [{b"content": b""}]})
    assert ("wrong_type", "/variables/x") in found({**MERGE, "to": "a@example.org"}, variables={"x": {None: 1}})


def test_a_row_of_csv_with_a_value_too_many_is_its_recipients_problem():
    rows = csv.DictReader(io.StringIO("email,x\nann@example.org,1\nbo@example.org,2,3\ncy@example.org,4\n"))
    recipients = ({"address": row["email"], "variables": row} for row in rows)
    (problem,) = pmtaemail.check(MERGE, recipients=recipients)
    assert (problem.code, problem.pointer) == ("wrong_type", "/recipients/1/variables")
    assert "csv.DictReader" in problem.detail


def filled(value: object) -> str:
    """What the mail says where the template puts the value in."""
    mail = pmtaemail.render(MERGE, recipients=[{"address": "ann@example.org", "variables": {"x": value}}])
    return message_from_bytes(mail, policy=SMTP).get_content().strip().removesuffix(".")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (numpy.int64(-5), "-5"),
        (numpy.uint64(2**64 - 1), "18446744073709551615"),
        (numpy.float64(19.9), "19.9"),
        (numpy.float32(19.9), "19.9"),
        (numpy.bool_(True), "true"),
        (numpy.str_("å"), "å"),
        (numpy.array(7), "7"),
        (numpy.float64(1), "1.0"),
        (numpy.longdouble("0.1234567890123456789"), "0.1234567890123456789"),
        (numpy.datetime64("2026-01-02T03:04:05", "ns"), "2026-01-02T03:04:05.000000000"),
        (numpy.datetime64("2026-01-02"), "2026-01-02"),
        (pandas.Timestamp(2026, 1, 2), "2026-01-02T00:00:00"),
        (UserString("å"), "å"),
    ],
    ids=lambda value: f"{type(value).__name__} {value}",
)
def test_values_of_numpy_and_pandas(value, text):
    assert filled(value) == text


@pytest.mark.parametrize(
    "value",
    [float("nan"), numpy.nan, numpy.float32("nan"), numpy.datetime64("NaT"), pandas.NA, pandas.NaT, Decimal("NaN")],
    ids=repr,
)
def test_an_empty_cell_of_pandas_is_reported(value):
    person = {"address": "ann@example.org", "variables": {"x": value}}
    (problem,) = pmtaemail.check({**MERGE, "variables": {"x": 1}}, recipients=[person])
    assert (problem.code, problem.pointer) == ("wrong_type", "/recipients/0/variables/x")
    assert "pandas" in problem.detail
    assert "pandas" in sentence(MESSAGE, subject=value)


def test_what_is_of_the_wrong_type_is_not_missing_as_well():
    for value, code in [(float("nan"), "wrong_type"), (None, "missing_variable")]:
        person = {**PERSON, "variables": {"x": value}}
        assert found(MERGE, recipients=[person]) == [(code, "/recipients/0/variables/x")]
        assert found({**MESSAGE, "template": "merge", "text": "{{ x }}"}, variables={"x": value}) == [
            (code, "/variables/x")
        ]


@pytest.mark.parametrize(
    "number", [2**64, -(2**63) - 1, 10**400, numpy.array(10**30)], ids=lambda number: str(number)[:6]
)
def test_an_int_of_any_size_keeps_its_digits_and_is_no_text(number):
    assert filled(number) == str(number)
    assert "must be a string" in sentence(MESSAGE, subject=number)


def test_an_int_that_python_does_not_write_is_reported():
    for value, pointer in [(10**5000, "/variables/x"), ([10**5000], "/variables/x/0")]:
        (problem,) = pmtaemail.check(MESSAGE, template="merge", variables={"x": value})
        assert (problem.pointer, problem.code) == (pointer, "wrong_type")
        assert "sys.set_int_max_str_digits" in problem.detail


class ForwardingText:
    """A lazy text as Flask-Babel has it: it asks the text for all that it has not."""

    def __init__(self, text: str):
        self._text = text

    def __getattr__(self, name):
        return getattr(self._text, name)

    def __iter__(self):
        return iter(self._text)

    def __str__(self):
        return self._text


@pytest.mark.parametrize("lazy", [lazystr, ForwardingText, UserString])
def test_a_lazy_text_is_a_text_and_no_list_of_letters(lazy):
    assert filled(lazy("Ça va?")) == "Ça va?"
    given = {"to": "Ann <ann@example.org>", "subject": "Hi", "references": "<a@b>", "headers": {"X-A": "ab"}}
    mail = pmtaemail.render(MESSAGE | given)
    for name in ("to", "subject", "references"):
        assert pmtaemail.render(MESSAGE | given | {name: lazy(given[name])}) == mail
    assert pmtaemail.render(MESSAGE | given | {"headers": {"X-A": lazy("ab")}}) == mail
    assert (
        pmtaemail.render(MESSAGE | given | {"to": [{"name": lazy("Ann"), "address": lazy("ann@example.org")}]}) == mail
    )
    for field in ("text", "html", "amp"):
        assert "give the text itself" in sentence(MESSAGE, **{field: lazy("abc")})


def test_a_number_given_as_text_is_reported():
    for priority in (Decimal(50), "50"):
        (problem,) = pmtaemail.check(MERGE, variables={"x": 1}, recipients=[{**PERSON, "priority": priority}])
        assert (problem.code, problem.pointer) == ("invalid_choice", "/recipients/0/priority")
        assert "an int" in problem.detail
    assert found(MERGE, variables={"x": 1}, recipients=[{**PERSON, "priority": numpy.int32(50)}]) == []


def test_rows_of_pandas():
    table = pandas.DataFrame({"email": ["ann@example.org", "bo@example.org"], "x": [1, 2]})
    rows = [row for _, row in table.iterrows()]
    for recipients in (table.rename(columns={"email": "address"})[["address"]].to_dict("records"), None):
        people = recipients or ({"address": row["email"], "variables": row} for row in rows)
        assert found(MERGE, variables={"x": 0}, recipients=people) == []


class Mail(pydantic.BaseModel):
    from_: str = pydantic.Field(alias="from")
    to: list[str]
    text: str
    date: datetime
    message_id: str
    subject: str | None = None


def test_a_model_of_pydantic_is_a_message():
    fields = {"from": "shop@example.com", "to": MESSAGE["to"], "text": "Hello", "message_id": "1@example.com"}
    mail = Mail.model_validate({**fields, "date": "2026-01-02T03:04:05Z"})
    assert pmtaemail.render(mail) == pmtaemail.render(MESSAGE)
    assert pmtaemail.render(mail, text="Bye") == pmtaemail.render(MESSAGE, text="Bye")


def test_asynchronous_values_are_reported_as_such():
    async def people():
        yield "ann@example.org"

    async def body() -> str:
        return "Hello"

    coroutine = body()
    for field, value in {"to": people(), "recipients": people(), "text": coroutine}.items():
        with pytest.raises(TypeError, match=r"asynchronous.*AsyncPickup") as error:
            pmtaemail.check({**MERGE, field: value})
        assert error.value.__notes__ == [f"in the message at /{field}"]
    assert asyncio.run(coroutine) == "Hello"
