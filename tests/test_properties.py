"""Any text in any field: either problems come out, or every reader reads back exactly what went in."""

import json
import unicodedata
from contextlib import suppress

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from doors import Door, Http, Refused, encode
from judge import judge
from readers import ForeignReaders
from strategies import HEADER_TEXT, LONG, PLAIN, TEXT, examples

LOCAL = st.from_regex(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}(\.[a-zA-Z]{1,8}){0,2}", fullmatch=True)
LABEL = st.one_of(
    st.from_regex(r"[a-z0-9]([a-z0-9]{0,10})", fullmatch=True), st.sampled_from(["müller", "例え", "фирма", "EXAMPLE"])
)
DOMAIN = st.tuples(LABEL, st.sampled_from(["example", "test", "テスト", "co.example"])).map(".".join)
ADDRESS = st.tuples(LOCAL, DOMAIN).map("@".join)
MAILBOX = st.fixed_dictionaries({"address": ADDRESS}, optional={"name": HEADER_TEXT})
MAILBOXES = st.lists(MAILBOX, min_size=1, max_size=6)

GOOD = st.fixed_dictionaries(
    {"from": MAILBOX, "to": MAILBOXES},
    optional={
        "cc": MAILBOXES,
        "bcc": MAILBOXES,
        "replyTo": MAILBOXES,
        "sender": st.one_of(ADDRESS, st.just("<>")),
        "subject": HEADER_TEXT,
        "text": LONG,
        "html": LONG,
    },
)
SETTINGS = examples(200)


@pytest.fixture(scope="module")
def http(shared_daemon) -> Door:
    """The quickest door."""
    return Http(shared_daemon)


@SETTINGS
@given(message=GOOD)
@example(message={**PLAIN, "subject": "=?utf-8?Q?a?="})
@example(message={**PLAIN, "subject": "a" * 2_000})
@example(message={**PLAIN, "subject": " "})
@example(message={**PLAIN, "to": [{"name": '"', "address": "bo@example.org"}]})
@example(message={**PLAIN, "to": [{"name": " \u2028" * 16, "address": "bo@example.org"}]})
@example(message={**PLAIN, "text": "\r\n.\r\n"})
def test_what_goes_in_is_read_back(http: Door, readers: ForeignReaders, message: dict):
    octets = encode(message)
    assert judge(octets, http.pickup_file(octets), readers) == []


@SETTINGS
@given(
    field=st.sampled_from(["from", "to", "cc", "bcc", "replyTo", "sender", "subject", "date", "messageId"]), text=LONG
)
@example(field="to", text="bo@example.org\r\nx-receiver: eve@example.com")
@example(field="subject", text="a\r\nBcc: eve@example.com")
@example(field="messageId", text="<a@b>\r\nBcc: eve@example.com")
def test_any_text_in_any_field(http: Door, readers: ForeignReaders, field: str, text: str):
    message = {**PLAIN, field: text}
    octets = encode(message)
    try:
        file = http.pickup_file(octets)
    except Refused as refused:
        assert all(problem["pointer"].startswith(f"/{field}") for problem in refused.problems)
        return
    # A text without a control character that is taken has come through whole.
    assert not any(unicodedata.category(char) == "Cc" and char != "\t" for char in text)
    assert judge(octets, file, readers) == []


@SETTINGS
@given(name=LONG, address=LONG)
def test_any_text_in_a_mailbox(http: Door, readers: ForeignReaders, name: str, address: str):
    octets = encode({**PLAIN, "to": [{"name": name, "address": "bo@example.org"}, {"address": address}]})
    try:
        file = http.pickup_file(octets)
    except Refused as refused:
        assert all(problem["pointer"].startswith("/to/") for problem in refused.problems)
        return
    assert judge(octets, file, readers) == []


@SETTINGS
@given(octets=st.one_of(st.binary(max_size=200), TEXT.map(str.encode)))
def test_octets_that_are_no_message(http: Door, octets: bytes):
    with suppress(ValueError):
        assume(not isinstance(json.loads(octets), dict))
    with pytest.raises(Refused):
        http.check(octets)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers() | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*PLAIN, "name", "address", "x"]), inner)
    ),
    max_leaves=6,
)


@SETTINGS
@given(field=st.sampled_from(["from", "to", "cc", "sender", "subject", "text", "html", "date", "x/y~z"]), value=JSON)
def test_any_json_in_any_field(http: Door, readers: ForeignReaders, field: str, value: object):
    octets = encode({**PLAIN, field: value})
    try:
        file = http.pickup_file(octets)
    except Refused as refused:
        escaped = field.replace("~", "~0").replace("/", "~1")
        assert all(problem["pointer"].startswith(f"/{escaped}") for problem in refused.problems)
        return
    assert judge(octets, file, readers) == []
