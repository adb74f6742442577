"""What Python may give as a message."""

import dataclasses
import enum
import gc
import json
import pickle
import re
import sys
import weakref
from collections import ChainMap, OrderedDict, UserDict
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.mime.text import MIMEText
from email.policy import SMTP
from pathlib import Path, PurePosixPath
from types import MappingProxyType

import pytest

import pmtaemail
from pickup_reader import read
from python_messages import MESSAGE, RENDERED, Priority, Shouting


class Word(enum.StrEnum):
    SUBJECT = "News"


class OldWord(str, enum.Enum):  # noqa: UP042
    SUBJECT = "News"


@dataclasses.dataclass
class Mail:
    from_: str
    to: list[str]
    text: str
    date: datetime
    message_id: str
    subject: str | None = None


@pytest.mark.parametrize(
    "message",
    [
        json.dumps(MESSAGE),
        json.dumps(MESSAGE).encode(),
        bytearray(json.dumps(MESSAGE).encode()),
        memoryview(json.dumps(MESSAGE).encode()),
        OrderedDict(MESSAGE),
        UserDict(MESSAGE),
        MappingProxyType(MESSAGE),
        ChainMap({}, MESSAGE),
        Mail("shop@example.com", MESSAGE["to"], "Hello", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "1@example.com"),
        {**MESSAGE, "to": ("ann@example.org", "bob@example.org")},
        {**MESSAGE, "to": dict.fromkeys(MESSAGE["to"]).keys()},
        {**MESSAGE, "to": [Address(username="ann", domain="example.org"), "bob@example.org"]},
        {**MESSAGE, "text": Shouting("Hello")},
        {**MESSAGE, "subject": None},
        {**MESSAGE, "date": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)},
    ],
    ids=lambda message: type(message).__name__,
)
def test_every_form_is_the_same_message(message):
    assert pmtaemail.check(message) == []
    assert pmtaemail.render(message) == RENDERED


def test_generators_are_read_once():
    assert pmtaemail.render({**MESSAGE, "to": (address for address in MESSAGE["to"])}) == RENDERED


def test_fields_are_keywords():
    fields = {**MESSAGE}
    from_ = fields.pop("from")
    assert pmtaemail.render(from_=from_, **fields) == RENDERED
    assert pmtaemail.render({"from": from_}, **fields) == RENDERED
    assert pmtaemail.render({"from": from_, **fields, "text": "Bye"}, text="Hello") == RENDERED
    problems = pmtaemail.check({"from": from_}, From="a@example.com")
    assert [problem.pointer for problem in problems if problem.code == "duplicate_field"] == ["/From"]


def test_keywords_next_to_json_are_a_mistake():
    with pytest.raises(TypeError, match="not to JSON"):
        pmtaemail.render(json.dumps(MESSAGE), text="Hello")
    with pytest.raises(TypeError, match="missing"):
        pmtaemail.render()


def test_words_of_enumerations():
    assert b"\r\nSubject: News\r\n" in pmtaemail.render(MESSAGE, subject=Word.SUBJECT)
    assert b"\r\nSubject: News\r\n" in pmtaemail.render(MESSAGE, subject=OldWord.SUBJECT)
    assert pmtaemail.render(MESSAGE, priority=Priority.HIGH) == pmtaemail.render(MESSAGE, priority="high")


def test_dates_have_an_offset():
    zone = timezone(timedelta(hours=-3))
    assert b"Date: Fri, 2 Jan 2026 03:04:05 -0300\r\n" in pmtaemail.render(
        MESSAGE, date=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=zone)
    )
    naive = datetime(2026, 1, 2, 3, 4, 5)
    assert [(problem.code, problem.pointer) for problem in pmtaemail.check(MESSAGE, date=naive)] == [
        ("invalid_date", "/date")
    ]


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_attachments_are_octets(kind):
    content = bytes(range(256)) * 50
    attachments = [{"filename": PurePosixPath("a.bin"), "content": kind(content)}]
    mail = message_from_bytes(pmtaemail.render(MESSAGE, attachments=attachments), policy=SMTP)
    (part,) = mail.iter_attachments()
    assert (part.get_filename(), part.get_content()) == ("a.bin", content)


def test_a_file_is_an_attachment(tmp_path: Path):
    file = tmp_path / "logo.png"
    file.write_bytes(b"\x89PNG")
    assert pmtaemail.attachment(file, cid="logo") == {"filename": "logo.png", "content": b"\x89PNG", "cid": "logo"}


def test_a_view_with_gaps_is_copied():
    attachments = [{"filename": "a.bin", "content": memoryview(b"a-b-c-")[::2]}]
    mail = message_from_bytes(pmtaemail.render(MESSAGE, attachments=attachments), policy=SMTP)
    assert [part.get_content() for part in mail.iter_attachments()] == [b"abc"]


def test_all_problems_come_at_once():
    message = {"from": "shop@example", "too": 1, "subject": "a\ud800", "to": [b"x", {"address": 5}], "hea\udc00ders": 1}
    problems = pmtaemail.check(message)
    assert [(problem.code, problem.pointer) for problem in problems] == [
        ("unknown_field", "/too"),
        ("lone_surrogate", "/subject"),
        ("wrong_type", "/to/0"),
        ("wrong_type", "/to/1/address"),
        ("lone_surrogate", "/hea\ufffdders"),
    ]
    with pytest.raises(pmtaemail.MessageError) as error:
        pmtaemail.render(message)
    assert error.value.problems == tuple(problems)
    assert isinstance(error.value, ValueError)
    assert isinstance(error.value, pmtaemail.Error)
    assert str(error.value).splitlines()[1].startswith("/subject: lone_surrogate: ")
    copy = pickle.loads(pickle.dumps(error.value))
    assert (type(copy), copy.problems) == (pmtaemail.MessageError, error.value.problems)


