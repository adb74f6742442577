import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, Self, Unpack, final

from ._objects import Receipt
from .errors import Problem
from .types import Fields, Input

__all__ = ["VERSION", "Pickup", "Prepared", "check", "render"]

VERSION: str

def check(message: Input | None = None, /, **fields: Unpack[Fields]) -> list[Problem]:
    """All that is wrong with a message, in document order; an empty list when nothing is. Of very many problems, the
    first 1,000.

    A message is a dict (or another mapping, or a dataclass), JSON as `str` or `bytes`, or an `EmailMessage`, which is
    sent as it is. Fields may be given as keywords, alone or beside the message; `from_` stands for `from`. Where a list
    is taken, any iterable is: a generator, a database cursor. Among `variables`, `Decimal` and `UUID` stand for their
    `str`, dates and times for their `isoformat()`.
    """

def render(message: Input | None = None, /, **fields: Unpack[Fields]) -> bytes:
    """The bytes of the mail (RFC 5322); of a mail merge, those of its first recipient. Raises `MessageError`.

    Date and Message-ID are made where the message gives none; with both given, the same message always yields the same
    bytes.
    """

@final
class Prepared:
    """A message that is rendered: all that is left to do is to hand it over."""

    def __new__(cls, message: Input | None = None, /, **fields: Unpack[Fields]) -> Self: ...

class Pickup:
    """PowerMTA's pickup directory. Opened once, used from many threads, which share their syncs.

    `durability="none"` syncs nothing: quick, and lost in a power cut. `staging` is the folder in which files are
    written where the file system has no unnamed files; `syncfs=False` never syncs the whole file system. Raises
    `PickupError`.
    """

    def __new__(
        cls,
        directory: str | os.PathLike[str],
        *,
        durability: Literal["durable", "none"] = "durable",
        staging: str | os.PathLike[str] | None = None,
        syncfs: bool = True,
    ) -> Self: ...
    @property
    def directory(self) -> Path:
        """The absolute path of the directory."""

    def submit(self, message: Input | Prepared | None = None, /, **fields: Unpack[Fields]) -> Receipt:
        """Hands one message over. When this returns it is visible to PowerMTA and durable.

        Each file of a mail merge is written as soon as it is made: they are never all in memory. Raises `MessageError`
        or `PickupError`.
        """

    def submit_many(self, messages: Iterable[Input | Prepared], /) -> list[Receipt | Exception]:
        """Hands many messages over, which share their syncs: a receipt or an exception for each, in order."""
