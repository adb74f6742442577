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
from .conversion import convert
from .errors import HeaderError
from .finished import convert_to_raw
from .header_values import has_line_end
from .merge import is_merge, let_merges_be_sent

ADDRESSES = {"from", "sender", "to", "cc", "bcc"}
OPTIONS = {"pickup", "durability", "staging", "syncfs", "file_mode", "file_group"}


class EmailBackend(BaseEmailBackend):
    """Submits messages to PowerMTA.

    Options come as arguments (`OPTIONS` of a mailer), else from the setting `PMTAEMAIL`. With `fail_silently`,
    messages that Django itself would send raise nothing, as with Django's SMTP backend. A header value with a line
    end and an invalid address raise in any case: `MessageError`, which for the former is a `BadHeaderError` as
    well.

    After the call `message.pmtaemail_receipt` is the message's receipt, or None if it was not submitted.
    """

    def __init__(
        self,
        fail_silently: bool = False,
        *,
        pickup: str | os.PathLike[str] | None = None,
        durability: Literal["durable", "none"] | None = None,
        staging: str | os.PathLike[str] | None = None,
        syncfs: bool | None = None,
        file_mode: int | None = None,
        file_group: str | int | None = None,
        username: None = None,
        password: None = None,
        **base: Any,
    ):
        # `send_mail` gives a user name and a password to every backend; there is nobody to show them to.
        super().__init__(**base)
        self.fail_silently = fail_silently
        given = {
            "pickup": pickup,
            "durability": durability,
            "staging": staging,
            "syncfs": syncfs,
            "file_mode": file_mode,
            "file_group": file_group,
        }
        self._options = options_of_settings() | {name: value for name, value in given.items() if value is not None}
        self._check_options()

    def _check_options(self) -> None:
        if "pickup" not in self._options:
            raise ImproperlyConfigured("give PowerMTA's pickup directory: PMTAEMAIL = {'PICKUP': ...}")

    def _submit(self, ready: Sequence[tuple[Any, Prepared]]) -> list[Any]:
        """A receipt or an exception for each."""
        return open_pickup(**self._options).submit_many([prepared for _, prepared in ready])

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """The number of submitted messages.

        All are read before the first is submitted: if one is invalid, none is sent.
        """
        ready = self._prepared([message for message in email_messages if message.recipients() or is_merge(message)])
        if not ready:
            return 0
        try:
            results = self._submit(ready)
        except PickupError:
            if self.fail_silently:
                return 0
            raise
        for (message, _), result in zip(ready, results, strict=True):
            message.pmtaemail_receipt = None if isinstance(result, Exception) else result
        errors = [result for result in results if isinstance(result, Exception)]
        if errors and not self.fail_silently:
            raise errors[0]
        return len(results) - len(errors)

    def _prepared(self, messages: Sequence[Any]) -> list[tuple[Any, Prepared]]:
        ready = []
        for message in messages:
            message.pmtaemail_receipt = None
            try:
                ready.append((message, prepare(message)))
            except MessageError as error:
                if not self.fail_silently or raises_in_django(message, error):
                    raise
        return ready


def prepare(message: EmailMessage) -> Prepared:
    """The message, rendered; through Django's own MIME where it has what the fields of a message cannot say."""
    try:
        fields = convert(message)
        if fields is not None:
            try:
                return Prepared(**fields)
            except MessageError as error:
                # A header field that is made from other fields here, and that Django lets its users write.
                if codes(error) != {"reserved_header"}:
                    raise
        return Prepared(**convert_to_raw(message))
    except MessageError as error:
        if "control_character" in codes(error):
            raise HeaderError(error.problems) from error
        raise


def codes(error: MessageError) -> set[str]:
    return {problem.code for problem in error.problems}


def raises_in_django(message: EmailMessage, error: MessageError) -> bool:
    """Whether Django's SMTP backend raises in any case: for a header value with a line end, and for what is no address.

    All else it leaves to the server, whose refusal `fail_silently` is about. What is not of Django is told as well.
    """
    values = (message.subject, message.from_email, *message.recipients(), *message.reply_to)
    return (
        bool(getattr(message, "pmtaemail", None))
        or any(has_line_end(str(value)) for value in (*values, *message.extra_headers.values()))
        or any(problem.pointer.split("/")[1:2][0] in ADDRESSES for problem in error.problems if problem.pointer)
    )


def options_of_settings() -> dict[str, Any]:
    options = {name.lower(): value for name, value in getattr(settings, "PMTAEMAIL", {}).items()}
    if unknown := options.keys() - OPTIONS:
        raise ImproperlyConfigured(f"PMTAEMAIL has no {', '.join(sorted(unknown)).upper()}")
    return options


let_merges_be_sent()


# Django makes a backend for every mail, and threads share their syncs in one pickup object alone.
@cache
def open_pickup(pickup: str | os.PathLike[str], **options: Any) -> Pickup:
    return Pickup(pickup, **options)
