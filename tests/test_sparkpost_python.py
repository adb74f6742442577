"""PyPI's `sparkpost`, unchanged, against the daemon: it speaks TLS alone."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from sparkpost import SparkPost
from sparkpost.exceptions import SparkPostAPIException

import django_mail  # noqa: F401  Django's settings
from authority import Authority, make_authority
from daemon import Daemon
from readers import ForeignReaders
from stock_clients import KEY, PDF, PNG, assert_arrived, assert_nothing_arrived, sparkpost_errors, to_all, write_keys

SHOP = "Shop <shop@example.com>"
ANN = "Ann Lee <ann@example.org>"
PLAIN = {"from_email": SHOP, "recipients": [ANN], "subject": "Hello", "text": "Hello Ann"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def start(authority: Authority, start_daemon: Callable, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Daemon]:
    """Starts a daemon that speaks TLS, with a certificate that `requests` trusts."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.certificate))
    return lambda *more: start_daemon(*authority.options, *more)


@pytest.fixture
def daemon(start: Callable) -> Daemon:
    return start()


def client(daemon: Daemon, key: str = KEY) -> SparkPost:
    return SparkPost(key, base_uri=f"{daemon.host}:{daemon.port}")


def shown(**more: object) -> dict:
    return {"from": SHOP, "to": ANN, "subject": "Hello", "text": "Hello Ann", **more}


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def test_a_message(daemon: Daemon, readers: ForeignReaders):
    results = client(daemon).transmissions.send(**PLAIN)
    assert (results["total_accepted_recipients"], results["total_rejected_recipients"]) == (1, 0)
    assert results["id"].isdecimal()
    assert_arrived(daemon, to_all(shown(), "ann@example.org"), readers)


def test_all_that_it_knows(daemon: Daemon, readers: ForeignReaders, tmp_path: Path):
    report = tmp_path / "report.pdf"
    report.write_bytes(PDF)
    results = client(daemon).transmissions.send(
        from_email='"Blåbær, AS" <shop@example.com>',
        recipients=[{"address": {"email": "ann@example.org", "name": "Ann Lee"}, "substitution_data": {"n": "Grüße"}}],
        cc=["cy@example.org", "Di <di@example.org>"],
        bcc=["ed@example.org"],
        subject="{{ n }}, {{ shop }}",
        text="{{ n }}",
        html="<p>{{ n }}<img src='cid:logo'></p>",
        amp_html="<html ⚡4email></html>",
        reply_to="help@example.com",
        return_path="bounce@example.com",
        campaign="spring",
        description="first",
        ip_pool="pool-a",
        metadata={"shop": "of the metadata"},
        substitution_data={"shop": "north"},
        custom_headers={"X-Shop": "ø"},
        track_opens=False,
        track_clicks=False,
        transactional=True,
        skip_suppression=False,
        attachments=[{"name": "größe.pdf", "type": "application/pdf", "filename": str(report)}],
        inline_images=[{"name": "logo", "type": "image/png", "data": encoded(PNG)}],
    )
    assert results["total_accepted_recipients"] == 4
    message = shown(
        **{"from": '"Blåbær, AS" <shop@example.com>'},
        cc=["cy@example.org", "Di <di@example.org>"],
        subject="Grüße, north",
        text="Grüße",
        html="<p>Grüße<img src='cid:logo'></p>",
        amp="<html ⚡4email></html>",
        replyTo="help@example.com",
        sender="bounce@example.com",
        job="spring",
        vmta="pool-a",
        headers={"X-Shop": "ø"},
        attachments=[
            {"filename": "größe.pdf", "contentType": "application/pdf", "content": encoded(PDF)},
            {"cid": "logo", "contentType": "image/png", "content": encoded(PNG)},
        ],
    )
    everybody = [f"{name}@example.org" for name in ("ann", "cy", "di", "ed")]
    assert_arrived(daemon, to_all(message, *everybody), readers)


