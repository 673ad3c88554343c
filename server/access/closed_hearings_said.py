"""What rooms say live of hearings that are not tried in public, until the openings are stored.

Fails closed: what a room says counts at once, until the hearing is found to be another room's. Bounded: the last
`MOST_SAID` hearings of each room, and one question to the store at a time.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection

import structlog
from sqlalchemy import Connection, select

from server.store.rights.rights_rows import closed_hearings_said, is_shared
from sync.errors import StorageError

log = structlog.get_logger(__name__)

MOST_SAID = 4
"""A room has one hearing at a time; an opening of one before may still be on its way."""


class ClosedHearingsSaid:
    """All methods belong to one event loop, but `read`."""

    def __init__(self, owner: Callable[[str], Awaitable[str | None]], changed: Callable[[str], None]) -> None:
        """`owner(hearing)`: the room of which events of the hearing are stored. `changed(hearing)` is told of a hearing
        that does not count as closed any more, because who said so has nothing to say of it, and of one that does by
        what another process has heard."""
        self._owner = owner
        self._changed = changed
        self._counts: dict[str, OrderedDict[str, bool]] = {}
        """Of each room: hearing -> whether it counts."""
        self._rooms: dict[str, set[str]] = {}
        """Of each hearing that counts as closed: the rooms that say so."""
        self._judging: dict[str, asyncio.Task[None]] = {}

    def __contains__(self, hearing: object) -> bool:
        return hearing in self._rooms

    def hearings(self) -> set[str]:
        """Those that count as closed."""
        return set(self._rooms)

    def read(self, connection: Connection, names: Collection[str] | None) -> list[tuple[str, str]]:
        """What rooms have said in any process, in its order."""
        if not is_shared(connection):
            return []
        c = closed_hearings_said.c
        query = select(c.room, c.hearing).order_by(c.said_utc_ns)
        if names is not None:
            query = query.where(c.room.in_({name.partition(" ")[0] for name in names}))
        return [(row.room, row.hearing) for row in connection.execute(query)]

    def take(self, names: Collection[str] | None, found: list[tuple[str, str]]) -> None:
        """Rooms have said so, here or in another process; what they say is never taken back here."""
        for room, hearing in found:
            if (names is None or f"{room} {hearing}" in names) and self.add(room, hearing):
                self._changed(hearing)

    def add(self, room: str, hearing: str) -> bool:
        """A room says that this hearing, which runs there, is not public; whether that is new."""
        said = self._counts.setdefault(room, OrderedDict())
        if hearing in said:
            return False
        said[hearing] = True
        self._rooms.setdefault(hearing, set()).add(room)
        while len(said) > MOST_SAID:
            before, _ = said.popitem(last=False)
            self._drop(room, before)
        if room not in self._judging:
            self._judging[room] = asyncio.ensure_future(self._judge(room))
        return True

    def _drop(self, room: str, hearing: str) -> bool:
        """Whether the hearing counts as closed no more."""
        rooms = self._rooms.get(hearing, set())
        rooms.discard(room)
        if hearing in self._rooms and not rooms:
            del self._rooms[hearing]
            return True
        return False

    async def _judge(self, room: str) -> None:
        """Ask whose the hearings are of which a room has spoken; those whose events are still to come are its own."""
        judged: set[str] = set()
        try:
            while waiting := [one for one in self._counts[room] if one not in judged]:
                hearing = waiting[-1]
                judged.add(hearing)
                owner = await self._owner(hearing)
                if owner in (None, room) or not self._counts[room].get(hearing):
                    continue
                log.warning(
                    "hearing_of_another", room=room, hearing=hearing, owner=owner, next="its word does not count"
                )
                self._counts[room][hearing] = False
                if self._drop(room, hearing):
                    self._changed(hearing)
        except StorageError as error:
            log.warning("hearing_not_judged", room=room, why=error.message, next="it stays closed")
        finally:
            del self._judging[room]
