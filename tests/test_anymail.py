"""Django's mail through Anymail, unchanged: its SparkPost and Resend backends send to the daemon."""

import base64
import json
import re
import uuid
from collections.abc import Callable
from email.mime.base import MIMEBase
from email.mime.image import MIMEImage
from pathlib import Path

import pytest
from anymail.exceptions import AnymailRequestsAPIError
from anymail.message import AnymailMessage, attach_inline_image
from django.core.mail import get_connection, send_mail

from anymail_mail import ANN, SHOP, mail, refused, send, shown, use_anymail
from daemon import Daemon
from readers import ForeignReaders
from stock_clients import PDF, PNG, Told, assert_arrived, assert_nothing_arrived, to_all, write_keys

CALENDAR = "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "METHOD:REQUEST", "END:VCALENDAR", ""])
GREETING = "Grüße, мир, 日本"


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def plain(service: str) -> tuple[AnymailMessage, Told]:
    return mail(), to_all(shown(), "ann@example.org")


def html_and_text(service: str) -> tuple[AnymailMessage, Told]:
    html = "<p style='a: b'>Hello &amp; <b>grüß</b> [[name]] [*to] .\n.</p>"
    message = mail(body="Hello\n.\n\nFrom: [name] [*to] =3D\n")
    message.attach_alternative(html, "text/html")
    return message, to_all(shown(text=message.body, html=html), "ann@example.org")


def html_alone(service: str) -> tuple[AnymailMessage, Told]:
    message = mail(body="<p>Hello</p>")
    message.content_subtype = "html"
    told = shown(html="<p>Hello</p>")
    return message, to_all({name: value for name, value in told.items() if name != "text"}, "ann@example.org")


def names_and_subject_of_all_scripts(service: str) -> tuple[AnymailMessage, Told]:
    sender, to = '"Blåbær & Sønn, AS" <shop@example.com>', '"Мария, 日本" <ann@example.org>'
    message = mail((to,), subject=GREETING * 5, body=GREETING, from_email=sender)
    return message, to_all(shown(**{"from": sender}, to=to, subject=GREETING * 5, text=GREETING), "ann@example.org")


def a_name_that_needs_quotes(service: str) -> tuple[AnymailMessage, Told]:
    to = r'"Lee, Ann \"A.\" (Oslo)" <ann@example.org>'
    return mail((to,)), to_all(shown(to=to), "ann@example.org")


def several_to(service: str) -> tuple[AnymailMessage, Told]:
    to = ANN, "bo@example.org", "Cy <cy@example.org>"
    return mail(to), to_all(shown(to=list(to)), "ann@example.org", "bo@example.org", "cy@example.org")


def copies(service: str) -> tuple[AnymailMessage, Told]:
    cc = '"Müller, Bo" <bo@example.org>', "cy@example.org"
    message = mail((ANN, "al@example.org"), cc=list(cc), bcc=["di@example.org", "Ed <ed@example.org>"])
    everybody = [f"{name}@example.org" for name in ("ann", "al", "bo", "cy", "di", "ed")]
    return message, to_all(shown(to=[ANN, "al@example.org"], cc=list(cc)), *everybody)


def domains_of_all_scripts(service: str) -> tuple[AnymailMessage, Told]:
    to = "Ann <ann@bücher.example>"
    return mail((to,), cc=["bo@日本.example"]), to_all(
        shown(to=to, cc="bo@日本.example"), "ann@bücher.example", "bo@日本.example"
    )


def reply_to(service: str) -> tuple[AnymailMessage, Told]:
    addresses = ["help@example.com", '"Blåbær, AS" <as@example.com>']
    return mail(reply_to=addresses), to_all(shown(replyTo=addresses), "ann@example.org")


def headers(service: str) -> tuple[AnymailMessage, Told]:
    given = {
        "X-Shop": "ø, 日本",
        "X-Number": 7,
        "List-Unsubscribe": "<https://example.com/u?a=1>",
        "In-Reply-To": "<1@example.com>",
        "References": "<1@example.com> <2@example.com>",
    }
    message = mail(headers=given)
    return message, to_all(shown(headers={name: str(value) for name, value in given.items()}), "ann@example.org")


