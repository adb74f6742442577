"""Django's mail in tests: checked and rendered as PowerMTA would get it, and kept in `django.core.mail.outbox`.

Django's test runner has all mail go to its own backend, which checks little. So name this one for the tests that look
at mail:

    @override_settings(EMAIL_BACKEND="pmtaemail.django.testing.EmailBackend")
    class WelcomeTest(TestCase):
        def test_welcome(self):
            register("ann@example.org")
            [message] = mail.outbox[0].pmtaemail_messages
            self.assertEqual(message.text, "Welcome!")

With Django 6.1 it is the `BACKEND` of a mailer in `MAILERS`.
"""

import copy
from collections.abc import Sequence
from typing import Any

from django.core import mail

from .. import Pickup
from .._native import Prepared
from . import backend

__all__ = ["EmailBackend"]


class EmailBackend(backend.EmailBackend):
    """Appends each message to `django.core.mail.outbox`, as Django's own backend for tests does.

    Invalid messages raise as with `pmtaemail.django.EmailBackend`; no pickup directory is needed. A message in the
    outbox has `pmtaemail_receipt`, and in `pmtaemail_messages` what its recipients get: one
    `pmtaemail.testing.SentMessage`, or of a mail merge one for each of them.
    """

    def _check_options(self) -> None:
        pass

    def _submit(self, ready: Sequence[tuple[Any, Prepared]]) -> list[Any]:
        results = []
        for message, prepared in ready:
            pickup = Pickup.memory()
            (result,) = pickup.submit_many([prepared])
            results.append(result)
            if not isinstance(result, Exception):
                sent: Any = copy.copy(message)
                sent.pmtaemail_receipt = result
                sent.pmtaemail_messages = pickup.messages
                outbox().append(sent)
        return results


def outbox() -> list[Any]:
    """The list that Django's test runner makes for each test; without it one that lasts."""
    if not hasattr(mail, "outbox"):
        mail.outbox = []
    found: list[Any] = mail.outbox
    return found
