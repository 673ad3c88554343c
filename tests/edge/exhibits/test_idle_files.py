"""Files that nobody draws from are shut, whoever else shuts one meanwhile."""

from __future__ import annotations

import asyncio
from typing import cast

from edge.exhibits.drawer import PageDrawer
from edge.exhibits.pictures import IDLE_S, PagePictures
from edge.state.room_state import RoomState


class IdleFile:
    """A drawer that is asked nothing."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.closed = 0

    async def close(self) -> None:
        self.closed += 1


async def test_a_file_that_another_shut_meanwhile_is_shut_once_and_a_busy_one_stays() -> None:
    pictures = PagePictures(cast(RoomState, None))  # nothing of the room is asked here
    first, second, busy = IdleFile(), IdleFile(), IdleFile()
    await busy.lock.acquire()
    for name, file in (("first", first), ("second", second), ("busy", busy)):
        pictures._open[name] = cast(PageDrawer, file)
        pictures._used_at[name] = -2 * IDLE_S
    await pictures._opening.acquire()  # somebody opens a third file …
    shutting = asyncio.create_task(pictures._shut_idle())
    await asyncio.sleep(0)
    await pictures._shut("first")  # … and shuts another for it
    pictures._opening.release()
    await shutting
    assert (first.closed, second.closed, busy.closed) == (1, 1, 0)
    assert list(pictures._open) == list(pictures._used_at) == ["busy"]
