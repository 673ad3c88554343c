"""What rooms say live of hearings that are not tried in public, until the openings are stored.

Fails closed: what a room says counts at once, until the hearing is found to be another room's. Bounded: the last
`MOST_SAID` hearings of each room, and one question to the store at a time.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

import structlog

from sync.errors import StorageError

log = structlog.get_logger(__name__)

MOST_SAID = 4
"""A room has one hearing at a time; an opening of one before may still be on its way."""


class ClosedHearingsSaid:
    """All methods belong to one event loop."""

    def __init__(self, owner: Callable[[str], Awaitable[str | None]], opened: Callable[[str], None]) -> None:
        """`owner(hearing)`: the room of which events of the hearing are stored. `opened(hearing)` is told of a hearing
        that does not count as closed any more, because who said so has nothing to say of it."""
        self._owner = owner
        self._opened = opened
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

    def add(self, room: str, hearing: str) -> None:
        """A room says that this hearing, which runs there, is not public."""
        said = self._counts.setdefault(room, OrderedDict())
        if hearing in said:
            return
        said[hearing] = True
        self._rooms.setdefault(hearing, set()).add(room)
        while len(said) > MOST_SAID:
            before, _ = said.popitem(last=False)
            self._drop(room, before)
        if room not in self._judging:
            self._judging[room] = asyncio.ensure_future(self._judge(room))

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
                    self._opened(hearing)
        except StorageError as error:
            log.warning("hearing_not_judged", room=room, why=error.message, next="it stays closed")
        finally:
            del self._judging[room]