def test_what_no_json_can_hold_is_a_type_error_with_its_place():
    with pytest.raises(TypeError, match="type object") as error:
        pmtaemail.check({**MESSAGE, "to": [{"address": object()}]})
    assert error.value.__notes__ == ["in the message at /to/0/address"]
    for verb in (pmtaemail.check, pmtaemail.warnings):
        with pytest.raises(TypeError, match="type object"):
            verb(object())


def test_a_message_within_itself_ends():
    loop: list = []
    loop.append(loop)
    assert {problem.code for problem in pmtaemail.check({**MESSAGE, "to": loop})} == {"wrong_type"}
    deep: dict = {}
    deep["to"] = deep
    assert {problem.code for problem in pmtaemail.check({**MESSAGE, "to": deep})} == {"unknown_field", "missing_field"}


def test_errors_of_the_callers_own_code_pass_through():
    def broken():
        yield "ann@example.org"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        pmtaemail.render({**MESSAGE, "to": broken()})


def test_a_message_that_changes_while_it_is_read():
    message = {**MESSAGE}

    def meddling():
        message.clear()
        gc.collect()
        yield "ann@example.org"
        yield "bob@example.org"

    message["to"] = meddling()
    assert pmtaemail.render(message) == RENDERED


def test_nothing_is_kept():
    class Text(str):
        pass

    text = Text("Hello")
    gone = weakref.ref(text)
    before = sys.getrefcount(MESSAGE)
    pmtaemail.render({**MESSAGE, "text": text})
    del text
    assert gone() is None
    assert sys.getrefcount(MESSAGE) == before


def finished(**headers: str) -> EmailMessage:
    mail = EmailMessage()
    for name, value in {"From": "shop@example.com", "To": "ann@example.org", "Subject": "News", **headers}.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("Hello\n.\nFrom here")
    return mail


def test_a_finished_message_is_sent_as_it_is():
    mail = finished(Date="Fri, 02 Jan 2026 03:04:05 +0000", Message_ID="<1@example.com>")
    assert pmtaemail.render(mail) == mail.as_bytes(policy=SMTP)


def test_long_words_of_a_finished_message_stay_whole():
    """An encoded word means nothing where a URL or an identifier stands (RFC 2047 section 5)."""
    url = f"<https://example.com/?token={'x' * 70}>"
    references = " ".join(f"<{number}.{'y' * 60}@example.com>" for number in range(30))
    words = "Grüße " * 30
    given = {"List_Unsubscribe": url, "References": references, "X_Long": "z" * 200, "X_Words": words}
    people = ", ".join(f"Person {number} <person{number}@example.org>" for number in range(60))
    mail = finished(**given, Cc=people)
    mail.add_attachment(finished(List_Archive=url))
    octets = pmtaemail.render(mail)
    assert b"\r\nList-Unsubscribe: " + url.encode() + b"\r\n" in octets
    assert b"\r\nList-Archive: " + url.encode() + b"\r\n" in octets
    assert all(len(line) <= 998 for line in octets.split(b"\r\n"))
    got = message_from_bytes(octets, policy=SMTP)
    for name, value in given.items():
        name = name.replace("_", "-")
        assert str(got[name]).strip() == value.strip(), name
        assert (b"=?" in octets.split(name.encode(), 1)[1].split(b"\r\n", 1)[0]) == (name == "X-Words")
    # What has blanks is folded as before.
    cc = re.search(rb"\r\nCc: .*?(?=\r\n\S)", octets, re.DOTALL)[0].split(b"\r\n")
    assert len(cc) > 30
    assert all(len(line) <= 78 for line in cc)


def test_a_finished_message_of_the_old_kind():
    mail = MIMEText("Hello")
    for name, value in {"From": "a@example.com", "To": "b@example.org", "X-Long": "z" * 120}.items():
        mail[name] = value
    assert b"\r\nX-Long: " + b"z" * 120 + b"\r\n" in pmtaemail.render(mail)


def test_a_finished_message_gets_what_it_must_have():
    got = message_from_bytes(pmtaemail.render(finished()), policy=SMTP)
    assert re.fullmatch(r"<[0-9a-z]{26}@example\.com>", got["Message-ID"])
    assert got["Date"].datetime
    assert got["Subject"] == "News"


def test_the_receipt_names_the_message_id_of_a_finished_message(tmp_path: Path):
    receipt = pmtaemail.Pickup(tmp_path, durability="none").submit(finished())
    got = message_from_bytes(read((tmp_path / receipt.files[0]).read_bytes()).message, policy=SMTP)
    assert got["Message-ID"] == f"<{receipt.message_id}>" == f"<{receipt.id}@example.com>"


def test_a_finished_message_with_an_envelope(tmp_path: Path):
    pickup = pmtaemail.Pickup(tmp_path, durability="none")
    receipt = pickup.submit(finished(Bcc="eve@example.org"))
    (file,) = receipt.files
    octets = (tmp_path / file).read_bytes()
    assert read(octets).addresses == ["ann@example.org", "eve@example.org"]
    assert octets.count(b"eve@example.org") == 1
    receipt = pickup.submit(finished(), sender="bounces@example.com", to=["bob@example.org"], job="spring")
    got = read((tmp_path / receipt.files[0]).read_bytes())
    assert (got.sender, got.addresses, got.job) == ("bounces@example.com", ["bob@example.org"], "spring")
