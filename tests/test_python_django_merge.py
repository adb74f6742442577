"""Mail merge from Django, and the receipts of its messages."""

from pathlib import Path

import pytest
from django.conf import settings
from django.core import mail
from django.core.mail import EmailMessage, get_connection

import pmtaemail
from django_mail import use_backend
from pickup_reader import read

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def pickup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return use_backend(monkeypatch, tmp_path)


def message(**more: object) -> EmailMessage:
    return EmailMessage("News", "Hello", "shop@example.com", ["ann@example.org"], **more)


PERSON = {"address": "ann@example.org", "variables": {"name": "Ann"}}


def merge(*recipients: object, **more: object) -> EmailMessage:
    made = EmailMessage("News for {{ name }}", "Hello {{ name }}!", "Lee, Ann <shop@example.com>", **more)
    made.pmtaemail = {"template": "merge", "recipients": iter(recipients or [PERSON, "Bo <bo@example.org>"])}
    made.pmtaemail["variables"] = {"name": "you"}
    return made


def test_a_merge_needs_no_to(pickup: Path):
    made = merge()
    assert made.send() == 1
    assert (made.pmtaemail_receipt.recipients, len(made.pmtaemail_receipt.envids)) == (2, 2)
    (file,) = pickup.iterdir()
    assert made.pmtaemail_receipt.files == (file.name,)
    found = read(file.read_bytes())
    assert [(each.recipient, b"Hello Ann!" in each.message) for each in found.expansions] == [
        ("ann@example.org", True),
        ("bo@example.org", False),
    ]
    assert get_connection().send_messages([merge(), message(), EmailMessage("News", "", "a@example.com")]) == 2
    # The instance is as it was.
    assert made.recipients() == []


def test_a_merge_with_other_recipients_is_reported(pickup: Path):
    for more in ({"to": ["ann@example.org"]}, {"bcc": ["ann@example.org"]}):
        with pytest.raises(pmtaemail.MessageError) as error:
            merge(**more).send()
        assert {problem.code for problem in error.value.problems} == {"conflict"}
    controls = merge()
    controls.subject = "\x1b"
    with pytest.raises(pmtaemail.MessageError):
        controls.send()
    with pytest.raises(pmtaemail.MessageError):
        merge("not an address").send(fail_silently=True)
    assert list(pickup.iterdir()) == []


def test_each_message_carries_its_receipt(pickup: Path):
    messages = [message(), EmailMessage("News", "", "a@example.com"), merge(), message(headers={"X-Long": "x" * 2_000})]
    assert get_connection(fail_silently=True).send_messages(messages) == 2
    receipts = [getattr(each, "pmtaemail_receipt", "none") for each in messages]
    assert receipts[1] == "none"
    assert receipts[3] is None
    assert {name for receipt in receipts[::2] for name in receipt.files} == {file.name for file in pickup.iterdir()}
    assert receipts[0].message_id


def test_other_backends_see_merges_as_django_lets_them(pickup: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(settings, "EMAIL_BACKEND", "django.core.mail.backends.locmem.EmailBackend", raising=False)
    monkeypatch.setattr(mail, "outbox", [], raising=False)
    made = merge()
    assert made.send() == 1
    assert [each.subject for each in mail.outbox] == ["News for {{ name }}"]
    # One that would send the template to everybody finds nobody.
    monkeypatch.setattr(settings, "EMAIL_BACKEND", "django.core.mail.backends.smtp.EmailBackend", raising=False)
    monkeypatch.setattr("django.core.mail.backends.smtp.EmailBackend.open", lambda self: setattr(self, "connection", 1))
    assert merge().send() == 0
