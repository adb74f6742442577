"""`Content-Type: message/rfc822`: a finished message in the body, its envelope in the query or in its own header."""

import json
import re
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import pytest

from daemon import Answer, Daemon
from doors import Door, encode
from made_ids import ID
from pickup_reader import read

MAIL = (
    b"Date: Mon, 23 Nov 2026 05:33:54 +0000\r\nFrom: Ann <ann@example.com>\r\nTo: Bo <bo@example.org>\r\n"
    b"Subject: Hello\r\nMessage-ID: <1@example.com>\r\nX-Odd:\t kept  as it is \r\n\r\n.Hello\r\n"
)
BCC = MAIL.replace(b"Subject:", b"Cc: cy@example.org\r\nBcc: di@example.org,\r\n el@example.org\r\nSubject:")


def post(daemon: Daemon, mail: bytes, query: str = "", path: str = "/messages") -> Answer:
    return daemon.post(mail, f"{path}?{query}" if query else path, **{"Content-Type": "message/rfc822"})


def handed_over(daemon: Daemon, mail: bytes, query: str = ""):
    answer = post(daemon, mail, query)
    assert answer.status == 200, answer.body
    (name,) = answer.json()["files"]
    path = daemon.pickup / name
    octets = path.read_bytes()
    path.unlink()
    file = read(octets)
    assert file.envid == answer.json()["id"] or "envid=" in query
    return file


def problems(answer: Answer) -> list[tuple[str, str]]:
    assert (answer.status, answer.headers["content-type"]) == (422, "application/problem+json")
    return [(error["pointer"], error["code"]) for error in answer.json()["errors"]]


def test_the_envelope_of_the_query(daemon: Daemon):
    file = handed_over(daemon, MAIL, "sender=bounce%40example.com&to=c@example.org&to=d%2Be@example.org&job=j1&envid=e")
    assert file.sender == "bounce@example.com"
    assert file.addresses == ["c@example.org", "d+e@example.org"]
    assert (file.job, file.envid) == ("j1", "e")
    assert file.message == MAIL


def test_a_plus_sign_is_one(daemon: Daemon):
    assert handed_over(daemon, MAIL, "to=d+e@example.org").addresses == ["d+e@example.org"]


def test_verp_notifications_and_the_null_reverse_path(daemon: Daemon):
    file = handed_over(daemon, MAIL, "sender=%3C%3E&to=c@example.org&dsn.notify=failure&dsn.ret=full")
    assert (file.sender, file.ret, file.recipients[0].notify) == ("", "FULL", ("FAILURE",))
    assert handed_over(daemon, MAIL, "to=c@example.org&verp=true").verp


def test_the_envelope_of_the_header(daemon: Daemon):
    file = handed_over(daemon, BCC)
    assert file.sender == "ann@example.com"
    assert file.addresses == ["bo@example.org", "cy@example.org", "di@example.org", "el@example.org"]
    assert file.message == BCC.replace(b"Bcc: di@example.org,\r\n el@example.org\r\n", b"")


def test_date_and_message_id_are_made_where_they_are_missing(daemon: Daemon):
    head, rest = MAIL.split(b"Subject:")
    bare = head.split(b"\r\n", 1)[1] + b"Subject:" + rest.replace(b"Message-ID: <1@example.com>\r\n", b"")
    answer = post(daemon, bare)
    (path,) = daemon.files()
    file, receipt = read(path.read_bytes()), answer.json()
    date, message_id, kept = file.message.split(b"\r\n", 2)
    assert kept == bare
    assert parsedate_to_datetime(date.removeprefix(b"Date: ").decode())
    assert message_id.decode() == f"Message-ID: <{receipt['messageId']}>"
    assert receipt["messageId"] == f"{receipt['id']}@example.com"
    assert post(daemon, MAIL).json()["messageId"] == "1@example.com"


def test_every_door_makes_date_and_message_id(door: Door):
    message = encode({"raw": "From: ann@example.com\nTo: bo@example.org\n\nHello\n"})
    made = rb"Date: [^\r]+\r\nMessage-ID: <%b@example\.com>\r\nFrom: ann@example\.com\r\nTo: bo@" % ID.encode()
    assert re.match(made, door.render(message))
    assert re.match(made, read(door.pickup_file(message)).message)


@pytest.mark.parametrize("name", ["DKIM-Signature", "ARC-Seal"])
def test_nothing_is_added_to_a_signed_message(daemon: Daemon, name: str):
    signed = name.encode() + b": v=1\r\n" + MAIL
    assert handed_over(daemon, signed).message == signed
    for field in (b"Message-ID: <1@example.com>\r\n", b"Date: Mon, 23 Nov 2026 05:33:54 +0000\r\n"):
        assert problems(post(daemon, signed.replace(field, b""))) == [("#/raw", "invalid_content")]


