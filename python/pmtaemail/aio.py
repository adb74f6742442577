"""The awaitable twin of `Pickup`."""

import asyncio
import os
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self, TypeVar, Unpack

from . import _native
from ._objects import Receipt, several
from ._sent import SentMessage
from .types import AsyncFields, Input

T = TypeVar("T")

# They wait for the disk and for nothing else; the more wait at once, the more share a sync.
THREADS = 64


def has_async(message: object) -> bool:
    """Whether one of its fields is an async iterable."""
    return isinstance(message, Mapping) and any(isinstance(value, AsyncIterable) for value in message.values())


async def collected(message: Any) -> Any:
    """With lists in place of async iterables."""
    if not isinstance(message, Mapping):
        return message
    return {
        name: [each async for each in value] if isinstance(value, AsyncIterable) else value
        for name, value in message.items()
    }


class AsyncPickup:
    """PowerMTA's pickup directory for asyncio. Open it once and use it from many tasks.

    Messages are checked and rendered on the thread of the event loop, which takes microseconds; threads of this
    object wait for the disk. Messages submitted at the same time share their syncs.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        durability: Literal["durable", "none"] = "durable",
        staging: str | os.PathLike[str] | None = None,
        syncfs: bool = True,
        file_mode: int | None = None,
        file_group: str | int | None = None,
        state: str | os.PathLike[str] | None = None,
    ):
        pickup = _native.Pickup(
            directory,
            durability=durability,
            staging=staging,
            syncfs=syncfs,
            file_mode=file_mode,
            file_group=file_group,
            state=state,
        )
        self._use(pickup)

    def _use(self, pickup: _native.Pickup) -> None:
        self._pickup = pickup
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="pmtaemail")

    @classmethod
    def memory(cls) -> Self:
        """A pickup in memory, as `Pickup.memory` makes one."""
        made = cls.__new__(cls)
        made._use(_native.Pickup.memory())
        return made

    @property
    def messages(self) -> list[SentMessage]:
        """What was submitted to a pickup in memory, like `Pickup.messages`."""
        return self._pickup.messages

    def clear(self) -> None:
        """Forgets what was submitted to a pickup in memory, as `Pickup.clear` does."""
        self._pickup.clear()

    @property
    def directory(self) -> Path:
        """The absolute path of the directory; `:memory:` for one in memory."""
        return self._pickup.directory

    async def submit(
        self,
        message: Input | None = None,
        /,
        *,
        recipient: int | None = None,
        limit: int | None = None,
        idempotency_key: str | None = None,
        warnings: bool = False,
        **fields: Unpack[AsyncFields],
    ) -> Receipt:
        """Submits one message, given as to `check`. When this returns, it is visible to PowerMTA and durable.

        `recipients` may be an async iterable, such as an async generator or the cursor of a database. It is read to its
        end first; if it raises, nothing is submitted. `recipient`, `limit`, `idempotency_key` and `warnings` are
        as for `Pickup`. Raises `MessageError`, `PickupError` or `IdempotencyError`.

        If the task is cancelled, the message may have been submitted nevertheless.

        >>> import asyncio, pmtaemail, tempfile
        >>> async def people():
        ...     yield "ann@example.org"
        ...     yield {"address": "bo@example.org", "variables": {"name": "Bo"}}
        >>> async def main():
        ...     async with pmtaemail.AsyncPickup(tempfile.mkdtemp()) as pickup:
        ...         letter = {"from": "shop@example.com", "text": "Hello {{ name | default: 'you' }}!"}
        ...         return await pickup.submit(letter, template="merge", recipients=people())
        >>> asyncio.run(main()).recipients
        2
        """
        submit = partial(
            self._pickup.submit, recipient=recipient, limit=limit, idempotency_key=idempotency_key, warnings=warnings
        )
        if has_async(message) or has_async(fields):
            # What was collected is nobody else's, so it may be read in the thread: there may be very many recipients.
            return await self._run(partial(submit, await collected(message), **await collected(fields)))
        if idempotency_key is not None:
            # As it is now, whatever becomes of it while the thread reads it.
            given = {**message} if isinstance(message, Mapping) else message
            return await self._run(partial(submit, given, **fields))
        asked: dict[str, Any] = {"recipient": recipient, "limit": limit, "warnings": warnings}
        prepared = _native.Prepared(message, **asked, **fields)  # type: ignore[arg-type]
        return await self._run(self._pickup.submit, prepared)

    async def submit_many(
        self, messages: Iterable[Input] | AsyncIterable[Input], /, *, warnings: bool = False
    ) -> list[Receipt | Exception]:
        """Submits many messages: a receipt or an exception for each, in order. They are read in another thread.

        They may come from an async iterable. It is read to its end before the first is submitted: if it raises,
        nothing is. `warnings` is as for `Pickup`.
        """
        given = [message async for message in messages] if isinstance(messages, AsyncIterable) else several(messages)
        ready = [await collected(message) if has_async(message) else message for message in given]
        return await self._run(partial(self._pickup.submit_many, warnings=warnings), ready)

    async def _run(self, work: Callable[..., T], *arguments: Any) -> T:
        """Runs what blocks in a thread.

        Where no further thread can be had, `ThreadPoolExecutor.submit` raises and keeps the work all the same: a
        message that was refused would be submitted later. So this uses a future that can be cancelled for certain.
        """
        result: Future[T] = Future()

        def run() -> None:
            if result.set_running_or_notify_cancel():
                try:
                    result.set_result(work(*arguments))
                except BaseException as error:
                    result.set_exception(error)

        try:
            self._threads.submit(run)
        except RuntimeError:
            if result.cancel():
                raise
        return await asyncio.wrap_future(result)

    def close(self) -> None:
        """Waits for what is in progress and ends the threads."""
        self._threads.shutdown()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await asyncio.to_thread(self.close)

    def __repr__(self) -> str:
        return f"<pmtaemail.AsyncPickup {self.directory}>"
