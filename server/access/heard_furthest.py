"""How far a hearing is, by all that any process of the center has heard of it, also those that are gone.

A sealed part that goes on is over when the hearing is as far as anything of it has ever been. One process knows what it
has heard itself; of several each is asked, in the database, and none that may show something is left out: who has not
answered in time makes the question fail, and the part goes on. What each hears of a hearing that has such a part is
also written down by itself, so that a process that dies takes nothing with it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection

import structlog
from sqlalchemy import Connection

from server.access.sealing import Sealing
from server.access.shared_rights import MARGIN_S, SILENCE_S, SharedRights
from server.rooms import Rooms
from server.store.database import Database
from server.store.rights.heard_rows import (
    FURTHEST,
    NEVER_HEARD,
    FurthestAsked,
    FurthestHeard,
    FurthestSaid,
    ask,
    asked,
    keep_heard,
    said,
)
from server.store.rights.rights_rows import is_shared
from sync.errors import StorageError, WutongError
from sync.record.bodies.limits import INT64

log = structlog.get_logger(__name__)

FIRST_LOOK_S, MOST_LOOK_S = 0.005, 0.1
FURTHER_NS = 100_000_000
"""What is heard is written down by itself when it is so much further than what was: less is how messages travel."""


class HeardFurthest:
    """All methods belong to one event loop, but `read`."""

    def __init__(
        self,
        database: Database,
        rooms: Rooms,
        sealing: Sealing,
        rights: SharedRights,
        with_parts: Callable[[], Collection[str]],
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`with_parts()`: rooms that tell of a hearing of which a part is sealed."""
        self._db = database
        self._rooms = rooms
        self._sealing = sealing
        self._rights = rights
        self._with_parts = with_parts
        self._monotonic_s = monotonic_s
        self._written: dict[str, int] = {}
        """hearing that is heard and has a part that goes on -> what was written of it."""
        self._answering: set[asyncio.Task[None]] = set()
        rights.keep(FURTHEST, self)

    async def of(self, room: str, hearing: str) -> int:
        """How far a hearing of a room is now, in ns of room time. `WutongError` "room-away" where nobody hears the
        room, "busy" where a process has not said what it knows."""
        now_ns, furthest_ns = self._rooms.now_ns(room), self._heard_ns(room, hearing)
        if self._rights.shared:
            told = await self._ask(room, hearing)
            now_ns = now_ns if now_ns is not None or not told.hears else furthest_ns
            furthest_ns = max(furthest_ns, told.ahead_ns + self._rights.utc_ns())
        if now_ns is None:
            # A room that is away may be ahead of all that is known of it: what it says meanwhile stays sealed.
            raise WutongError("法庭不在线，请恢复连接后再结束封存 (the room is not online)", code="room-away")
        # Whoever has the room's line may say any time, and a device that replaced another begins a new one.
        return max(now_ns, furthest_ns)

    async def poll(self) -> None:
        """Write down what is further than what was written, of hearings with a part that goes on; call every few
        seconds."""
        if not self._rights.shared:
            return
        heard: list[FurthestHeard] = []
        goes_on: set[str] = set()
        for room in self._with_parts():
            hearing = self._rooms.states[room].told_id
            if hearing is None or not self._sealing.goes_on(hearing):
                continue
            goes_on.add(hearing)
            one = self._heard(room, hearing, 0)
            if one.ahead_ns > self._written.get(hearing, NEVER_HEARD) + FURTHER_NS:
                heard.append(one)
        self._written = {hearing: ns for hearing, ns in self._written.items() if hearing in goes_on}
        if not heard:
            return
        try:
            await self._keep(heard)
        except StorageError as error:
            log.warning("furthest_not_written", why=error.message, next="it is written at the next look")
            return
        self._written.update({one.hearing: one.ahead_ns for one in heard})

    async def _ask(self, room: str, hearing: str) -> FurthestSaid:
        version = await self._db.write(lambda connection: ask(connection, hearing, room))
        until_s, pause_s = self._monotonic_s() + SILENCE_S + MARGIN_S, FIRST_LOOK_S
        while (told := await self._db.read(lambda connection: said(connection, hearing, version))).waiting:
            if self._monotonic_s() >= until_s:
                raise WutongError(
                    "中心的另一进程尚未应答，封存继续，请稍后重试 (another process of the center has not said how far "
                    "it heard the hearing: the part goes on, try again)",
                    code="busy",
                )
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, MOST_LOOK_S)
        return told

    # What others ask (`server.access.shared_rights.RightsKeeper`).

    def read(self, connection: Connection, names: Collection[str] | None) -> list[FurthestAsked]:
        """The questions about these hearings, None: all that may wait."""
        return asked(connection, names) if is_shared(connection) else []

    def take(self, names: Collection[str] | None, found: list[FurthestAsked]) -> None:
        """Answer them."""
        answers = [self._heard(one.room, one.hearing, one.asked) for one in found]
        if answers:
            task = asyncio.ensure_future(self._answer(answers))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _answer(self, answers: list[FurthestHeard]) -> None:
        try:
            await self._keep(answers)
        except StorageError as error:  # who asked is not answered, and nothing ends
            log.warning("furthest_not_said", why=error.message)

    async def _keep(self, heard: list[FurthestHeard]) -> None:
        await self._db.write(lambda connection: keep_heard(connection, self._rights.process, heard))

    def _heard(self, room: str, hearing: str, question: int) -> FurthestHeard:
        furthest_ns = self._heard_ns(room, hearing)
        ahead_ns = min(max(furthest_ns - self._rights.utc_ns(), NEVER_HEARD), INT64)
        return FurthestHeard(hearing, room, question, ahead_ns, hears=self._rooms.now_ns(room) is not None)

    def _heard_ns(self, room: str, hearing: str) -> int:
        """The furthest that this process has heard, as room time now; far in the past where it has heard nothing."""
        if room not in self._rooms:
            return NEVER_HEARD
        now_ns, furthest_ns = self._rooms.now_ns(room), self._rooms.furthest_ns(room, hearing)
        return furthest_ns if now_ns is None else max(now_ns, furthest_ns)
