import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, Self, Unpack, final

from ._objects import Receipt, RecipientReceipt
from ._sent import SentMessage
from .errors import Problem
from .types import Fields, Input

__all__ = [
    "VERSION",
    "Capture",
    "Pickup",
    "Prepared",
    "RecipientReceipts",
    "check",
    "render",
    "sent_messages",
    "warnings",
]

VERSION: str

def check(message: Input | None = None, /, *, strict: bool = False, **fields: Unpack[Fields]) -> list[Problem]:
    """Reports everything that is wrong with a message: `Problem`s in document order, none if it is valid.

    A message is a dict, or another mapping, a dataclass or a model of pydantic; JSON as `str` or `bytes`; or an
    `email.message.EmailMessage`, which is sent as it is. Fields may be keyword arguments, with or without a dict;
    write `from_` for `from`. Names are compared ignoring case, `_` and `-`; `None` means absent. The most common
    fields:

    - `from`, `to`, `cc`, `bcc`, `reply_to`: `"Ann Lee <ann@example.org>"` or `{"name": str, "address": str}`;
      all but `from` also take an iterable of them
    - `subject`, `text`, `html`: `str`
    - `attachments`: an iterable of `{"filename": str, "content": bytes}`, with `cid` for an inline image
    - `headers`: `{name: value}`
    - `date`: a `datetime` with its `tzinfo`
    - `recipients`, instead of `to`: mail merge, an iterable of `{"address": str, "variables": {name: value}}`
    - `raw`: a finished message (RFC 5322), `str` or `bytes`, instead of the fields that make one

    Values may be `Decimal`, `UUID`, dates, members of an `Enum`, scalars of numpy. At most the first 1,000 problems
    are returned. Raises `TypeError`, with the place in a note, for values that a message cannot contain, such as an
    open file. With `strict=True` the `warnings` of a message without problems are returned as problems.

    >>> import pmtaemail
    >>> problems = pmtaemail.check(from_="shop@example.com", to="ann@example.org", txt="Hello")
    >>> [(problem.code, problem.pointer) for problem in problems]
    [('unknown_field', '/txt')]
    """

def warnings(message: Input | None = None, /, **fields: Unpack[Fields]) -> list[Problem]:
    """Reports what is allowed in a message, given as to `check`, but may be a mistake.

    By their codes: `foreign_placeholder` (`*|X|*`, `%recipient.x%`, `%%x%%`, which readers would see); of HTML
    `missing_text`, `large_html` (over 102 kB), `missing_alt`, `insecure_link` (without https), `script_link`; and
    `missing_unsubscribe` with more than 5,000 recipients. Templates are checked unrendered. Only `check` says
    whether the message can be sent. Raises `TypeError` as `check` does.

    >>> import pmtaemail
    >>> message = {"from": "shop@example.com", "to": "ann@example.org", "subject": "Hello *|FNAME|*"}
    >>> [(warning.code, warning.pointer) for warning in pmtaemail.warnings(message)]
    [('foreign_placeholder', '/subject')]
    """

def render(message: Input | None = None, /, *, recipient: int | None = None, **fields: Unpack[Fields]) -> bytes:
    """Renders a message, given as to `check`: the bytes of the mail (RFC 5322), its lines ended by CRLF.

    For a mail merge, this is the message of the first recipient. Date and Message-ID are generated if the message gives
    none; with both given, the same message always yields the same bytes. `recipient=7` is the message of
    the seventh recipient. Raises `MessageError` with all problems.

    >>> import pmtaemail
    >>> mail = pmtaemail.render({"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"})
    >>> mail.endswith(b"\\r\\n\\r\\nHello\\r\\n")
    True
    """

def sent_messages(file: bytes, received: float) -> list[SentMessage]:
    """The messages in a pickup file; one for each recipient of a mail merge. `received` is in seconds since 1970."""

@final
class Capture:
    """While this exists, everything submitted through any `Pickup` of this process stays in memory."""

    def __new__(cls) -> Self: ...
    @property
    def files(self) -> int:
        """How many pickup files were submitted since it began, or was cleared."""

    @property
    def messages(self) -> list[SentMessage]:
        """What was submitted until it ended."""

    def clear(self) -> None:
        """Forgets what was submitted so far."""

    def end(self) -> None:
        """From here on, submissions go where they went before."""

@final
class Prepared:
    """A rendered message, given as to `check`: all that is left to do is to submit it.

    All files of a mail merge are in memory. Raises `MessageError`.

    >>> from pmtaemail._native import Prepared
    >>> prepared = Prepared(from_="shop@example.com", to="ann@example.org", text="Hello")
    """

    def __new__(
        cls,
        message: Input | None = None,
        /,
        *,
        recipient: int | None = None,
        limit: int | None = None,
        warnings: bool = False,
        **fields: Unpack[Fields],
    ) -> Self: ...

@final
class RecipientReceipts:
    """The identifiers of each recipient's message of a mail merge: `RecipientReceipt`s in the order of the recipients.
    They are made when they are accessed, and take no memory however many there are.

    >>> import pmtaemail, tempfile
    >>> pickup = pmtaemail.Pickup(tempfile.mkdtemp(), durability="none")
    >>> receipt = pickup.submit(from_="shop@example.com", recipients=[{"address": "ann@example.org", "envid": "a-1"}])
    >>> [(one.index, one.envid) for one in receipt.recipient_receipts]
    [(0, 'a-1')]
    """

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[RecipientReceipt]: ...
    def __contains__(self, object: object, /) -> bool: ...

