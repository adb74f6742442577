"""The law of the merge: each recipient gets the message that the template, filled in by hand, would have become.

What PowerMTA makes of the native files, the expanded files, and `render` of the filled-in message: every reader that
nobody here wrote must see the same in all three, and the model of the documentation must expect it.
"""

import pytest

from doors import Door, PythonJson, encode
from made_ids import with_known_envelope_id
from merge_examples import ANY, BODIES, NATIVE, each, filling
from merge_judge import header_field, judge_merge, take_apart
from merge_model import personal, recipients
from pickup_reader import read
from readers import ForeignReaders

# What PowerMTA's own *priority, *subaccountid and *custommessageid say cannot be said in another form.
NATIVE_ALONE = {
    "envelopes",
    "own headers of the same names",
    "own headers that are read as fields",
    "what PowerMTA is told in its own form alone",
}


@pytest.fixture(scope="module")
def quick() -> Door:
    return PythonJson()


def judge_through(door: Door, message: dict, readers: ForeignReaders) -> list[str]:
    """What is wrong with the merge, whose plain messages the door must take as well."""
    rendered = [door.render(encode(personal(message, index).message)) for index in range(len(recipients(message)))]
    return judge_merge(message, door.pickup_files(encode(message)), readers, rendered)


@pytest.mark.parametrize("name", [*NATIVE, *ANY])
def test_native_files(quick: Door, readers: ForeignReaders, name: str):
    assert judge_through(quick, {**NATIVE, **ANY}[name], readers) == []


@pytest.mark.parametrize("name", sorted({*NATIVE, *ANY} - NATIVE_ALONE))
def test_expanded_files(quick: Door, readers: ForeignReaders, name: str):
    assert judge_through(quick, {**{**NATIVE, **ANY}[name], "merge": "expanded"}, readers) == []


@pytest.mark.parametrize("name", NATIVE)
def test_what_can_be_native_is_one_file(quick: Door, name: str):
    (file,) = map(read, quick.pickup_files(encode(NATIVE[name])))
    assert file.form == "merge"
    assert len(file.expansions) == len(NATIVE[name]["recipients"])


@pytest.mark.parametrize("name", sorted({*NATIVE, *ANY} - NATIVE_ALONE))
def test_expanded_files_are_one_for_each_recipient_in_their_order(quick: Door, name: str):
    message = {**{**NATIVE, **ANY}[name], "merge": "expanded"}
    files = [read(octets) for octets in quick.pickup_files(encode(message))]
    assert all(file.form != "merge" for file in files)
    given = [recipient["to"] for recipient in recipients(message)]
    assert len(files) == len(given)
    assert all(file.addresses[0].partition("@")[0] in str(to) for file, to in zip(files, given, strict=True))


@pytest.mark.parametrize("merge", ["native", "expanded"])
def test_every_door(door: Door, readers: ForeignReaders, merge: str):
    message = {**NATIVE["plain"], "merge": merge}
    door.check(encode(message))
    assert judge_through(door, message, readers) == []


def test_render_is_the_message_of_the_first_recipient(door: Door, readers: ForeignReaders):
    message = filling(
        each("å [x]", "b")[:1], **BODIES, date="2026-01-15T09:30:00Z", messageId="{{ x | default: 'a' }}@b"
    )
    message["messageId"] = "a{{ y | default: 'a' }}@example.com"
    file = b"x-sender: shop@example.com\r\nx-receiver: r1@example.org\r\nx-envid: e\r\n" + door.render(encode(message))
    assert judge_merge(message, [file], readers) == []


def test_without_recipients_one_message_is_filled_in(door: Door):
    message = {
        "from": "{{ x }} <shop@example.com>",
        "to": ["ann@example.org", "bo@example.org"],
        "cc": "cy@example.org",
        "subject": "Hello {{ x }}",
        "text": "{{ x }} {{ y | default: 'b' }}",
        "date": "2026-01-15T09:30:00Z",
        "messageId": "{{ y | default: 'a' }}@example.com",
    }
    template = {**message, "template": "merge", "variables": {"x": "[å]"}}
    by_hand = {
        **message,
        "from": {"name": "[å]", "address": "shop@example.com"},
        "subject": "Hello [å]",
        "text": "[å] b",
        "messageId": "a@example.com",
    }
    files = [list(map(with_known_envelope_id, door.pickup_files(encode(each)))) for each in (template, by_hand)]
    assert files[0] == files[1]


