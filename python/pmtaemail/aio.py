"""The awaitable twin of `Pickup`."""

import asyncio
import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Literal, Self, TypeVar, Unpack

from . import _native
from ._objects import Receipt
from .types import Fields, Input

T = TypeVar("T")

# They wait for the disk and for nothing else; the more wait at once, the more share a sync.
THREADS = 64


class AsyncPickup:
    """PowerMTA's pickup directory for asyncio. Opened once, used from many tasks.

    A message is read and rendered on the thread of the event loop, which takes microseconds; the hand-over waits for
    the disk in threads of the object's own. Messages that are submitted at the same time share their syncs.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        durability: Literal["durable", "none"] = "durable",
        staging: str | os.PathLike[str] | None = None,
        syncfs: bool = True,
    ):
        self._pickup = _native.Pickup(directory, durability=durability, staging=staging, syncfs=syncfs)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="pmtaemail")

    @property
    def directory(self) -> Path:
        """The absolute path of the directory."""
        return self._pickup.directory

    async def submit(self, message: Input | None = None, /, **fields: Unpack[Fields]) -> Receipt:
        """Hands one message over. When this returns it is visible to PowerMTA and durable.

        Where the task is cancelled meanwhile, the message may have been handed over all the same. Of a mail merge all
        files are in memory meanwhile; one of very many recipients is better given to `submit_many`.
        """
        prepared = _native.Prepared(message, **fields)
        return await self._run(self._pickup.submit, prepared)

    async def submit_many(self, messages: Iterable[Input], /) -> list[Receipt | Exception]:
        """Hands many messages over: a receipt or an exception for each, in order. They are read in another thread."""
        messages = list(messages)
        return await self._run(self._pickup.submit_many, messages)

    async def _run(self, work: Callable[..., T], *arguments: object) -> T:
        """Runs what blocks in a thread.

        Where no further thread can be had, `ThreadPoolExecutor.submit` raises and keeps the work all the same: a
        message that was refused would be handed over later. So it goes with a future that can be cancelled for certain.
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
        """Waits for what is under way and ends the threads."""
        self._threads.shutdown()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await asyncio.to_thread(self.close)

    def __repr__(self) -> str:
        return f"<pmtaemail.AsyncPickup {self.directory}>"