def attachments(service: str) -> tuple[AnymailMessage, Told]:
    message = mail()
    message.attach("report.pdf", PDF, "application/pdf")
    message.attach("größe, 日本.txt", "Grüße\n", "text/plain")
    message.attach("data", b"\0\1\2", "application/octet-stream")
    invitation = MIMEBase("text", "calendar", method="REQUEST", charset="utf-8")
    invitation.set_payload(CALENDAR.encode())
    invitation.add_header("Content-Disposition", "attachment", filename="invite.ics")
    message.attach(invitation)
    files = [
        {"filename": "report.pdf", "contentType": "application/pdf", "content": encoded(PDF)},
        {
            "filename": "größe, 日本.txt",
            "contentType": 'text/plain; charset="utf-8"',
            "content": encoded("Grüße\n".encode()),
        },
        {"filename": "data", "contentType": "application/octet-stream", "content": encoded(b"\0\1\2")},
        {
            "filename": "invite.ics",
            "contentType": 'text/calendar; method="REQUEST"; charset="utf-8"',
            "content": encoded(CALENDAR.encode()),
        },
    ]
    return message, to_all(shown(attachments=files), "ann@example.org")


def inline_images(service: str) -> tuple[AnymailMessage, Told]:
    message = mail()
    made = attach_inline_image(message, PNG, "logo.png", "png")
    given = MIMEImage(PNG + b"2", "png")
    given.add_header("Content-ID", "<photo@example.com>")
    given.add_header("Content-Disposition", "inline", filename="photo.png")
    message.attach(given)
    html = f"<img src='cid:{made}'><img src='cid:photo@example.com'>"
    message.attach_alternative(html, "text/html")
    # SparkPost knows an image by its cid alone.
    files = [
        {"cid": made, "contentType": "image/png", "content": encoded(PNG), "filename": "logo.png"},
        {
            "cid": "photo@example.com",
            "contentType": "image/png",
            "content": encoded(PNG + b"2"),
            "filename": "photo.png",
        },
    ]
    if service == "SparkPost":
        files = [{name: value for name, value in file.items() if name != "filename"} for file in files]
    return message, to_all(shown(html=html, attachments=files), "ann@example.org")


CASES = [
    plain, html_and_text, html_alone, names_and_subject_of_all_scripts, a_name_that_needs_quotes, several_to, copies,
    domains_of_all_scripts, reply_to, headers, attachments, inline_images,
]  # fmt: skip


