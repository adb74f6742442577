"""Django's mail through the backend, beside what Django's own SMTP would send."""

import asyncio
import errno
import warnings
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage as Mail
from email.message import MIMEPart
from email.mime.base import MIMEBase
from email.mime.image import MIMEImage
from pathlib import Path

import pytest
from django.conf import settings
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection, send_mail, send_mass_mail
from django.utils.functional import lazystr
from django.utils.safestring import mark_safe

import pmtaemail
from django_mail import BACKEND, sent, use_backend

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
HAS_MAILERS = hasattr(mail, "mailers")


@pytest.fixture
def pickup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return use_backend(monkeypatch, tmp_path)


def shape(part: Mail) -> object:
    """What a reader makes of a mail: types, contents and names, by which Django's and ours can be compared."""
    if part.is_multipart() and part.get_content_maintype() == "multipart":
        return part.get_content_type(), [shape(each) for each in part.iter_parts()]
    content = part.get_content()
    if isinstance(content, Mail):
        content = content["Subject"]
    if isinstance(content, str):
        content = content.replace("\r\n", "\n").rstrip("\n")
    return part.get_content_type(), content, part.get_filename(), part["Content-ID"]


def djangos_own(message: EmailMessage) -> Mail:
    return message_from_bytes(message.message().as_bytes(), policy=policy.default)


def plain(**more) -> EmailMessage:
    return EmailMessage("News", "Hello", "Shop <shop@example.com>", ["Ann <ann@example.org>"], **more)


def with_alternatives(*alternatives, **more) -> EmailMultiAlternatives:
    message = EmailMultiAlternatives("News", "Hello", "shop@example.com", ["ann@example.org"], **more)
    for content, media_type in alternatives:
        message.attach_alternative(content, media_type)
    return message


def image() -> MIMEImage:
    part = MIMEImage(b"\x89PNG", "png")
    part.add_header("Content-ID", "<logo@example.com>")
    part.add_header("Content-Disposition", "inline", filename="logo.png")
    return part


def html_alone() -> EmailMessage:
    message = plain()
    message.content_subtype = "html"
    return message


def part_with_more() -> MIMEBase:
    part = image()
    part["Content-Location"] = "logo.png"
    return part


class Signed(EmailMultiAlternatives):
    def message(self, **arguments):
        made = super().message(**arguments)
        made["X-Signed"] = "yes"
        return made


INVITATION = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"

NATIVE = {
    "plain": plain(),
    "no body": EmailMessage("News", "", "shop@example.com", ["ann@example.org"]),
    "non-ASCII": EmailMessage("Grüße", "Schöne Grüße\n", "Jörg <j@example.com>", ["Ännchen <ann@example.org>"]),
    "lazy and safe": EmailMessage(lazystr("News"), mark_safe("Hello"), "a@example.com", [lazystr("b@example.org")]),
    "html alone": html_alone(),
    "html": with_alternatives(("<p>Hello</p>", "text/html")),
    "amp and html": with_alternatives(("<html amp4email>", "text/x-amp-html"), ("<p>Hello</p>", "text/html")),
    "invitation": with_alternatives((INVITATION, "text/calendar; method=REQUEST")),
    "attached octets": plain(attachments=[("a.pdf", b"%PDF-1.7", "application/pdf")]),
    "attached text": plain(attachments=[("ä.csv", "a;b\nö;ü\n", "text/csv")]),
    "attached without name": plain(attachments=[(None, b"\x00", "application/octet-stream")]),
    "attached without type": plain(attachments=[("a.bin", b"\x00\x01")]),
    "attached message": plain(attachments=[(None, plain(), "message/rfc822")]),
    "several": with_alternatives(
        ("<p>Hello</p>", "text/html"), attachments=[("a.txt", "a", "text/plain"), ("b.bin", b"b", None)]
    ),
    "headers": plain(headers={"X-Campaign": "spring", "Message-ID": "<1@example.com>", "References": "<a@b> <c@d>"}),
    "date": plain(headers={"Date": "Fri, 02 Jan 2026 03:04:05 -0300"}),
    "cc, reply-to": plain(cc=["bob@example.org"], reply_to=["desk@example.com", "Eve <eve@example.com>"]),
    "from header": plain(headers={"From": "Board <board@example.com>"}),
}

