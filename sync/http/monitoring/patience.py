"""Asking what may never answer: a disk that is dead, a database that is locked, a process that hangs.

Promises: who asks waits `limit_s` at most, and what has not answered is never begun a second time, so that a thousand
questions leave one thread behind and not a thousand. An answer for which nobody waited any more is thrown away: it is
old by the time that somebody asks again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class OneQuestion(Generic[T]):
    """All methods belong to one event loop. Several may ask at once: it is one question to them all."""

    def __init__(self, ask: Callable[[], Awaitable[T]], limit_s: float) -> None:
        self._ask = ask
        self._limit_s = limit_s
        self._task: asyncio.Task[T] | None = None

    async def answer(self) -> T:
        """What it says; `TimeoutError` when it says nothing in time, and whatever it raises itself."""
        task = self._task
        if task is None or task.done():
            task = self._task = asyncio.ensure_future(self._call())
            task.add_done_callback(_noticed)
        # Not `wait_for`: that would cancel the question of somebody else who waits for it as well.
        done, _ = await asyncio.wait({task}, timeout=self._limit_s)
        if not done:
            raise TimeoutError
        return task.result()

    def close(self) -> None:
        """Nobody asks any more."""
        if self._task is not None:
            self._task.cancel()

    async def _call(self) -> T:
        return await self._ask()


def _noticed(task: asyncio.Task[T]) -> None:
    """An error that comes when nobody waits any more is no news; else asyncio would log a stack of it."""
    if not task.cancelled():
        task.exception()