def test_one_message_in_the_words_of_sparkpost(door: Door):
    message = {
        "from": "{{ shop }} <shop@example.com>",
        "to": ["Ann Lee <ann@example.org>", "bo@example.org"],
        "subject": "Hello {{ address.name or 'reader' }}{{ if missing }}!{{ end }}",
        "text": "{{ if #orders > 1 }}\n{{ each orders }}\n{{ loop_index }}. {{ loop_var.name }}\n{{ end }}\n{{ end }}\n"
        "{{ email }} {{ return_path }} https://e.example/?q={{ shop }} {{ nobody }}.",
        "html": "<p>{{ shop }}{{{ shop }}}</p>",
        "date": "2026-01-15T09:30:00Z",
        "messageId": "a@example.com",
    }
    variables = {"shop": "Tea & [Co]", "orders": [{"name": "a"}, {"name": "b"}]}
    template = {**message, "template": "sparkpost", "variables": variables}
    by_hand = {
        **message,
        "from": {"name": "Tea & [Co]", "address": "shop@example.com"},
        "subject": "Hello Ann Lee",
        "text": "1. a\n2. b\nann@example.org shop@example.com https://e.example/?q=Tea%20%26%20%5BCo%5D .",
        "html": "<p>Tea &amp; [Co]Tea & [Co]</p>",
    }
    files = [list(map(with_known_envelope_id, door.pickup_files(encode(each)))) for each in (template, by_hand)]
    assert files[0] == files[1]


def test_nobody_is_named_where_nobody_is_to(quick: Door):
    message = {"from": "shop@example.com", "bcc": "bo@example.org", "template": "sparkpost", "sender": "<>"}
    message["text"] = "{{ email }}{{ address.name }}{{ address.email }}{{ env_from }}."
    assert quick.render(encode(message)).endswith(b"\r\n\r\n.\r\n")


def test_kinds_of_recipients_have_files_of_their_own(quick: Door):
    message = ANY["senders of all kinds"]
    files = [read(octets) for octets in quick.pickup_files(encode(message))]
    assert all((file.smtputf8, file.form) in ((True, "merge"), (False, "merge")) for file in files)
    assert {(bool(file.sender), file.smtputf8) for file in files} == {
        (False, False), (True, True), (True, False), (False, True)
    }  # fmt: skip


def test_one_value_too_long_leaves_the_others_native(quick: Door):
    files = [read(octets) for octets in quick.pickup_files(encode(ANY["one long value"]))]
    assert sorted((file.form, tuple(file.addresses)) for file in files) == [
        ("headers", ("r2@example.org",)),
        ("merge", ("r1@example.org", "r3@example.org")),
    ]


@pytest.mark.parametrize("merge", ["native", "expanded"])
def test_no_value_meets_the_boundary(quick: Door, readers: ForeignReaders, merge: str):
    """The same message has the same boundary; whoever has seen one puts it into a value."""
    fixed = {"date": "2026-01-15T09:30:00Z", "messageId": "{{ y }}@example.com", "merge": merge}
    message = filling([{"address": "r1@example.org", "variables": {"x": "a", "y": "1"}}], **BODIES, **fixed)
    (sent,) = take_apart(quick.pickup_files(encode(message)))
    boundary = header_field(sent.file.message, "content-type").partition("boundary=")[2].strip('"')
    assert boundary
    for value in (boundary, f"--{boundary}", f"\r\n--{boundary}--\r\n", f"\n--{boundary}\n\nx"):
        message["recipients"][0]["variables"]["x"] = value
        assert judge_through(quick, message, readers) == []


def test_the_same_merge_gives_the_same_octets(door: Door):
    message = filling(
        [{**recipient, "envid": f"e{n}"} for n, recipient in enumerate(each("a", "å", '"'))],
        **BODIES,
        date="2026-01-15T09:30:00Z",
        messageId="{{ z | default: 'a' }}@example.com",
    )
    assert door.pickup_files(encode(message)) == door.pickup_files(encode(message))


def test_placeholders_of_one_message(door: Door):
    event = "SUMMARY:{{ names | join(', ') }}\n"
    event += '{% for name in names %}ATTENDEE;CN="{{ name }}":mailto:{{ id }}@example.org\n{% endfor %}'
    message = {
        "from": "shop@example.com",
        "to": "ann@example.org",
        "template": "jinja",
        "variables": {"id": "ann", "names": ["Lee, Ann", 'Bo "B"']},
        "envid": "{{ id }}-1",
        "calendar": {"content": f"BEGIN:VCALENDAR\nMETHOD:REQUEST\n{event}END:VCALENDAR\n"},
        "unsubscribe": {"mailto": "mailto:leave@example.com?subject={{ names[0] }}"},
        "attachments": [{"filename": "{{ id | upper }}.pdf", "content": ""}],
    }
    file = door.pickup_file(encode(message)).decode()
    for expected in [
        "x-envid: ann-1\r\n",
        "<mailto:leave@example.com?subject=Lee%2C%20Ann>",
        'SUMMARY:Lee\\, Ann\\, Bo "B"\r\n',
        'CN=3D"Lee, Ann":mailto:ann@example.org\r\nATTENDEE;CN=3D"Bo ^\'B^\'":mailto:ann@example.org\r\nEND:VCALENDAR',
        "filename=ANN.pdf",
    ]:
        assert expected in file
