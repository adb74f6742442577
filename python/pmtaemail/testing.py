"""What an application sent, for its tests.

>>> import pmtaemail
>>> from pmtaemail import testing
>>> with testing.capture() as outbox:
...     pickup = pmtaemail.Pickup("/var/spool/pmta/pickup")
...     receipt = pickup.submit(from_="shop@example.com", to="ann@example.org", subject="Hello", text="Hi!")
>>> [message.subject for message in outbox], outbox[0].envelope.rcpt_tos
(['Hello'], ['ann@example.org'])

With pytest the fixture `outbox` does the same for one test:

    def test_welcome(outbox):
        application.register("ann@example.org")
        assert outbox[0].subject == "Welcome"
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import overload

from . import _native
from ._sent import Envelope, SentAttachment, SentMessage

__all__ = ["Envelope", "Outbox", "SentAttachment", "SentMessage", "capture", "read"]


class Outbox(Sequence[SentMessage]):
    """What was submitted since a capture began: `SentMessage`s in order, one for each recipient of a mail merge."""

    def __init__(self, capture: _native.Capture):
        self._capture = capture
        self._files = 0
        self._messages: list[SentMessage] = []

    def _read(self) -> list[SentMessage]:
        if (files := self._capture.files) != self._files:
            self._messages = self._capture.messages
            self._files = files
        return self._messages

    def __len__(self) -> int:
        return len(self._read())

    @overload
    def __getitem__(self, index: int, /) -> SentMessage: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[SentMessage]: ...
    def __getitem__(self, index: int | slice, /) -> SentMessage | list[SentMessage]:
        return self._read()[index]

    def __iter__(self) -> Iterator[SentMessage]:
        return iter(list(self._read()))

    def __repr__(self) -> str:
        return f"<pmtaemail.testing.Outbox {[(message.to, message.subject) for message in self]}>"

    def clear(self) -> None:
        """Forgets what was submitted so far."""
        self._capture.clear()
        self._files, self._messages = 0, []


@contextmanager
def capture() -> Iterator[Outbox]:
    """Keeps everything that this process submits in memory, through any `Pickup`: a context manager.

    A pickup directory that is opened meanwhile need not exist and is not touched; pickups made by `Pickup.memory()`
    keep their own messages. If there are several captures, the newest one gets the messages. The outbox can still
    be read after its end. It holds up to 256 MiB; beyond that, `submit` raises `PickupError`.

    >>> import pmtaemail
    >>> from pmtaemail import testing
    >>> with testing.capture() as outbox:
    ...     receipt = pmtaemail.Pickup("/nowhere").submit(from_="shop@example.com", to="ann@example.org", text="Hello")
    >>> outbox[0].to, outbox[0].text
    (['ann@example.org'], 'Hello')
    """
    captured = _native.Capture()
    try:
        yield Outbox(captured)
    finally:
        captured.end()


def read(file: bytes, *, received: float | None = None) -> list[SentMessage]:
    """The messages in a pickup file written by pmtaemail; one for each recipient of a mail merge.

    `received` is when PowerMTA took the file, in seconds since 1970, by default now; it becomes the Date of a merge
    that gives none. Raises `ValueError` if the file was not written by pmtaemail.

    >>> import pmtaemail, tempfile
    >>> from pmtaemail import testing
    >>> pickup = pmtaemail.Pickup(tempfile.mkdtemp(), durability="none")
    >>> receipt = pickup.submit(from_="shop@example.com", to="ann@example.org", text="Hello")
    >>> [message.text for message in testing.read((pickup.directory / receipt.files[0]).read_bytes())]
    ['Hello']
    """
    return _native.sent_messages(file, time.time() if received is None else received)
