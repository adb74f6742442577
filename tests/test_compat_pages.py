"""What docs/sparkpost.md and docs/resend.md say of refusals is so."""

import json
import re
from pathlib import Path

import pytest

from daemon import Daemon
from stock_clients import assert_nothing_arrived

DOCS = Path(__file__).parent.parent / "docs"
CONTENT = {"from": "shop@example.com", "subject": "Hello", "text": "Hello"}
RECIPIENTS = [{"address": "ann@example.org"}]
TRANSMISSION = {"content": CONTENT, "recipients": RECIPIENTS}
EMAIL = {**CONTENT, "to": "ann@example.org"}
RAW = "From: shop@example.com\r\n\r\nHello{}\r\n"
FILE = {"name": "a.txt", "data": "SGVsbG8="}

# By the first cell of the page's table: transmissions, each of which is refused so.
TRANSMISSIONS = {
    "`options.start_time`": [{"options": {"start_time": "2030-01-01T00:00:00Z"}}],
    "`options.open_tracking: true`, `click_tracking: true`": [
        {"options": {"open_tracking": True}},
        {"options": {"click_tracking": True}},
    ],
    "`content.template_id`, `recipients.list_id`": [
        {"content": {"template_id": "welcome"}},
        {"recipients": {"list_id": "everybody"}},
    ],
    "`options.inline_css: true` with `email_rfc822`": [
        {"options": {"inline_css": True}, "content": {"email_rfc822": RAW.format("")}}
    ],
    "`email_rfc822` with `{{` in it": [{"content": {"email_rfc822": RAW.format("{{ name }}")}}],
    "`email_rfc822` with `X-MSYS-SUBACCOUNT`": [{"content": {"email_rfc822": RAW.format("")}}],
    "both texts and `email_rfc822`": [{"content": {**CONTENT, "email_rfc822": RAW.format("")}}],
    "an attachment without `type` whose `data` may be base64 or not": [{"content": {**CONTENT, "attachments": [FILE]}}],
    "`headers.Message-ID` without a placeholder": [
        {"content": {**CONTENT, "headers": {"Message-ID": "<1@example.com>"}}}
    ],
    "a header field of addresses, identifiers or URLs (`List-Unsubscribe`) that is empty for a recipient": [
        {"content": {**CONTENT, "headers": {"List-Unsubscribe": "{{ leave }}"}}}
    ],
    "a `campaign_id` with blanks, or of over 64 bytes": [{"campaign_id": "Spring sale"}, {"campaign_id": "x" * 65}],
    "an unknown field": [
        {"nonsense": 1},
        {"options": {"nonsense": 1}},
        {"content": {**CONTENT, "nonsense": 1}},
        {"recipients": [{"address": "ann@example.org", "nonsense": 1}]},
        {"recipients": [{"address": {"email": "ann@example.org", "nonsense": 1}}]},
    ],
}
EMAILS = {
    "`scheduled_at`": [{"scheduled_at": "in 1 hour"}],
    "`template`, `topic_id`": [{"template": {"id": "welcome"}}, {"topic_id": "news"}],
    "`attachments[].path`": [{"attachments": [{"filename": "a.txt", "path": "https://example.com/a.txt"}]}],
    "an unknown field": [{"nonsense": 1}, {"attachments": [{"content": "", "nonsense": 1}]}],
}


def refusals(page: str, heading: str) -> dict[str, str]:
    """The rows of the table under this head: the first cell, and the second."""
    text = (DOCS / page).read_text(encoding="utf-8")
    table = re.search(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    rows = [[cell.strip() for cell in line.strip("|\n").split(" | ")] for line in table[1].splitlines()]
    return {row[0]: row[1] for row in rows}


def test_the_pages_tell_of_all_these():
    assert set(refusals("sparkpost.md", "refused")) == set(TRANSMISSIONS)
    assert set(refusals("resend.md", "refused with 422")) == set(EMAILS)


@pytest.mark.parametrize("row", TRANSMISSIONS)
def test_transmissions(row: str, daemon: Daemon):
    headers = {"X-MSYS-SUBACCOUNT": "7"} if "SUBACCOUNT" in row else {}
    for change in TRANSMISSIONS[row]:
        answer = daemon.post(json.dumps({**TRANSMISSION, **change}), "/api/v1/transmissions", **headers)
        (code,) = {error["code"] for error in answer.json()["errors"]}
        assert f"{answer.status} `{code}`" == refusals("sparkpost.md", "refused")[row]
    assert_nothing_arrived(daemon)


@pytest.mark.parametrize("row", EMAILS)
def test_emails(row: str, daemon: Daemon):
    for change in EMAILS[row]:
        answer = daemon.post(json.dumps({**EMAIL, **change}), "/emails")
        assert answer.status == answer.json()["statusCode"] == 422
    assert_nothing_arrived(daemon)


def test_what_is_changed_in_these_is_all_that_is_refused(daemon: Daemon):
    assert daemon.post(json.dumps(TRANSMISSION), "/api/v1/transmissions").status == 200
    assert daemon.post(json.dumps(EMAIL), "/emails").status == 200
