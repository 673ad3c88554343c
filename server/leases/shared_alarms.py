"""What the center itself has noticed about its rooms, for the walls of all its processes and for the next owner.

Only the owner of a room notices; it writes what is on, whenever that changes. Everybody else shows what was written, a
moment later. Who takes a room over goes on with what its owner before had on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection

import structlog
from sqlalchemy import Column, Connection, String, Table, Text, select

from server.leases.lease_rows import of_leases
from server.rooms import Rooms
from server.store.database import Database, upsert
from server.store.refusals import LeaseLostError
from sync.errors import StorageError

log = structlog.get_logger(__name__)

center_alarms = Table(
    "center_alarms",
    of_leases,
    Column("room", String(64), primary_key=True),
    Column("alarms", Text, nullable=False),
)
"""code -> words, as JSON, of each room that has any, or had."""


class SharedAlarms:
    """All methods belong to one event loop."""

    def __init__(self, database: Database, rooms: Rooms, owns: Callable[[str], bool]) -> None:
        self._db = database
        self._rooms = rooms
        self._owns = owns
        self._written: dict[str, str] = {}
        """room -> what the database has of it."""

    async def poll(self) -> None:
        """Write what is new of this process's rooms, show what is new of the others; call every few seconds."""
        try:
            await self.read()
            await self._write()
        except LeaseLostError:
            return  # the next owner says it
        except StorageError as error:
            log.warning("alarms_not_shared", why=error.message)

    def gained(self, rooms: Collection[str], *, without: Collection[str]) -> None:
        """These rooms are this process's now: what their owner before had on stays on until it is over, but for the
        codes in `without`."""
        for room in rooms:
            for code, words in self._rooms.states[room].alarms_elsewhere.items():
                if code not in without:
                    self._rooms.alarm(room, code, words)
            self._rooms.show_elsewhere(room, {})

    def lost(self, rooms: Collection[str]) -> None:
        """They are another's: what this process has on is that one's to end."""
        for room in rooms:
            self._rooms.show_elsewhere(room, dict(self._rooms.states[room].alarms))
            for code in list(self._rooms.states[room].alarms):
                self._rooms.clear(room, code)

    async def read(self) -> None:
        """Know what the others have on, and show it; `StorageError`."""
        rows = await self._db.read(lambda connection: connection.execute(select(center_alarms)).all())
        for room, text in rows:
            if room not in self._rooms:
                continue
            before, self._written[room] = self._written.get(room), text
            if text != before and not self._owns(room):
                self._rooms.show_elsewhere(room, self._elsewhere(room))

    async def _write(self) -> None:
        rows = []
        for room, state in self._rooms.current.items():
            text = json.dumps(state.alarms, ensure_ascii=False, sort_keys=True)
            if self._owns(room) and text != self._written.get(room, "{}"):
                rows.append({"room": room, "alarms": text})
        if not rows:
            return

        def work(connection: Connection) -> None:
            upsert(connection, center_alarms, ["room"], rows)

        await self._db.write(work, of_rooms=[row["room"] for row in rows])
        self._written.update({row["room"]: row["alarms"] for row in rows})

    def _elsewhere(self, room: str) -> dict[str, str]:
        said = json.loads(self._written.get(room, "{}"))
        return {str(code): str(words) for code, words in said.items()}
