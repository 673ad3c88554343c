"""Where codes stand in line to be looked at: hashing them costs much, so few are looked at at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sync.errors import AccessError

T = TypeVar("T")
MOST_WAITING = 4
"""Codes of one address that are looked at or wait for it."""


class SignInLine:
    """All methods belong to one event loop."""

    def __init__(self) -> None:
        self._strangers = asyncio.Semaphore(2)
        self._known = asyncio.Semaphore(1)
        self._waiting: Counter[str] = Counter()

    async def stand(self, who: str, look: Callable[[], Awaitable[T]], *, known: bool) -> T:
        """What `look` gives; `AccessError` "throttled" where too many of `who` wait. Who is known does not stand in one
        line with everybody who guesses."""
        if self._waiting[who] >= MOST_WAITING:
            raise AccessError("登录尝试过多，请稍后再试 (too many attempts at once; wait)", code="throttled")
        self._waiting[who] += 1
        try:
            async with self._known if known else self._strangers:
                return await look()
        finally:
            self._waiting[who] -= 1
            if not self._waiting[who]:
                del self._waiting[who]
