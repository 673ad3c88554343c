"""Which rooms there are: known in memory, and the same in every process of a center without a restart of any.

The truth is in the database (`server.store.room_entries`). Whoever changes it raises the version that all processes
follow (`server.access.shared_rights`): from the answer on each knows the room, or knows that it is none any more. The
rooms of the configuration are entered at start. One that the configuration does not name any more stays: it is
retired by an administrator, and by nobody else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from sqlalchemy import Connection

from server.access.shared_rights import SharedRights
from server.config import RoomEntry
from server.rooms import Rooms
from server.store.database import Database
from server.store.rights.rights_rows import ROOM_RIGHTS, raise_version
from server.store.room_entries import ConfiguredRoom, EntryRow, enter_configured, entries

T = TypeVar("T")


class RoomRegister:
    """All methods belong to one event loop, but `read`."""

    def __init__(
        self,
        database: Database,
        rights: SharedRights,
        rooms: Rooms,
        configured: Sequence[RoomEntry],
        *,
        utc_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """`rooms` are told which there are."""
        self._db = database
        self._rights = rights
        self._rooms = rooms
        self._configured = [ConfiguredRoom(one.court, one.room, one.court_name, one.room_name) for one in configured]
        self.utc_ns = utc_ns
        rights.keep(ROOM_RIGHTS, self)

    async def begin(self) -> None:
        """Enter the rooms of the configuration; before any of them is followed."""
        await self._db.write(lambda connection: enter_configured(connection, self._configured, self.utc_ns()))

    def read(self, connection: Connection, names: Collection[str] | None) -> list[EntryRow]:
        """These rooms as the store has them."""
        return entries(connection, names)

    def take(self, _names: Collection[str] | None, found: Sequence[EntryRow]) -> None:
        """The store says so; no room is ever deleted."""
        for one in found:
            if one.retired:
                self._rooms.strike(one.address)
            else:
                self._rooms.enlist(one.address, one.court_name, one.room_name, named=one.named)

    async def read_now(self, work: Callable[[Connection], T]) -> T:
        """Ask what was committed last."""
        return await self._db.read(work)

    async def act(self, address: str, work: Callable[[Connection], T]) -> T:
        """Change a room in one transaction; when this returns every process knows it as it is now."""

        def changing(connection: Connection) -> tuple[int, T, list[EntryRow]]:
            version = raise_version(connection, [(ROOM_RIGHTS, address)])
            done = work(connection)
            return version, done, entries(connection, [address])

        version, done, found = await self._db.write(changing)
        if self._rights.own(version, [(ROOM_RIGHTS, address)]):
            self.take([address], found)
        await self._rights.settled(version)
        return done
