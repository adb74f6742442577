"""What the tests of Anymail share: its settings, and how a message is sent."""

import pytest
from anymail.exceptions import AnymailRequestsAPIError
from anymail.message import AnymailMessage
from django.conf import settings
from django.core.mail import get_connection

import django_mail  # noqa: F401  Django's settings
from daemon import Daemon
from stock_clients import KEY

SHOP = "Shop <shop@example.com>"
ANN = "Ann Lee <ann@example.org>"
PATHS = {"SparkPost": "/api/v1", "Resend": ""}


def use_anymail(monkeypatch: pytest.MonkeyPatch, service: str, daemon: Daemon, **settings_of_anymail: object) -> None:
    """Django's mail goes to the daemon, as Anymail speaks to this service."""
    name = service.upper()
    anymail = {f"{name}_API_KEY": KEY, f"{name}_API_URL": daemon.url + PATHS[service], **settings_of_anymail}
    monkeypatch.setattr(settings, "EMAIL_BACKEND", f"anymail.backends.{service.lower()}.EmailBackend", raising=False)
    monkeypatch.setattr(settings, "ANYMAIL", anymail, raising=False)


def mail(
    to: tuple[str, ...] = (ANN,), subject: str = "Hello", body: str = "Hello Ann", **more: object
) -> AnymailMessage:
    return AnymailMessage(subject, body, more.pop("from_email", SHOP), list(to), **more)


def shown(**more: object) -> dict:
    """What a recipient of `mail()` is to see."""
    return {"from": SHOP, "to": ANN, "subject": "Hello", "text": "Hello Ann", **more}


def send(message: AnymailMessage, status: str = "queued") -> str | set[str]:
    """Sends it, and gives the id, or ids, that Anymail has for it. All that Anymail says of it is right."""
    assert get_connection().send_messages([message]) == 1
    said = message.anymail_status
    assert said.status == {status}
    assert {recipient.status for recipient in said.recipients.values()} == {status}
    assert set(said.recipients) == {address.rpartition("<")[2].rstrip(">") for address in message.recipients()}
    assert said.esp_response.status_code == 200
    return said.message_id


def refused(message: AnymailMessage) -> AnymailRequestsAPIError:
    """What Anymail raises, which nobody has to know the daemon for."""
    with pytest.raises(AnymailRequestsAPIError) as caught:
        message.send()
    error = caught.value
    assert error.status_code == error.response.status_code
    assert error.response.headers["content-type"].startswith("application/json")
    assert message.anymail_status.status is None
    return error