RAW = {
    "own MIME": Signed("News", "Hello", "shop@example.com", ["ann@example.org"]),
    "part with more": plain(attachments=[part_with_more()]),
    "markdown": with_alternatives(("*Hello*", "text/markdown")),
    "two html": with_alternatives(("<p>1</p>", "text/html"), ("<p>2</p>", "text/html")),
    "to header": plain(headers={"To": "Everybody <all@example.org>"}),
    "sender header": plain(headers={"Sender": "desk@example.com"}),
}


@pytest.mark.parametrize("name", [*NATIVE, *RAW])
def test_a_reader_sees_what_django_would_send(pickup: Path, name: str):
    message = (NATIVE | RAW)[name]
    assert message.send() == 1
    recipients, got = sent(pickup)
    own = djangos_own(message)
    assert shape(got) == shape(own)
    assert recipients == [address.rpartition("<")[2].rstrip(">") for address in message.recipients()]
    for header in ["From", "Sender", "To", "Cc", "Reply-To", "Subject", "X-Campaign", "References", "X-Signed"]:
        assert str(got[header]).replace("\n", "") == str(own[header]).replace("\n", ""), header
    for header in message.extra_headers.keys() & {"Date", "Message-ID"}:
        assert got[header] == own[header]
    assert got["Bcc"] is None


@pytest.mark.parametrize("name", NATIVE)
def test_fields_say_it(name: str):
    from pmtaemail.django import convert

    assert "raw" not in (convert(NATIVE[name]) or {"raw": "needed"})


def test_inline_images_are_related_to_the_html(pickup: Path):
    message = with_alternatives(('<img src="cid:logo@example.com">', "text/html"), attachments=[image()])
    assert message.send() == 1
    _, got = sent(pickup)
    kind, (alternative, logo) = shape(got)
    assert (kind, alternative[0]) == ("multipart/related", "multipart/alternative")
    assert logo == ("image/png", b"\x89PNG", "logo.png", "<logo@example.com>")


def test_parts_made_by_hand(pickup: Path):
    part = MIMEPart()
    part.set_content(b"%PDF", "application", "pdf", filename="a.pdf")
    message = plain()
    message.attachments.append(part)
    assert message.send() == 1
    assert shape(sent(pickup)[1])[1][1] == ("application/pdf", b"%PDF", "a.pdf", None)


@pytest.mark.parametrize(
    ("links", "post"),
    [
        ("<https://example.com/u?1>, <mailto:u@example.com>", "List-Unsubscribe=One-Click"),
        ("<mailto:u@example.com>, <https://example.com/u?1>", "List-Unsubscribe=One-Click"),
        ("<https://example.com/u?1>, <https://example.com/u?2>", "List-Unsubscribe=One-Click"),
        # What breaks RFC 8058 is Django's own MIME.
        ("<mailto:u@example.com>", "List-Unsubscribe=One-Click"),
        ("<https://example.com/u?1>", "List-Unsubscribe=Two-Clicks"),
    ],
)
def test_unsubscribing_with_one_click(pickup: Path, links: str, post: str):
    headers = {"List-Unsubscribe": links, "List-Unsubscribe-Post": post}
    assert plain(headers=headers).send() == 1
    _, got = sent(pickup)
    assert {name: got[name].replace("\n", "") for name in headers} == headers


def test_bcc_and_powermtas_own_fields(pickup: Path):
    message = plain(bcc=["eve@example.org"], headers={"X-Job": "spring"})
    message.pmtaemail = {"vmta": "bulk"}
    assert message.send() == 1
    (file,) = pickup.iterdir()
    octets = file.read_bytes()
    assert octets.count(b"eve@example.org") == 1
    assert octets.lower().count(b"x-job: spring") == 1
    assert octets.lower().count(b"x-virtual-mta: bulk") == 1


def test_powermtas_own_fields_with_own_mime(pickup: Path):
    message = Signed("News", "Hello", "shop@example.com", ["ann@example.org"], headers={"X-Job": "spring"})
    assert message.send() == 1
    (file,) = pickup.iterdir()
    octets = file.read_bytes()
    assert octets.lower().count(b"x-job: spring") == 1
    assert b"\r\nX-Signed: yes\r\n" in octets


