"""Lines of an audit that are written behind whoever made them, together, and never dropped for a disk that is busy."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

LOOK_S = 5.0
"""How often it is asked whether a stretch, or a minute of counted refusals, is over."""
AGAIN_S = 1.0
"""After a disk that did not take them."""


async def write_behind(news: asyncio.Event, end: Callable[[bool], None], write: Callable[[], Awaitable[bool]]) -> None:
    """Write for ever, after `news` and every `LOOK_S`; what waits when this is canceled is written first.

    `end(now)` adds the lines of what is over, or with True of all there is. `write()`: whether the disk took all; one
    that has begun is never left in the middle, so that no line is lost by it, or written twice.
    """
    writing: asyncio.Future[bool] | None = None
    try:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await news.wait()
            end(False)
            writing = asyncio.ensure_future(write())
            if not await asyncio.shield(writing):
                await asyncio.sleep(AGAIN_S)
    except asyncio.CancelledError:
        if writing is not None:
            await asyncio.wait([writing])
        end(True)
        await write()
        raise
