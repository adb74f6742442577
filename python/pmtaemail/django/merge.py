"""Mail merge: messages whose recipients Django does not see."""

from functools import wraps
from typing import Any

from django.core.mail import EmailMessage


def is_merge(message: EmailMessage) -> bool:
    """Whether each recipient gets a message of their own: `message.pmtaemail = {"recipients": ...}`."""
    return any(name.lower() == "recipients" for name in getattr(message, "pmtaemail", {}))


def let_merges_be_sent() -> None:
    """`EmailMessage.send` returns 0 before it asks any backend, where `to`, `cc` and `bcc` are empty; those of a mail
    merge are."""
    send = EmailMessage.send
    if hasattr(send, "__wrapped__"):
        return

    @wraps(send)
    def send_merges_too(self: EmailMessage, *arguments: Any, **options: Any) -> int:
        if is_merge(self) and not self.recipients():
            vars(self)["recipients"] = lambda: vars(self).pop("recipients") and ["those of the merge"]
        try:
            return send(self, *arguments, **options)
        finally:
            vars(self).pop("recipients", None)

    EmailMessage.send = send_merges_too  # type: ignore[method-assign]