def test_local_time(pickup: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(settings, "EMAIL_USE_LOCALTIME", True)
    monkeypatch.setattr(settings, "TIME_ZONE", "America/Sao_Paulo")
    from django.utils import timezone

    timezone.get_default_timezone.cache_clear()
    try:
        plain().send()
    finally:
        timezone.get_default_timezone.cache_clear()
    date = sent(pickup)[1]["Date"]
    assert date.endswith("-0300")
    assert abs(date.datetime - datetime.now(UTC)).total_seconds() < 60


def test_the_count_is_that_of_the_messages(pickup: Path):
    nobody = EmailMessage("News", "Hello", "shop@example.com", [])
    blank = EmailMessage("News", "Hello", "shop@example.com", [""])
    connection = get_connection()
    assert connection.send_messages([]) == 0
    assert nobody.send() == 0
    assert connection.send_messages([plain(), nobody, plain(bcc=["bob@example.org"]), blank]) == 2
    assert len(list(pickup.iterdir())) == 2
    with connection as opened:
        assert opened.send_messages([plain()]) == 1


def test_djangos_functions(pickup: Path):
    assert send_mail("News", "Hello", "a@example.com", ["b@example.org"], html_message="<p>Hello</p>") == 1
    assert send_mass_mail([("News", "Hello", "a@example.com", ["b@example.org"])] * 3) == 3
    assert len(list(pickup.iterdir())) == 4


def test_an_invalid_message_is_reported_and_none_is_sent(pickup: Path):
    for silent in (False, True):
        bad = EmailMessage("News", "Hello", "shop@example.com", ["not an address"])
        with pytest.raises(pmtaemail.MessageError) as error:
            get_connection(fail_silently=silent).send_messages([plain(), bad])
        assert [problem.pointer for problem in error.value.problems] == ["/to/0"]
    assert list(pickup.iterdir()) == []


def test_errors_of_the_hand_over_may_be_silent(pickup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(settings, "PMTAEMAIL", {"PICKUP": str(tmp_path / "missing")})
    with pytest.raises(pmtaemail.PickupError) as error:
        plain().send()
    assert error.value.errno == errno.ENOENT
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert plain().send(fail_silently=True) == 0
    vanishing = tmp_path / "vanishing"
    vanishing.mkdir()
    silent = get_connection(fail_silently=True, pickup=vanishing)
    assert silent.send_messages([plain()]) == 1
    for file in vanishing.iterdir():
        file.unlink()
    vanishing.rmdir()
    assert silent.send_messages([plain()]) == 0
    with pytest.raises(pmtaemail.PickupError):
        get_connection(pickup=vanishing).send_messages([plain()])


def test_settings_are_checked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(settings, "EMAIL_BACKEND", BACKEND, raising=False)
    monkeypatch.setattr(settings, "PMTAEMAIL", {"PICKUPS": "/tmp"}, raising=False)
    with pytest.raises(ImproperlyConfigured, match="PICKUPS"):
        get_connection()
    monkeypatch.setattr(settings, "PMTAEMAIL", {})
    with pytest.raises(ImproperlyConfigured, match="PICKUP"):
        get_connection()


@pytest.mark.skipif(not HAS_MAILERS, reason="since Django 6.1")
def test_mailers(tmp_path: Path):
    from django.test import override_settings

    options = {"pickup": tmp_path, "durability": "none"}
    with override_settings(MAILERS={"default": {"BACKEND": BACKEND, "OPTIONS": options}}):
        assert plain().send(using="default") == 1
    assert sent(tmp_path)[0] == ["ann@example.org"]
    unknown = override_settings(MAILERS={"default": {"BACKEND": BACKEND, "OPTIONS": {**options, "host": "x"}}})
    with unknown, pytest.raises(mail.InvalidMailer, match="host"):
        plain().send(using="default")


def test_async_views_may_send(pickup: Path):
    async def main() -> int:
        return await asyncio.to_thread(plain().send)

    assert asyncio.run(main()) == 1
