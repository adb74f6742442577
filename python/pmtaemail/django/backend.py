"""The email backend."""

import os
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from .. import Pickup
from .._native import Prepared
from ..errors import MessageError, PickupError
from .conversion import convert, convert_to_raw

OPTIONS = {"pickup", "durability", "staging", "syncfs"}


class EmailBackend(BaseEmailBackend):
    """Hands messages over to PowerMTA.

    Options come as arguments (`OPTIONS` of a mailer), else from the setting `PMTAEMAIL`. `fail_silently` is about the
    hand-over; a message that breaks rules raises `MessageError` in any case.
    """

    def __init__(
        self,
        fail_silently: bool = False,
        *,
        pickup: str | os.PathLike[str] | None = None,
        durability: Literal["durable", "none"] | None = None,
        staging: str | os.PathLike[str] | None = None,
        syncfs: bool | None = None,
        username: None = None,
        password: None = None,
        **base: Any,
    ):
        # `send_mail` gives a user name and a password to every backend; there is nobody to show them to.
        super().__init__(**base)
        self.fail_silently = fail_silently
        given = {"pickup": pickup, "durability": durability, "staging": staging, "syncfs": syncfs}
        self._options = options_of_settings() | {name: value for name, value in given.items() if value is not None}
        if "pickup" not in self._options:
            raise ImproperlyConfigured("give PowerMTA's pickup directory: PMTAEMAIL = {'PICKUP': ...}")

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """The number of messages that were handed over.

        All are read before the first is handed over: where one breaks rules, none is sent.
        """
        prepared = [prepare(message) for message in email_messages if message.recipients()]
        if not prepared:
            return 0
        try:
            results = open_pickup(**self._options).submit_many(prepared)
        except PickupError:
            if self.fail_silently:
                return 0
            raise
        errors = [result for result in results if isinstance(result, Exception)]
        if errors and not self.fail_silently:
            raise errors[0]
        return len(results) - len(errors)


def prepare(message: EmailMessage) -> Prepared:
    """The message, rendered; through Django's own MIME where it has what the fields of a message cannot say."""
    fields = convert(message)
    if fields is not None:
        try:
            return Prepared(**fields)
        except MessageError as error:
            # A header field that is made from other fields here, and that Django lets its users write.
            if {problem.code for problem in error.problems} != {"reserved_header"}:
                raise
    return Prepared(**convert_to_raw(message))


def options_of_settings() -> dict[str, Any]:
    options = {name.lower(): value for name, value in getattr(settings, "PMTAEMAIL", {}).items()}
    if unknown := options.keys() - OPTIONS:
        raise ImproperlyConfigured(f"PMTAEMAIL has no {', '.join(sorted(unknown)).upper()}")
    return options


# Django makes a backend for every mail, and threads share their syncs in one pickup object alone.
@cache
def open_pickup(pickup: str | os.PathLike[str], **options: Any) -> Pickup:
    return Pickup(pickup, **options)
