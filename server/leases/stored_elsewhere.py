"""What another process has stored of a room that somebody follows here, read when that process has receipted it.

A receipt leaves only after the commit, so what it names can be read. What comes by the broker is believed as this
center's own signed word alone; and it makes nothing true: what is shown is what the database holds.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence

import structlog
from pydantic import ValidationError
from sqlalchemy import Connection, select

from server.events.admission import Received
from server.store import tables as t
from server.store.database import Database
from server.store.events import event_of
from sync.errors import CenterError, LedgerError, StorageError
from sync.ledger.messages.receipts import MAX_RECEIPTS_BYTES, Receipts
from sync.ledger.messages.signed_message import check_text, read_envelope
from sync.ledger.note import Verifier
from sync.runtime.listeners import Listeners

log = structlog.get_logger(__name__)

MOST_WAITING = 256
"""Messages of receipts; a page that misses one shows the event when it is opened anew."""


class StoredElsewhere:
    """All methods belong to one event loop."""

    def __init__(self, database: Database, center: Verifier, owns: Callable[[str], bool]) -> None:
        """`center`: by which this center's own words are known."""
        self.stored = Listeners[[Sequence[Received]]]()
        """Told of events that another process has stored."""
        self._db = database
        self._center = center
        self._owns = owns
        self._waiting: asyncio.Queue[tuple[str, list[int]]] = asyncio.Queue(MOST_WAITING)

    def take(self, room: str, payload: bytes) -> None:
        """One message of `receipts` of a room; `CenterError` when it is not this center's."""
        if self._owns(room):
            return
        try:
            found = read_envelope(payload, "receipts", limit=MAX_RECEIPTS_BYTES)
            if found is None:
                return
            note, text = found
            check_text("receipts", room, note, text, [self._center])
            receipts = Receipts.model_validate(json.loads(text))
        except (LedgerError, ValidationError, ValueError, RecursionError) as error:
            raise CenterError("receipts are not this center's own", code="receipts") from error
        numbers = [one.number for one in receipts.stored]
        if numbers and not self._waiting.full():
            self._waiting.put_nowait((room, numbers))

    async def run(self) -> None:
        """Read and tell for ever."""
        while True:
            room, numbers = await self._waiting.get()
            try:
                events = await self._db.read(lambda connection: _read(connection, room, numbers))  # noqa: B023 (awaited)
            except StorageError as error:
                log.warning("stored_elsewhere_not_read", room=room, why=error.message)
                continue
            if events:
                self.stored.notify(events)


def _read(connection: Connection, room: str, numbers: list[int]) -> list[Received]:
    e = t.events
    query = select(e).where(e.c.room == room, e.c.number.in_(numbers)).order_by(e.c.number)
    return [Received(room, event_of(row), row.body, row.sha256) for row in connection.execute(query)]
