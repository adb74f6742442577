"""Sent messages, for tests."""

import email
import email.policy
import re
from dataclasses import dataclass, field
from email.message import EmailMessage
from functools import cached_property

# What a display name may be made of without quotes; letters beyond ASCII need encoding, and no quotes.
PHRASE = re.compile(r"[\w!#$%&'*+/=?^`{|}~ -]+")


@dataclass(frozen=True, slots=True)
class SentAttachment:
    """A file attached to a message, or embedded in its HTML."""

    filename: str | None
    """Its name."""
    content_type: str
    """Its media type in lower case, such as `application/pdf`."""
    content: bytes = field(repr=False)
    """What is in it, without its transfer encoding."""
    disposition: str | None = None
    """`attachment` or `inline`."""
    cid: str | None = None
    """Its Content-ID without angle brackets, which `cid:` URLs in the HTML name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What PowerMTA is told in addition to the message."""

    mail_from: str
    """The address for bounces; empty for the null reverse-path."""
    rcpt_tos: list[str]
    """Who gets the message: bare addresses, those of blind copies among them."""
    envid: str | None = None
    """The envelope id, which bounces and accounting have."""
    job: str | None = None
    """The job."""
    vmta: str | None = None
    """The virtual MTA or pool."""
    dkim: str | None = None
    """Which key signs, as `x-dkim-options` says it."""
    schedule: str | None = None
    """Delivery windows, as `x-schedule` says them: in the time zone of the host."""
    priority: int | None = None
    """Of one recipient of a mail merge, 1 to 100."""
    subaccount_id: str | None = None
    """PowerMTA's `*subaccountid`."""
    custom_message_id: str | None = None
    """PowerMTA's `*custommessageid`."""
    ret: str | None = None
    """What a delivery status notification returns: `FULL` or `HDRS`."""
    notify: str | None = None
    """When there is one: `NEVER`, or some of `SUCCESS,FAILURE,DELAY`."""
    verp: bool = False
    """Each recipient has a reverse-path of its own, which names it."""
    smtputf8: bool = False
    """Addresses and header fields may be UTF-8."""


@dataclass(frozen=True, kw_only=True)
class SentMessage:
    """A submitted message: one for all its recipients, or in a mail merge one for each.

    It is read from the bytes that a mail program gets, not from what the application gave.
    """

    id: str | None
    """The receipt's `id`; None where the message was read from a file."""
    envelope: Envelope
    """What PowerMTA is told in addition to the message."""
    from_: str
    """The author: a mailbox such as `Ann Lee <ann@example.org>`, bare where there is no name; several with commas."""
    to: list[str]
    """The mailboxes in To."""
    cc: list[str]
    """The mailboxes in Cc."""
    reply_to: list[str]
    """The mailboxes in Reply-To."""
    subject: str | None
    """The subject."""
    message_id: str | None
    """The Message-ID without angle brackets."""
    text: str | None
    """The text, its lines ended by `\\n`, without the end of the last one, which every mail has."""
    html: str | None
    """The HTML, its lines as those of the text."""
    amp: str | None
    """The AMP source, its lines as those of the text."""
    calendar: str | None
    """The invitation, its lines as those of the text."""
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    """Names and values of the header fields, in order, unfolded and decoded."""
    attachments: list[SentAttachment]
    """All files in it."""
    octets: bytes = field(repr=False)
    """The message as it is sent (RFC 5322)."""

    @property
    def bcc(self) -> list[str]:
        """The bare addresses that get the message, and that neither To nor Cc shows."""
        shown = {bare(mailbox).casefold() for mailbox in (*self.to, *self.cc)}
        return [address for address in self.envelope.rcpt_tos if address.casefold() not in shown]

    def header(self, name: str) -> str | None:
        """The value of the first header field with this name, ignoring case; None if there is none."""
        return next((value for known, value in self.headers if known.casefold() == name.casefold()), None)

    @cached_property
    def mime(self) -> EmailMessage:
        """The message as the standard library reads it."""
        message = email.message_from_bytes(self.octets, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        return message


def written(mailboxes: list[tuple[str, str]]) -> list[str]:
    """Mailboxes, names and addresses, as people write them."""
    return [f"{phrase(name)} <{address}>" if name else address for name, address in mailboxes]


def phrase(name: str) -> str:
    if PHRASE.fullmatch(name):
        return name
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'


def bare(mailbox: str) -> str:
    """The address in a mailbox."""
    return mailbox.rpartition(" <")[2].removesuffix(">")
