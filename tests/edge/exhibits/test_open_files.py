"""Files that are open for drawing: shut when nobody draws from them, and not to blame for another page."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

import pytest

from edge.exhibits.drawer import DrawerEndedError, PageDrawer
from edge.exhibits.pictures import IDLE_S, PagePictures
from edge.state.room_state import RoomState
from tests.support.files.evidence_files import numbered_pdf


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


@pytest.mark.process
async def test_a_page_that_waited_for_one_that_ended_the_process_is_not_called_damaged(tmp_path: Path) -> None:
    (path := tmp_path / "a.pdf").write_bytes(numbered_pdf(2))
    drawer = await PageDrawer.open(path)
    await drawer.lock.acquire()  # another page is being drawn …
    waiting = asyncio.create_task(drawer.draw(2, 1))
    await asyncio.sleep(0)
    await drawer.close()  # … and is too much for the process
    drawer.lock.release()
    with pytest.raises(DrawerEndedError):
        await waiting
