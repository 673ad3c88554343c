"""A token bucket, so that catching up with uploads never starves what is live."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


class TokenBucket:
    """Lets bytes pass at `bytes_per_s`, with at most one second of burst."""

    def __init__(
        self,
        bytes_per_s: float,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._rate = bytes_per_s
        self._monotonic = monotonic
        self._sleep = sleep
        self._tokens = bytes_per_s
        self._at = monotonic()

    @property
    def bytes_per_s(self) -> float:
        """How many bytes pass in a second."""
        return self._rate

    async def take(self, count: int) -> None:
        """Wait until `count` bytes may be sent. A debt is allowed, so a large piece passes whole and is paid after."""
        now = self._monotonic()
        self._tokens = min(self._rate, self._tokens + (now - self._at) * self._rate)
        self._at = now
        self._tokens -= count
        if self._tokens < 0:
            await self._sleep(-self._tokens / self._rate)
