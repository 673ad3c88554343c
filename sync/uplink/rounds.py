"""Work in rounds, for ever: one when there is news, and one after a while in any case. A defect costs one round."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from sync.runtime.logs.seldom import is_named

log = structlog.get_logger(__name__)

LOOK_S = 1.0
"""Without news, so long after the last round the next begins."""
DEFECT_S = 1.0


class Rounds:
    """All methods belong to one event loop."""

    def __init__(self, work: Callable[[], Awaitable[None]], defect: str) -> None:
        """`work` is one round and handles what it foresees. Of anything else that it raises the log has a line
        `defect`."""
        self._work = work
        self._defect = defect
        self._kick = asyncio.Event()
        self.failed = 0
        """Rounds that a defect of this program has cost."""

    def kick(self) -> None:
        """There may be news. What comes during a round has one of its own after it."""
        self._kick.set()

    async def run(self) -> None:
        """Work for ever."""
        while True:
            try:
                await self._work()
            except Exception:
                # What nobody foresaw costs one round, and neither the uplink nor what it carries besides.
                self.failed += 1
                if is_named(self.failed):
                    log.exception(self._defect, failed=self.failed)
                await asyncio.sleep(DEFECT_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._kick.wait()
            self._kick.clear()
