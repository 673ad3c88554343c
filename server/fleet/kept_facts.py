"""What rooms say of their machines, kept for who asks where a room is not heard: after a restart, at a gateway.

Written by the owner of a room when something that matters is another than was written, else every `AGAIN_S`. What is
kept is some minutes old at most; who must know whether a machine still holds something asks what it says now.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy import Connection, bindparam, update

from server.rooms import Rooms
from server.status.said_status import RoomFacts
from server.store import tables as t
from server.store.database import Database
from sync.errors import StorageError

log = structlog.get_logger(__name__)

LOOK_S = 10.0
AGAIN_S = 120.0
_STEPS = 20
"""Of a disk: how full it is matters by such steps."""


class KeptFacts:
    """All methods belong to one event loop."""

    def __init__(
        self,
        database: Database,
        rooms: Rooms,
        owns: Callable[[str], bool],
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = database
        self._rooms = rooms
        self._owns = owns
        self._monotonic_s = monotonic_s
        self._written: dict[str, tuple[object, float]] = {}
        """room -> what of it was written, and when."""

    async def poll(self) -> None:
        """Write what is new of this process's rooms; call every `LOOK_S`."""
        now_s, rows, marks = self._monotonic_s(), [], {}
        for address, room in self._rooms.current.items():
            facts = None if room.status is None or not room.online else room.status.facts
            if room.status is None or not room.online or not self._owns(address):
                continue
            mark, written_s = self._written.get(address, (None, float("-inf")))
            if mark == _mark(facts) and now_s - written_s < AGAIN_S:
                continue
            text = "" if facts is None else facts.model_dump_json(exclude_none=True)
            rows.append({"of": address, "said": text, "seen": room.seen_utc_ns})
            marks[address] = (_mark(facts), now_s)
        if not rows:
            return
        try:
            await self._db.write(lambda connection: _keep(connection, rows), of_rooms=list(marks))
        except StorageError as error:  # of whom it was another's is said by that one
            log.warning("facts_not_kept", why=error.message)
            return
        self._written.update(marks)


def _keep(connection: Connection, rows: list[dict[str, Any]]) -> None:
    e = t.room_entries
    statement = update(e).where(e.c.address == bindparam("of"))
    connection.execute(statement.values(facts=bindparam("said"), seen_utc_ns=bindparam("seen")), rows)


def _mark(facts: RoomFacts | None) -> object:
    """What of the facts matters at once."""
    if facts is None:
        return "none"
    disk = facts.disk_bytes or 0
    free = _STEPS * (facts.disk_free_bytes or 0) // disk if disk else None
    held = facts.pending_events == 0, facts.pending_bytes == 0
    return facts.version, free, facts.clock_synced, facts.certificate_until_utc_ms, facts.selftest, held
