"""What a message may hold, for type checkers. Made from the JSON Schema of a message by generate_types.py.

Names are compared without letter case, `_` and `-`: each is given as it is documented and as Python writes it.
"""

import sys
from collections.abc import AsyncIterable, Iterable, Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import Message as RawMessage
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeAlias

if TYPE_CHECKING or sys.version_info >= (3, 12):
    from typing import TypedDict
else:
    try:
        # Which pydantic asks for, and brings along.
        from typing_extensions import TypedDict
    except ImportError:
        from typing import TypedDict

Octets: TypeAlias = bytes | bytearray | memoryview
DispositionWord: TypeAlias = Literal["attachment", "inline"]
Encoding: TypeAlias = Literal["base64", "utf8"]
InvalidRecipients: TypeAlias = Literal["refuse", "skip"]
MergeForm: TypeAlias = Literal["native", "expanded"]
NotifyWord: TypeAlias = Literal["never", "success", "failure", "delay"]
Priority: TypeAlias = Literal["high", "normal", "low"]
ReturnWord: TypeAlias = Literal["full", "headers"]
TemplateLanguage: TypeAlias = Literal["none", "merge", "jinja", "sparkpost"]


class MailboxParts(TypedDict, total=False):
    """A mailbox, as an object."""

    address: str | None
    email: str | None
    name: str | None


class Attachment(TypedDict, total=False):
    """An attached file or inline image."""

    cid: str | None
    contentId: str | None
    content_id: str | None
    content: str | Octets | None
    contentType: str | None
    content_type: str | None
    disposition: DispositionWord | None
    encoding: Encoding | None
    filename: str | None
    part: str | None


class Calendar(TypedDict, total=False):
    """An invitation or another iTIP message (RFC 5546)."""

    content: str | None
    method: str | None


class Dkim(TypedDict, total=False):
    """The key with which PowerMTA signs."""

    domain: str | None
    identity: str | None
    keyList: str | None
    key_list: str | None
    selector: str | None


class Dsn(TypedDict, total=False):
    """Delivery status notifications (RFC 3461)."""

    notify: NotifyWord | Iterable[NotifyWord] | None
    ret: ReturnWord | None


class HeaderField(TypedDict, total=False):
    """An additional header field, in the list form."""

    name: str | None
    value: str | Iterable[str] | None


class Raw(TypedDict, total=False):
    """A finished message, as an object."""

    content: str | Octets | None
    encoding: Encoding | None


class Recipient(TypedDict, total=False):
    """A recipient of a mail merge as an object."""

    address: str | None
    email: str | None
    customMessageId: str | None
    custom_message_id: str | None
    envid: str | None
    headers: Mapping[str, str | Iterable[str]] | Iterable[HeaderField] | None
    job: str | None
    name: str | None
    priority: Priority | int | float | None
    sender: str | None
    subaccountId: str | None
    subaccount_id: str | None
    variables: Mapping[str, object] | None
    vmta: str | None


class Window(TypedDict, total=False):
    """A delivery window."""

    end: str | datetime | None
    start: str | datetime | None


class Unsubscribe(TypedDict, total=False):
    """Ways to unsubscribe."""

    mailto: str | None
    oneClick: bool | None
    one_click: bool | None
    url: str | None


class MessageFields(TypedDict, total=False):
    """All fields but `from`."""

    from_: str | MailboxParts | Address | None
    amp: str | None
    attachments: Iterable[Attachment] | None
    bcc: str | MailboxParts | Address | Iterable[str | MailboxParts | Address] | None
    calendar: Calendar | None
    cc: str | MailboxParts | Address | Iterable[str | MailboxParts | Address] | None
    customMessageId: str | None
    custom_message_id: str | None
    date: str | datetime | None
    dkim: Dkim | None
    dsn: Dsn | None
    envid: str | None
    headers: Mapping[str, str | Iterable[str]] | Iterable[HeaderField] | None
    html: str | None
    inReplyTo: str | Iterable[str] | None
    in_reply_to: str | Iterable[str] | None
    inlineCss: bool | None
    inline_css: bool | None
    invalidRecipients: InvalidRecipients | None
    invalid_recipients: InvalidRecipients | None
    job: str | None
    merge: MergeForm | None
    messageId: str | None
    message_id: str | None
    mjml: str | None
    priority: Priority | None
    raw: str | Octets | Raw | None
    recipients: Iterable[str | Recipient | Address] | None
    references: str | Iterable[str] | None
    replyTo: str | MailboxParts | Address | Iterable[str | MailboxParts | Address] | None
    reply_to: str | MailboxParts | Address | Iterable[str | MailboxParts | Address] | None
    schedule: Iterable[Window] | None
    seeds: str | MailboxParts | Address | Iterable[str | MailboxParts | Address] | None
    sender: str | None
    subaccountId: str | None
    subaccount_id: str | None
    subject: str | None
    template: TemplateLanguage | None
    text: str | None
    textFromHtml: bool | None
    text_from_html: bool | None
    to: str | MailboxParts | Address | Iterable[str | MailboxParts | Address] | None
    unsubscribe: Unsubscribe | None
    variables: Mapping[str, object] | None
    verp: bool | None
    vmta: str | None


