"""What a message may hold, for type checkers.

Names are compared without letter case, `_` and `-`: each is given here as it is documented and as Python writes it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from email.headerregistry import Address
from typing import Literal, TypeAlias, TypedDict

Text: TypeAlias = str
DateTime: TypeAlias = str | datetime
Octets: TypeAlias = bytes | bytearray | memoryview


class MailboxParts(TypedDict, total=False):
    """A mailbox as an object."""

    name: Text | None
    address: Text
    email: Text


Mailbox: TypeAlias = str | MailboxParts | Address
Mailboxes: TypeAlias = Mailbox | Iterable[Mailbox]


class Attachment(TypedDict, total=False):
    """A file that travels with the message."""

    filename: Text | None
    content: Text | Octets
    contentType: Text | None
    content_type: Text | None
    cid: Text | None
    contentId: Text | None
    content_id: Text | None
    disposition: Literal["attachment", "inline"] | None
    encoding: Literal["base64", "utf8"] | None


class Calendar(TypedDict, total=False):
    """An invitation or its like (RFC 5546)."""

    method: Text | None
    content: Text


class HeaderField(TypedDict):
    """A header field of the caller's own."""

    name: Text
    value: Text | Iterable[Text]


class Unsubscribe(TypedDict, total=False):
    """Ways to leave the list."""

    url: Text | None
    mailto: Text | None
    oneClick: bool | None
    one_click: bool | None


class Dkim(TypedDict, total=False):
    """Which key signs."""

    selector: Text | None
    domain: Text | None
    identity: Text | None
    keyList: Text | None
    key_list: Text | None


class Window(TypedDict, total=False):
    """A time in which the message may be delivered."""

    start: DateTime
    end: DateTime


class Dsn(TypedDict, total=False):
    """Delivery status notifications (RFC 3461)."""

    notify: Text | Iterable[Text] | None
    ret: Literal["full", "headers"] | None


class Fields(TypedDict, total=False):
    """The fields of a message that may be keywords."""

    from_: Mailbox
    sender: Text | None
    to: Mailboxes | None
    cc: Mailboxes | None
    bcc: Mailboxes | None
    replyTo: Mailboxes | None
    reply_to: Mailboxes | None
    subject: Text | None
    text: Text | None
    html: Text | None
    amp: Text | None
    attachments: Iterable[Attachment] | None
    calendar: Calendar | None
    headers: Mapping[Text, Text | Iterable[Text]] | Iterable[HeaderField] | None
    unsubscribe: Unsubscribe | None
    date: DateTime | None
    messageId: Text | None
    message_id: Text | None
    inReplyTo: Text | Iterable[Text] | None
    in_reply_to: Text | Iterable[Text] | None
    references: Text | Iterable[Text] | None
    priority: Literal["high", "normal", "low"] | None
    envid: Text | None
    job: Text | None
    vmta: Text | None
    dkim: Dkim | None
    schedule: Iterable[Window] | None
    verp: bool | None
    dsn: Dsn | None


# `from` is a word of Python's grammar: a key, but no keyword.
From = TypedDict("From", {"from": Mailbox}, total=False)


class Message(Fields, From, total=False):
    """One message."""