def test_a_list_and_each_sees_itself_alone(daemon: Daemon, readers: ForeignReaders):
    results = client(daemon).transmissions.send(**{**PLAIN, "recipients": [ANN, "bo@example.org"]})
    assert results["total_accepted_recipients"] == 2
    told = [("ann@example.org", shown()), ("bo@example.org", shown(to="bo@example.org"))]
    assert_arrived(daemon, told, readers)


def test_a_finished_message(daemon: Daemon):
    raw = "From: shop@example.com\r\nTo: ann@example.org\r\nSubject: Hi\r\n\r\nHello\r\n"
    client(daemon).transmissions.send(email_rfc822=raw, recipients=["bo@example.org"], subject="not this")
    (file,) = daemon.files()
    assert b"\r\nSubject: Hi\r\n" in file.read_bytes()


def refused(daemon: Daemon, key: str = KEY, **change: object) -> SparkPostAPIException:
    with pytest.raises(SparkPostAPIException) as caught:
        client(daemon, key).transmissions.send(**{**PLAIN, **change})
    error = caught.value
    said = sparkpost_errors(error.response.content)
    assert len(error.errors) == len(said)
    assert all(item["message"] in text for item, text in zip(said, error.errors, strict=True))
    return error


REFUSED = [
    ({"start_time": "2030-01-01T00:00:00Z"}, 422, "start_time"),
    ({"track_opens": True}, 422, "open_tracking"),
    ({"track_clicks": True}, 422, "click_tracking"),
    ({"template": "welcome"}, 422, "template_id"),
    ({"recipient_list": "everybody", "recipients": {}}, 422, "list_id"),
    ({"recipients": []}, 400, "recipients"),
    ({"recipients": ["ann@example..org"]}, 422, "address"),
    ({"campaign": "x" * 65}, 422, "campaign_id"),
]


@pytest.mark.parametrize(("change", "status", "name"), REFUSED, ids=lambda value: str(value)[:60])
def test_each_refusal_is_the_clients_own_error(change: dict, status: int, name: str, daemon: Daemon):
    error = refused(daemon, **change)
    assert error.status == status
    assert name in str(error)
    assert_nothing_arrived(daemon)


def test_keys(start: Callable, tmp_path: Path):
    daemon = start(*write_keys(tmp_path / "keys.toml", 'rate = "1/m"'))
    wrong = refused(daemon, key="another")
    client(daemon).transmissions.send(**PLAIN)
    often = refused(daemon)
    assert [error.status for error in (wrong, often)] == [403, 429]
    assert len(daemon.files()) == 1


def test_a_message_that_is_too_large(start: Callable):
    daemon = start("--body-limit", "5000")
    assert refused(daemon, text="Hello " * 1000).status == 413
    client(daemon).transmissions.send(**PLAIN)


def test_what_it_cannot_ask_for(daemon: Daemon):
    with pytest.raises(SparkPostAPIException) as caught:
        client(daemon).transmissions.get("11668787484950529")
    assert caught.value.status in (404, 405)
    assert sparkpost_errors(caught.value.response.content)


def test_its_backend_for_django(daemon: Daemon, readers: ForeignReaders, monkeypatch: pytest.MonkeyPatch):
    for name, value in {
        "API_KEY": KEY,
        "BASE_URI": f"{daemon.host}:{daemon.port}",
        "OPTIONS": {"campaign": "spring"},
    }.items():
        monkeypatch.setattr(settings, f"SPARKPOST_{name}", value, raising=False)
    message = EmailMultiAlternatives(
        "Grüße", "Hello", SHOP, [ANN], cc=["cy@example.org"], reply_to=["help@example.com"]
    )
    message.attach_alternative("<p>Hello</p>", "text/html")
    message.attach("report.pdf", PDF, "application/pdf")
    connection = get_connection("sparkpost.django.email_backend.SparkPostEmailBackend")
    assert connection.send_messages([message]) == 2
    file = {"filename": "report.pdf", "contentType": "application/pdf", "content": encoded(PDF)}
    told = shown(subject="Grüße", text="Hello", html="<p>Hello</p>", cc="cy@example.org", replyTo="help@example.com")
    told |= {"attachments": [file], "job": "spring"}
    assert_arrived(daemon, to_all(told, "ann@example.org", "cy@example.org"), readers)
