"""Who listens to a single seat: one request at a time for each session, few for the center, all audited.

Isolating a seat takes the processor, unlike all other playback, so it is what one impatient tab could overdo.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sync.errors import WutongError

R = TypeVar("R")

MOST_WAITING = 3
"""Requests of one session that may wait: a player asks for one range after the other, and again after a jump."""
AT_ONCE = 2
SAID_AGAIN_S = 600.0
MAX_SAID = 10_000


class SoloQueue:
    """All methods belong to one event loop."""

    def __init__(self, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._all = asyncio.Semaphore(AT_ONCE)
        self._sessions: dict[object, tuple[asyncio.Lock, int]] = {}
        self._said: OrderedDict[tuple[object, str], float] = OrderedDict()

    async def run(self, who: object, work: Callable[[], Awaitable[R]]) -> R:
        """Do `work` when it is the turn of `who`; `WutongError` "busy" when too much of theirs waits."""
        lock, waiting = self._sessions.get(who, (asyncio.Lock(), 0))
        if waiting >= MOST_WAITING:
            raise WutongError("上一段声音还在处理，请稍候 (the last piece is not ready yet)", code="busy")
        self._sessions[who] = (lock, waiting + 1)
        try:
            async with lock, self._all:
                return await work()
        finally:
            waiting = self._sessions[who][1] - 1
            if waiting:
                self._sessions[who] = (lock, waiting)
            else:
                del self._sessions[who]

    def begins(self, who: object, what: str) -> bool:
        """Whether this is a new act of listening, to be audited; the pieces that follow it within minutes are not."""
        now = self._monotonic_s()
        last = self._said.pop((who, what), None)
        self._said[who, what] = now
        while len(self._said) > MAX_SAID:
            self._said.popitem(last=False)
        return last is None or now - last > SAID_AGAIN_S