class Pickup:
    """PowerMTA's pickup directory. Opened once and used from many threads, which share their syncs.

    `directory` is a path. `durability` is `"durable"`, or `"none"`, which syncs nothing: fast, but lost in a power
    failure. `staging` is the folder in which several files of one submission wait until all are submitted, or none, on
    the same file system; files that a killed process had decided to submit are moved on from there. `syncfs=False`
    never syncs the whole file system. `file_mode` (`0o640`) and `file_group` (a name or number) apply to each file, at
    the cost of a system call. `state` is the folder of the store of idempotency keys, by default next to the staging
    folder; only one process at a time can use it. The process may fork. Raises `PickupError`, an `OSError`, if the
    directory is missing or cannot be written.

    >>> import pmtaemail, tempfile
    >>> pickup = pmtaemail.Pickup(tempfile.mkdtemp(), durability="none")
    >>> receipt = pickup.submit(from_="shop@example.com", to="ann@example.org", text="Hello")
    >>> (pickup.directory / receipt.files[0]).stat().st_size == receipt.octets
    True
    """

    def __new__(
        cls,
        directory: str | os.PathLike[str],
        *,
        durability: Literal["durable", "none"] = "durable",
        staging: str | os.PathLike[str] | None = None,
        syncfs: bool = True,
        file_mode: int | None = None,
        file_group: str | int | None = None,
        state: str | os.PathLike[str] | None = None,
    ) -> Self: ...
    @staticmethod
    def memory() -> Pickup:
        """A pickup in memory: what is submitted to it stays there, for the tests of an application.

        It does everything that one on disk does, but sends nothing. It holds 256 MiB; beyond that `submit` raises
        `PickupError`.

        >>> import pmtaemail
        >>> pickup = pmtaemail.Pickup.memory()
        >>> receipt = pickup.submit(from_="shop@example.com", to="ann@example.org", subject="Hello")
        >>> [(message.to, message.subject) for message in pickup.messages]
        [(['ann@example.org'], 'Hello')]
        """

    @property
    def messages(self) -> list[SentMessage]:
        """What was submitted to a pickup in memory: `pmtaemail.testing.SentMessage`s, in order, of a mail merge one for
        each recipient. Raises `AttributeError` if the pickup is a directory.
        """

    def clear(self) -> None:
        """Forgets what was submitted to a pickup in memory, except its idempotency keys. Raises `AttributeError` if
        the pickup is a directory.
        """

    @property
    def directory(self) -> Path:
        """The absolute path of the directory; `:memory:` for one in memory."""

    def submit(
        self,
        message: Input | Prepared | None = None,
        /,
        *,
        recipient: int | None = None,
        limit: int | None = None,
        idempotency_key: str | None = None,
        warnings: bool = False,
        **fields: Unpack[Fields],
    ) -> Receipt:
        """Submits one message, given as to `check`. When this returns, it is visible to PowerMTA and durable.

        Each file of a mail merge is written as soon as it is made: they are never all in memory. Blocks until the
        disk is done, usually for a few milliseconds, while other threads run. For a test of a mail merge,
        `limit=3` submits it only for its first three recipients, and `recipient=7` only to the seventh.

        With an `idempotency_key` (1 to 255 printable ASCII characters) a message that was submitted with it in the
        last 24 hours is not submitted again: its receipt is returned again, with `replayed`. Raises
        `IdempotencyError` if that was another message.

        With `warnings=True` the receipt has the message's `warnings`.

        Raises `MessageError` with all problems; or `PickupError`, whose `may_be_delivered` is true in the rare case
        that PowerMTA may have the message anyway. What the handler of a signal raises, such as
        `KeyboardInterrupt`, has the attribute `pmtaemail_results`: `[]`, or a list with the receipt if it was too
        late to stop.

        >>> import pmtaemail, tempfile
        >>> pickup = pmtaemail.Pickup(tempfile.mkdtemp())
        >>> receipt = pickup.submit({"from": "shop@example.com", "to": "ann@example.org"}, text="Hello")
        >>> receipt.recipients, receipt.files == (receipt.id + ".eml",)
        (1, True)
        """

    def submit_many(
        self, messages: Iterable[Input | Prepared], /, *, warnings: bool = False
    ) -> list[Receipt | Exception]:
        """Submits many messages, an iterable of what `check` takes: a receipt or an exception for each, in order.

        They share their syncs in groups of up to 256. The iterable is read to its end before the first is submitted: if
        it raises, nothing is. An invalid message, or one that cannot be submitted, does not affect the others: its
        `MessageError`, `PickupError` or `TypeError` is returned in its place.

        What the handler of a signal raises, such as `KeyboardInterrupt`, comes within a second and has the
        attribute `pmtaemail_results`: receipts and exceptions for the messages before; nothing of the others is
        left behind. With `warnings=True` receipts have their messages' `warnings`.

        >>> import pmtaemail, tempfile
        >>> pickup = pmtaemail.Pickup(tempfile.mkdtemp(), durability="none")
        >>> messages = [{"from": "shop@example.com", "to": to, "text": "Hello"} for to in ("ann@example.org", "nobody")]
        >>> [type(result).__name__ for result in pickup.submit_many(messages)]
        ['Receipt', 'MessageError']
        """
