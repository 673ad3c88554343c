"""Which hearing is open in a room, read from its log: for who asks whether the room's services may be stopped.

A recess counts as open. Nothing is written; a room that has no log yet has held no hearing. A log that cannot be read
is an error (`StorageError`), because then nobody knows.
"""

from __future__ import annotations

import asyncio

from sync.room.event_log import RoomLog
from sync.room.follower import Follower
from sync.room.paths import RoomPaths

LOOK_S = 2.0


async def open_hearing(layout: RoomPaths) -> str | None:
    """The id of the hearing that is open or paused, else None."""
    if not layout.log.exists():
        return None
    log = RoomLog(layout.log)
    try:
        follower = Follower(log)
        await follower.start()
        return follower.current.id if follower.current is not None else None
    finally:
        log.close()


async def until_idle(layout: RoomPaths, *, look_s: float = LOOK_S) -> None:
    """Return when no hearing is open."""
    while await open_hearing(layout) is not None:
        await asyncio.sleep(look_s)