@pytest.fixture(params=["SparkPost", "Resend"])
def service(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def anymail(service: str, daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    use_anymail(monkeypatch, service, daemon)


@pytest.mark.usefixtures("anymail")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_what_arrives_is_what_django_was_given(case: Callable, service: str, daemon: Daemon, readers: ForeignReaders):
    message, told = case(service)
    message_id = send(message)
    assert_arrived(daemon, told, readers)
    if service == "SparkPost":
        assert re.fullmatch(r"[0-9]+", message_id)
    else:
        assert str(uuid.UUID(message_id)) == message_id


@pytest.mark.usefixtures("anymail")
def test_djangos_own_ways_to_send(daemon: Daemon, readers: ForeignReaders):
    assert send_mail("Hello", "Hello Ann", SHOP, [ANN]) == 1
    assert_arrived(daemon, to_all(shown(), "ann@example.org"), readers)
    messages = [mail(subject=f"Number {number}") for number in range(3)]
    assert get_connection().send_messages(messages) == 3
    assert len({message.anymail_status.message_id for message in messages}) == 3
    assert len(daemon.files()) == 3


def said(service: str, error: AnymailRequestsAPIError) -> list[str]:
    """The codes of the errors, or their name, in the service's own form."""
    document = error.response.json()
    if service == "SparkPost":
        assert all(item["message"] and isinstance(item.get("code", ""), str) for item in document["errors"])
        assert json.dumps(document["errors"][0]["message"]) in str(error)
        return [item.get("code") for item in document["errors"]]
    assert document["statusCode"] == error.status_code
    assert json.dumps(document["message"]) in str(error)
    return [document["name"]]


@pytest.mark.parametrize("address", ["a" * 65 + "@example.org", "ann@" + "a" * 64 + ".org"])
@pytest.mark.usefixtures("anymail")
def test_an_address_that_is_none(service: str, address: str, daemon: Daemon):
    error = refused(mail((address,)))
    assert error.status_code == 422
    assert address not in error.response.text
    if service == "Resend":
        assert said(service, error) == ["validation_error"]
    assert said(service, error)
    assert_nothing_arrived(daemon)


@pytest.mark.usefixtures("anymail")
def test_a_time_to_send_at(service: str, daemon: Daemon):
    message = mail()
    message.send_at = "2030-01-01T00:00:00+00:00"
    error = refused(message)
    assert error.status_code == 422
    assert ("start_time" if service == "SparkPost" else "scheduled_at") in str(error)
    assert_nothing_arrived(daemon)


def test_a_wrong_key(service: str, start_daemon: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    daemon = start_daemon(*write_keys(tmp_path / "keys.toml"))
    use_anymail(monkeypatch, service, daemon)
    send(mail())
    use_anymail(monkeypatch, service, daemon, **{f"{service.upper()}_API_KEY": "another"})
    error = refused(mail())
    assert error.status_code == 403
    if service == "Resend":
        assert said(service, error) == ["invalid_api_key"]
    assert said(service, error)
    assert len(daemon.files()) == 1


def test_a_sender_that_the_key_is_not_for(
    service: str, start_daemon: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    daemon = start_daemon(*write_keys(tmp_path / "keys.toml", 'from = ["example.com"]'))
    use_anymail(monkeypatch, service, daemon)
    send(mail())
    error = refused(mail(from_email="shop@example.net"))
    assert error.status_code == 403
    assert said(service, error)
    assert len(daemon.files()) == 1


def test_too_many_messages(service: str, start_daemon: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    daemon = start_daemon(*write_keys(tmp_path / "keys.toml", 'rate = "1/m"'))
    use_anymail(monkeypatch, service, daemon)
    send(mail())
    error = refused(mail())
    assert error.status_code == 429
    assert int(error.response.headers["retry-after"]) in range(1, 61)
    if service == "Resend":
        assert said(service, error) == ["rate_limit_exceeded"]
        assert error.response.headers["ratelimit-remaining"] == "0"
        assert {"ratelimit-limit", "ratelimit-reset"} <= set(error.response.headers)
    assert said(service, error)
    assert len(daemon.files()) == 1


def test_a_message_that_is_too_large(service: str, start_daemon: Callable, monkeypatch: pytest.MonkeyPatch):
    daemon = start_daemon("--body-limit", "5000")
    use_anymail(monkeypatch, service, daemon)
    send(mail())
    error = refused(mail(body="Hello " * 1000))
    assert error.status_code == 413
    assert said(service, error)
    assert len(daemon.files()) == 1


@pytest.mark.usefixtures("anymail")
def test_a_pickup_directory_that_is_gone(service: str, daemon: Daemon):
    daemon.pickup.rmdir()
    error = refused(mail())
    assert error.status_code == 503
    assert error.response.headers["retry-after"] == "5"
    assert said(service, error) == [{"SparkPost": "503", "Resend": "application_error"}[service]]


def test_nothing_is_sent_to_a_daemon_that_answers_no_other_service(
    service: str, start_daemon: Callable, monkeypatch: pytest.MonkeyPatch
):
    daemon = start_daemon("--no-compat")
    use_anymail(monkeypatch, service, daemon)
    with pytest.raises(AnymailRequestsAPIError) as caught:
        mail().send()
    assert caught.value.status_code == 404
    assert_nothing_arrived(daemon)
