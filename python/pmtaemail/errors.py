"""What can go wrong with a message or its submission."""

from collections.abc import Iterable
from typing import NamedTuple


class Problem(NamedTuple):
    """One thing that is wrong with a message."""

    code: str
    """A frozen word that programs may compare: `invalid_address`, `unknown_field`, ..."""
    pointer: str
    """Where: a JSON Pointer (RFC 6901) into the message; the empty one is the message itself."""
    detail: str
    """One sentence for a person. It never repeats a value of the message."""

    def __str__(self) -> str:
        return f"{self.pointer or '(message)'}: {self.code}: {self.detail}"


class Error(Exception):
    """Base class of all errors of this package."""


class MessageError(Error, ValueError):
    """The message is invalid; `problems` lists everything that is wrong with it, in document order.

    At most the first 1,000 problems are listed; `total` is the number of all.
    """

    problems: tuple[Problem, ...]
    total: int

    def __init__(self, problems: Iterable[Problem], total: int | None = None):
        self.problems = tuple(problems)
        self.total = len(self.problems) if total is None else total
        super().__init__(self.problems, self.total)

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems]
        if self.total > len(lines):
            lines.append(f"The message has {self.total} problems; the first {len(lines)} are listed.")
        return "\n".join(lines)


class IdempotencyError(Error):
    """An idempotency key cannot be used; nothing was submitted."""

    code: str
    """`conflict`: another message was submitted with it. `in_work`: its first submission is in progress, try again
    later. `full`: the store of keys has no room for another."""

    def __init__(self, code: str, sentence: str):
        self.code = code
        super().__init__(code, sentence)

    def __str__(self) -> str:
        return str(self.args[1])


class PickupError(Error, OSError):
    """The message could not be submitted to PowerMTA.

    `errno` and `filename` are the system's; `strerror` says what failed, where, why, and what to do.
    """

    may_be_delivered: bool = False
    """Whether PowerMTA may have the message despite the error. Look for `id` before you try again."""
    id: str | None = None
    """The submission's identifier, by which its files are named, and its Message-ID unless the message gives one."""

    def __str__(self) -> str:
        return str(self.strerror)
