"""Requests as clients of PHP, Laravel, Symfony, Go and Elixir send them, spelled out after their source."""

import base64
import json
import uuid

import pytest

from daemon import Daemon
from readers import ForeignReaders
from stock_clients import PDF, PNG, assert_arrived, to_all

SHOP = "Shop <shop@example.com>"
FILE = base64.b64encode(PDF).decode()
IMAGE = base64.b64encode(PNG).decode()
PDF_FILE = {"filename": "report.pdf", "contentType": "application/pdf", "content": FILE}
EVERYBODY = ("ann@example.org", "bo@example.org", "cy@example.org")


def shown(**more: object) -> dict:
    """What a message of this file is to be like."""
    return {"from": SHOP, "to": "ann@example.org", "subject": "Hello", "text": "Hello Ann", **more}


def post(daemon: Daemon, path: str, document: object, **headers: str) -> dict:
    answer = daemon.post(json.dumps(document), path, **{"Content-Type": "application/json", **headers})
    assert answer.status == 200, answer.body
    return answer.json()


def php_sparkpost() -> tuple[dict, dict]:
    """PHP's empty array is JSON's empty list; the copies show the first of `to`."""
    to = {"name": "Ann Lee", "email": "ann@example.org"}
    shown_to = '"Ann Lee" <ann@example.org>'
    others = [{"address": {"email": f"{name}@example.org", "header_to": shown_to}} for name in ("bo", "cy")]
    return {
        "content": {
            "from": {"name": "Shop", "email": "shop@example.com"},
            "subject": "Hello",
            "text": "Hello {{ name }}",
            "headers": {"CC": "bo@example.org"},
        },
        "metadata": [],
        "substitution_data": {"name": "Ann"},
        "recipients": [{"address": to, "substitution_data": []}, *others],
    }, shown(to="Ann Lee <ann@example.org>", cc="bo@example.org")


def laravel_sparkpost() -> tuple[dict, dict]:
    """vemcogroup/laravel-sparkpost-driver, which sends all of its configuration along."""
    address = {"name": "", "header_to": "ann@example.org,bo@example.org"}
    return {
        "recipients": [{"address": {**address, "email": email}} for email in EVERYBODY],
        "content": {
            "from": {"name": "Shop", "email": "shop@example.com"},
            "subject": "Hello",
            "reply_to": None,
            "html": None,
            "text": "Hello Ann",
            "attachments": [{"name": "report.pdf", "type": "application/pdf", "data": FILE}],
            "inline_images": [],
            "headers": {"CC": "cy@example.org"},
        },
        "endpoint": "http://127.0.0.1:8000/api/v1",
        "options": {"open_tracking": False, "click_tracking": False, "transactional": True},
    }, shown(to=["ann@example.org", "bo@example.org"], cc="cy@example.org", attachments=[PDF_FILE])


def swoosh_sparkpost() -> tuple[dict, dict]:
    def recipient(name: str, email: str) -> dict:
        return {"address": {"name": name, "email": email, "header_to": "ann@example.org"}}

    return {
        "content": {
            "from": {"name": "Shop", "email": "shop@example.com"},
            "subject": "Hello",
            "text": "Hello Ann",
            "html": None,
            "headers": {"CC": "bo@example.org", "X-Shop": "ø"},
            "reply_to": '"Help" <help@example.com>',
        },
        "recipients": [
            recipient("Ann", "ann@example.org"),
            recipient("", "bo@example.org"),
            recipient("", "cy@example.org"),
        ],
    }, shown(cc="bo@example.org", headers={"X-Shop": "ø"}, replyTo="Help <help@example.com>")


def gosparkpost() -> tuple[dict, dict]:
    """Members that are empty are there; bodies escape `<`."""
    return {
        "options": {"open_tracking": False, "click_tracking": False},
        "recipients": [{"address": {"email": email, "header_to": "ann@example.org"}} for email in EVERYBODY],
        "campaign_id": "spring",
        "content": {"from": {"email": "shop@example.com", "name": "Shop"}, "subject": "Hello", "text": "Hello Ann"},
    }, shown(job="spring")


@pytest.mark.parametrize(
    "client", [php_sparkpost, laravel_sparkpost, swoosh_sparkpost, gosparkpost], ids=lambda client: client.__name__
)
def test_sparkpost(client, daemon: Daemon, readers: ForeignReaders):
    transmission, message = client()
    results = post(daemon, "/api/v1/transmissions", transmission, Authorization="any-key")["results"]
    assert (results["total_accepted_recipients"], results["total_rejected_recipients"]) == (3, 0)
    assert results["id"].isdecimal()
    assert_arrived(daemon, to_all(message, *EVERYBODY), readers)


