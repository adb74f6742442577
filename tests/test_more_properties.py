"""Any text in any of the further fields: either problems come out, or every reader reads back exactly what went in.

Nothing else appears: no header field, no recipient, no part, none of PowerMTA's own lines.
"""

import base64
import unicodedata

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from doors import Door, Http, Refused, encode
from judge import judge
from readers import ForeignReaders
from strategies import HEADER_TEXT, LONG, MORE_EVIL, PLAIN, TEXT, examples

# Six readers read each example.
SETTINGS = examples(60)
# Short text that is mostly right for a token, with something in it that may not be.
WORD = st.tuples(st.from_regex(r"[A-Za-z0-9._-]{0,12}", fullmatch=True), st.sampled_from([*MORE_EVIL, ""])).map("".join)
ANY = st.one_of(WORD, TEXT, LONG)
# Names whose type is agreed upon: no extension, or a known one.
STEM = HEADER_TEXT.map(lambda text: text.replace("/", "").replace("\\", "").replace(".", "")[:60])
NAME = st.tuples(STEM.filter(bool), st.sampled_from(["", ".txt", ".pdf", ".png", ".unheard-of"])).map("".join)
FILENAME = NAME.filter(lambda name: 0 < len(name.encode()) <= 255 and name[0] not in "\t\ufeff" and name.strip(" \t"))
CONTENT = st.binary(max_size=300).map(lambda octets: base64.b64encode(octets).decode())
CID = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,20}(@[a-z]{1,9}\.example)?", fullmatch=True)
ATTACHMENT = st.fixed_dictionaries(
    {"content": CONTENT},
    optional={
        "filename": FILENAME,
        "contentType": st.sampled_from(
            ["image/png", "application/pdf", "text/csv; charset=utf-8", 'application/x-y; a="b; c"; d="\\"e"']
        ),
    },
)
HEADER = st.fixed_dictionaries(
    {"name": st.from_regex(r"X-[A-Za-z0-9]{1,30}", fullmatch=True), "value": HEADER_TEXT.map(lambda text: text[:300])}
)
TOKEN = st.from_regex(r"[!#-;=?-\[\]-~]{1,60}", fullmatch=True)
ID = st.from_regex(r"<?[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,40}@[a-z0-9]{1,20}\.example>?", fullmatch=True).filter(
    lambda text: text.startswith("<") == text.endswith(">")
)
GOOD = st.fixed_dictionaries(
    {**{name: st.just(value) for name, value in PLAIN.items()}, "text": TEXT, "html": TEXT},
    optional={
        "attachments": st.lists(ATTACHMENT, max_size=4),
        "headers": st.lists(HEADER, max_size=4),
        "inReplyTo": ID,
        "references": st.lists(ID, max_size=5),
        "unsubscribe": st.fixed_dictionaries({"url": TOKEN.map("https://example.com/".__add__)}),
        "priority": st.sampled_from(["high", "normal", "low"]),
        "amp": TEXT,
        "envid": TOKEN.filter(lambda text: len(text) <= 30),
        "job": TOKEN,
        "vmta": TOKEN,
        "verp": st.booleans(),
        "dsn": st.fixed_dictionaries(
            {"notify": st.sampled_from([["never"], ["failure"], ["success", "delay"]])},
            optional={"ret": st.sampled_from(["full", "headers"])},
        ),
    },
)


@pytest.fixture(scope="module")
def http(shared_daemon) -> Door:
    """The quickest door."""
    return Http(shared_daemon)


def judge_or_refused(http: Door, readers: ForeignReaders, message: dict, *places: str) -> None:
    """The message comes out right, or has problems at one of `places` alone."""
    octets = encode(message)
    try:
        file = http.pickup_file(octets)
    except Refused as refused:
        assert refused.problems
        assert all(problem["pointer"].startswith(places) for problem in refused.problems)
        return
    assert judge(octets, file, readers) == []


@SETTINGS
@given(message=GOOD, cids=st.lists(CID, max_size=4, unique=True))
def test_what_goes_in_is_read_back(http: Door, readers: ForeignReaders, message: dict, cids: list[str]):
    for part, cid in zip(message.get("attachments", []), cids, strict=False):
        part["cid"] = cid
    octets = encode(message)
    assert judge(octets, http.pickup_file(octets), readers) == []