def test_bare_line_ends_are_mended(daemon: Daemon):
    assert handed_over(daemon, MAIL.replace(b"\r\n", b"\n")).message == MAIL


def test_render_and_check(shared_daemon: Daemon):
    answer = post(shared_daemon, MAIL, path="/messages/render")
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, "message/rfc822", MAIL)
    assert post(shared_daemon, MAIL, path="/messages/check").json() == {"problems": []}


@pytest.mark.parametrize("media_type", ["Message/RFC822", "message/rfc822; charset=utf-8", " message/rfc822 ;x=y"])
def test_media_types_are_compared_as_such(shared_daemon: Daemon, media_type: str):
    assert shared_daemon.post(MAIL, "/messages/check", **{"Content-Type": media_type}).status == 200


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("to=c@example.org&to=nobody", [("#/to/1", "invalid_address")]),
        ("to=nobody", [("#/to", "invalid_address")]),
        ("sender=x&to=c@example.org", [("#/sender", "invalid_address")]),
        ("to=c@example.org&job=a%20b", [("#/job", "invalid_token")]),
        ("to=c@example.org&envid=a%0D%0Ax-job:b", [("#/envid", "invalid_token")]),
        ("to=c@example.org%0D%0Ax-receiver:d@example.org", [("#/to", "control_character")]),
        ("to=c@example.org&verp=yes", [("#/verp", "wrong_type")]),
        ("too=c@example.org", [("#/too", "unknown_field")]),
        ("to=c@example.org&subject=x", [("#/subject", "conflict")]),
        ("raw=x", [("#/raw", "duplicate_field")]),
        ("To=c@example.org&to=d@example.org", [("#/to", "duplicate_field")]),
    ],
)
def test_problems_of_the_envelope(shared_daemon: Daemon, query: str, expected: list[tuple[str, str]]):
    assert problems(post(shared_daemon, MAIL, query, "/messages/check")) == expected


@pytest.mark.parametrize(
    "mail",
    [
        b"",
        b"\r\n",
        b"Hello",
        b"DKIM-Signature: v=1\r\n" + MAIL.replace(b"Date:", b"X-Date:"),
        MAIL.replace(b"From:", b"X-From:"),
        MAIL.replace(b"Subject:", b"x-receiver: eve@example.org\r\nSubject:"),
        MAIL.replace(b"Subject:", b"X-PMTA-Anything: a\r\nSubject:"),
        MAIL.replace(b"Subject:", b"x_pmta_anything: a\r\nSubject:"),
        MAIL + b"x" * 999,
        MAIL + b"\0",
        BCC.replace(b"bo@example.org", b"nobody"),
    ],
)
def test_problems_of_the_message(shared_daemon: Daemon, mail: bytes):
    assert {pointer for pointer, _ in problems(post(shared_daemon, mail, path="/messages/check"))} == {"#/raw"}


@pytest.mark.parametrize("name", ["Errors-To", "Return-Path", "Delivered-To", "Received", "ARC-Seal", "DKIM-Signature"])
def test_what_a_message_has_from_its_way_stays(shared_daemon: Daemon, name: str):
    mail = name.encode() + b": <a@example.com>\r\n" + MAIL
    assert post(shared_daemon, mail, path="/messages/render").body == mail


def test_a_query_that_is_not_utf8_is_400(shared_daemon: Daemon):
    answer = post(shared_daemon, MAIL, "to=%ff")
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")


def test_json_has_no_envelope_in_the_query(shared_daemon: Daemon):
    message = json.dumps({"from": "ann@example.com", "to": "bo@example.org"})
    assert shared_daemon.post(message, f"/messages/check?to={quote('a b')}").status == 400


@pytest.mark.parametrize("coding", ["br", "gzip, br"])
@pytest.mark.parametrize("media_type", ["application/json", "message/rfc822", "multipart/form-data; boundary=b"])
def test_other_codings_are_415(shared_daemon: Daemon, coding: str, media_type: str):
    headers = {"Content-Encoding": coding, "Content-Type": media_type}
    answer = shared_daemon.request("POST", "/messages/check", MAIL, headers)
    assert (answer.status, answer.headers["accept-encoding"]) == (415, "gzip, deflate, zstd")
    assert answer.headers["content-type"] == "application/problem+json"


def test_identity_is_not_a_compression(shared_daemon: Daemon):
    headers = {"Content-Encoding": "identity", "Content-Type": "message/rfc822"}
    assert shared_daemon.request("POST", "/messages/check", MAIL, headers).status == 200
