"""What the tests of the Django backend share: settings, and how what was sent is read."""

from email import message_from_bytes, policy
from email.message import EmailMessage as Mail
from pathlib import Path

import django
import pytest
from django.conf import settings

from pickup_reader import read

BACKEND = "pmtaemail.django.EmailBackend"

if not settings.configured:
    settings.configure(EMAIL_BACKEND=BACKEND, INSTALLED_APPS=["pmtaemail.django"], USE_TZ=True, SECRET_KEY="x")
    django.setup()


def use_backend(monkeypatch: pytest.MonkeyPatch, pickup: Path) -> Path:
    """Django's mail goes to this pickup directory."""
    monkeypatch.setattr(settings, "EMAIL_BACKEND", BACKEND, raising=False)
    monkeypatch.setattr(settings, "PMTAEMAIL", {"PICKUP": pickup, "DURABILITY": "none"}, raising=False)
    return pickup


def sent(pickup: Path) -> tuple[list[str], Mail]:
    """The recipients and the mail of the one file that was handed over."""
    (file,) = pickup.iterdir()
    handed_over = read(file.read_bytes())
    assert handed_over.message
    return handed_over.addresses, message_from_bytes(handed_over.message, policy=policy.default)