@SETTINGS
@given(member=st.sampled_from(["filename", "cid", "contentType", "content", "disposition", "encoding"]), text=ANY)
@example(member="filename", text='a"\r\nX-Receiver: eve@example.com\r\n')
@example(member="contentType", text='text/plain; x="\r\nX-Receiver: eve@example.com"')
@example(member="contentType", text="image/png; name*=UTF-8''eve.exe")
@example(member="cid", text="a>\r\nX-Receiver: eve@example.com")
def test_any_text_in_an_attachment(http: Door, readers: ForeignReaders, member: str, text: str):
    if member == "filename":
        # The type of such a name is not at stake here.
        assume("." not in text)
    if member == "cid":
        # One that looks like an encoded word goes out as it is.
        assume("=?" not in text)
    if member == "contentType":
        assume("message/" not in text.lower())
    part = {"content": "eA==", member: text}
    judge_or_refused(http, readers, {**PLAIN, "text": "x", "attachments": [part]}, f"/attachments/0/{member}")


@SETTINGS
@given(name=st.one_of(ANY, st.sampled_from(["X-", "x_", ""]).flatmap(lambda start: WORD.map(start.__add__))), value=ANY)
@example(name="x-receiver", value="eve@example.com")
@example(name="X-A: b\r\nx-receiver", value="eve@example.com")
@example(name="X-A", value="b\r\nx-receiver: eve@example.com")
@example(name="X_Virtual_MTA", value="b")
@example(name="ſubject", value="b")
def test_any_header(http: Door, readers: ForeignReaders, name: str, value: str):
    message = {**PLAIN, "text": "x", "headers": [{"name": name, "value": value}]}
    judge_or_refused(http, readers, message, "/headers/0/")


@SETTINGS
@given(field=st.sampled_from(["envid", "job", "vmta", "inReplyTo", "references", "priority"]), text=ANY)
@example(field="job", text="a\r\nx-receiver: eve@example.com")
@example(field="envid", text="a NOTIFY=NEVER")
@example(field="references", text="<a@b>\r\nBcc: eve@example.com")
@pytest.mark.parametrize("verp", [False, True], ids=["headers", "bsmtp"])
def test_any_text_in_a_field(http: Door, readers: ForeignReaders, field: str, text: str, verp: bool):
    if field in ("inReplyTo", "references"):
        # An identifier that looks like an encoded word goes out as it is: others may have made it.
        assume("=?" not in text)
    judge_or_refused(http, readers, {**PLAIN, "text": "x", "verp": verp, field: text}, f"/{field}")


@SETTINGS
@given(
    place=st.sampled_from(
        [
            ("dkim", "selector"), ("dkim", "domain"), ("dkim", "identity"), ("dkim", "keyList"),
            ("unsubscribe", "url"), ("unsubscribe", "mailto"), ("dsn", "notify"), ("dsn", "ret"),
            ("calendar", "method"),
        ]
    ),
    text=ANY,
)  # fmt: skip
@example(place=("dkim", "selector"), text="a; d=evil.example")
@example(place=("unsubscribe", "url"), text="https://a>, <https://evil.example")
@example(place=("unsubscribe", "mailto"), text="mailto:a@b.example\r\nBcc: eve@example.com")
def test_any_text_in_an_object(http: Door, readers: ForeignReaders, place: tuple[str, str], text: str):
    field, member = place
    assume(field != "unsubscribe" or "=?" not in text)
    rest = {"content": "BEGIN:VCALENDAR\nMETHOD:REQUEST\nEND:VCALENDAR\n"} if field == "calendar" else {}
    judge_or_refused(http, readers, {**PLAIN, "text": "x", field: {**rest, member: text}}, f"/{field}/")


@SETTINGS
@given(url=ANY.map("https://example.com/".__add__))
def test_any_address_to_leave_at(http: Door, readers: ForeignReaders, url: str):
    # An address that looks like an encoded word goes out as it is.
    assume("=?" not in url)
    judge_or_refused(http, readers, {**PLAIN, "text": "x", "unsubscribe": {"url": url}}, "/unsubscribe/url")


@SETTINGS
@given(content=ANY)
def test_any_calendar(http: Door, readers: ForeignReaders, content: str):
    calendar = {"content": f"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nX-A:{content}\r\nEND:VCALENDAR\r\n"}
    assume("method" not in content.lower())
    judge_or_refused(http, readers, {**PLAIN, "text": "x", "calendar": calendar}, "/calendar/content")


@SETTINGS
@given(content=st.one_of(LONG, TEXT.map("Subject: x\r\n\r\n".__add__)))
def test_any_attached_message(http: Door, readers: ForeignReaders, content: str):
    # What is no header is another matter: some readers mend it.
    message = "From: a@b.example\r\nSubject: x\r\n\r\n" + content
    assume(all(unicodedata.category(char) != "Cc" or char in "\r\n\t" for char in content))
    part = {"content": message, "encoding": "utf8", "contentType": "message/rfc822"}
    judge_or_refused(http, readers, {**PLAIN, "text": "x", "attachments": [part]}, "/attachments/0/content")