class CommonFields(TypedDict, total=False):
    """Fields that may be keywords."""

    from_: str | Mapping[str, object] | Address | None
    amp: str | None
    attachments: Iterable[Mapping[str, object]] | None
    bcc: str | Mapping[str, object] | Address | Iterable[str | Mapping[str, object] | Address] | None
    calendar: Mapping[str, object] | None
    cc: str | Mapping[str, object] | Address | Iterable[str | Mapping[str, object] | Address] | None
    customMessageId: str | None
    custom_message_id: str | None
    date: str | datetime | None
    dkim: Mapping[str, object] | None
    dsn: Mapping[str, object] | None
    envid: str | None
    headers: Mapping[str, str | Iterable[str]] | Iterable[Mapping[str, object]] | None
    html: str | None
    inReplyTo: str | Iterable[str] | None
    in_reply_to: str | Iterable[str] | None
    inlineCss: bool | None
    inline_css: bool | None
    invalidRecipients: InvalidRecipients | None
    invalid_recipients: InvalidRecipients | None
    job: str | None
    merge: MergeForm | None
    messageId: str | None
    message_id: str | None
    mjml: str | None
    priority: Priority | None
    raw: str | Octets | Mapping[str, object] | None
    references: str | Iterable[str] | None
    replyTo: str | Mapping[str, object] | Address | Iterable[str | Mapping[str, object] | Address] | None
    reply_to: str | Mapping[str, object] | Address | Iterable[str | Mapping[str, object] | Address] | None
    schedule: Iterable[Mapping[str, object]] | None
    seeds: str | Mapping[str, object] | Address | Iterable[str | Mapping[str, object] | Address] | None
    sender: str | None
    subaccountId: str | None
    subaccount_id: str | None
    subject: str | None
    template: TemplateLanguage | None
    text: str | None
    textFromHtml: bool | None
    text_from_html: bool | None
    to: str | Mapping[str, object] | Address | Iterable[str | Mapping[str, object] | Address] | None
    unsubscribe: Mapping[str, object] | None
    variables: Mapping[str, object] | None
    verp: bool | None
    vmta: str | None


class Fields(CommonFields, total=False):
    """The fields of a message that may be keywords."""

    recipients: Iterable[str | Mapping[str, object] | Address] | None


AsyncRecipients: TypeAlias = AsyncIterable[str | Mapping[str, object] | Address]


class AsyncFields(CommonFields, total=False):
    """The same; recipients may come from an async iterable."""

    recipients: Iterable[str | Mapping[str, object] | Address] | AsyncRecipients | None


# `from` is a word of Python's grammar: a key, but no keyword.
From = TypedDict("From", {"from": str | MailboxParts | Address | None}, total=False)


class Message(MessageFields, From, total=False):
    """One message."""


class Dataclass(Protocol):
    """An instance of a dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


class Model(Protocol):
    """A model of pydantic, or what is dumped as one."""

    def model_dump(self) -> dict[str, Any]: ...


Json: TypeAlias = str | Octets
# A dict that nobody has annotated is a mapping; what is wrong with it is told when it is read.
Input: TypeAlias = Message | Mapping[str, object] | Dataclass | Model | Json | RawMessage

# For pydantic: what it does not know is checked by its class.
for _class in (
    MailboxParts,
    Attachment,
    Calendar,
    Dkim,
    Dsn,
    HeaderField,
    Raw,
    Recipient,
    Window,
    Unsubscribe,
    MessageFields,
    From,
    Message,
):
    setattr(_class, "__pydantic_config__", {"arbitrary_types_allowed": True})  # noqa: B010