def test_laravel_sends_finished_messages_to_sparkpost(daemon: Daemon):
    raw = "From: shop@example.com\r\nTo: ann@example.org, bo@example.org\r\nSubject: Hi\r\n\r\nHello\r\n"
    recipients = [{"address": {"name": "", "email": email}} for email in EVERYBODY]
    document = {"recipients": recipients, "content": {"email_rfc822": raw}}
    post(daemon, "/api/v1/transmissions", document, Authorization="any-key")
    files = [file.read_text() for file in daemon.files()]
    envelopes, messages = zip(*(text.split("From: shop", 1) for text in files), strict=True)
    assert all("To: ann@example.org, bo@example.org\n" in message for message in messages)
    assert all(sum(email in envelope for envelope in envelopes) == 1 for email in EVERYBODY)


def laravel_resend() -> tuple[dict, dict]:
    """resend/resend-laravel: lists that are empty, and an invitation that is no base64."""
    invitation = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"
    return {
        "bcc": ["cy@example.org"],
        "cc": ["bo@example.org"],
        "from": '"Shop" <shop@example.com>',
        "headers": {"X-Shop": "north"},
        "html": "<img src='cid:logo.png'>",
        "reply_to": [],
        "subject": "Hello",
        "tags": [{"name": "campaign", "value": "spring"}],
        "text": None,
        "to": ["ann@example.org"],
        "attachments": [
            {"content_type": "application/pdf", "content": FILE, "filename": "report.pdf"},
            {"content_type": "text/calendar", "content": invitation, "filename": "invite.ics"},
            {"content_type": "image/png", "content": IMAGE, "filename": "logo.png", "content_id": "logo.png"},
        ],
    }, {
        "from": SHOP,
        "to": "ann@example.org",
        "cc": "bo@example.org",
        "subject": "Hello",
        "html": "<img src='cid:logo.png'>",
        "headers": {"X-Shop": "north"},
        "attachments": [
            PDF_FILE,
            {"contentType": "text/calendar", "content": invitation, "encoding": "utf8", "filename": "invite.ics"},
            {"contentType": "image/png", "content": IMAGE, "filename": "logo.png", "cid": "logo.png"},
        ],
    }


def symfony_resend() -> tuple[dict, dict]:
    """symfony/resend-mailer: names without the quotes that they need, Reply-To twice, a tag as a header field."""
    return {
        "from": "Acme, Inc. <shop@example.com>",
        "to": ["Lee, Ann (Oslo) <ann@example.org>"],
        "subject": "Hello",
        "attachments": [{"filename": "report.pdf", "content": FILE}],
        "reply_to": "Help, please <help@example.com>",
        "cc": ["bo@example.org"],
        "bcc": ["cy@example.org"],
        "text": "Hello Ann",
        "tags": [{"X-Tag": "spring"}],
        "headers": {"Reply-To": '"Help, please" <help@example.com>', "X-Shop": "north"},
    }, shown(
        **{"from": '"Acme, Inc." <shop@example.com>'},
        to='"Lee, Ann (Oslo)" <ann@example.org>',
        cc="bo@example.org",
        replyTo='"Help, please" <help@example.com>',
        headers={"X-Shop": "north"},
        attachments=[PDF_FILE],
    )


def resend_go() -> tuple[dict, dict]:
    """Octets as numbers."""
    return {
        "from": SHOP,
        "to": ["ann@example.org"],
        "subject": "Hello",
        "bcc": ["cy@example.org"],
        "cc": ["bo@example.org"],
        "reply_to": "help@example.com",
        "text": "Hello Ann",
        "tags": [{"name": "campaign", "value": "spring"}],
        "attachments": [{"content": list(PDF), "filename": "report.pdf", "content_type": "application/pdf"}],
    }, shown(cc="bo@example.org", replyTo="help@example.com", attachments=[PDF_FILE])


def swoosh_resend() -> tuple[dict, dict]:
    """Header fields as a list."""
    return {
        "from": "Acme, Inc. <shop@example.com>",
        "to": ["ann@example.org"],
        "cc": ["bo@example.org"],
        "bcc": ["cy@example.org"],
        "reply_to": "help@example.com",
        "subject": "Hello",
        "text": "Hello Ann",
        "headers": [{"name": "X-Shop", "value": "north"}],
    }, shown(
        **{"from": '"Acme, Inc." <shop@example.com>'},
        cc="bo@example.org",
        replyTo="help@example.com",
        headers={"X-Shop": "north"},
    )


@pytest.mark.parametrize(
    "client", [laravel_resend, symfony_resend, resend_go, swoosh_resend], ids=lambda client: client.__name__
)
def test_resend(client, daemon: Daemon, readers: ForeignReaders):
    email, message = client()
    answer = post(daemon, "/emails", email, Authorization="Bearer any-key")
    assert str(uuid.UUID(answer["id"])) == answer["id"]
    assert_arrived(daemon, to_all(message, *EVERYBODY), readers)
