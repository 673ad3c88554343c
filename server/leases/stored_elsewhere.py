"""What another process has stored of a room that somebody follows here, read when that process has receipted it.

A receipt leaves only after the commit, so what it names can be read. What comes by the broker is believed as this
center's own signed word alone; and it makes nothing true: what is shown is what the database holds.

What is read is judged by rights that are at least as new: with the events the version of rights is read, as of the same
moment, and nobody is shown anything before this process has taken it. What closes something (an opening that is not
public) counts at once.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence

import structlog
from pydantic import ValidationError
from sqlalchemy import Connection, select

from server.access.shared_rights import SharedRights
from server.events.admission import Received
from server.store import tables as t
from server.store.database import Database
from server.store.events import event_of
from server.store.rights.rights_rows import stored_version
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

    def __init__(self, database: Database, center: Verifier, rights: SharedRights, owns: Callable[[str], bool]) -> None:
        """`center`: by which this center's own words are known."""
        self.read = Listeners[[Sequence[Received]]]()
        """Told of events that another process has stored, for who judges by them."""
        self.stored = Listeners[[Sequence[Received]]]()
        """Told of them for who shows them, when this process knows who may see them."""
        self._db = database
        self._center = center
        self._rights = rights
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
            anew = self._rights.anew
            try:
                events, version = await self._db.read(
                    lambda connection: (_read(connection, room, numbers), stored_version(connection))  # noqa: B023 (awaited)
                )
            except StorageError as error:
                log.warning("stored_elsewhere_not_read", room=room, why=error.message)
                continue
            if events:
                self.read.notify(events)
                await self._rights.until_taken(version, anew)
                self.stored.notify(events)


def _read(connection: Connection, room: str, numbers: list[int]) -> list[Received]:
    e = t.events
    query = select(e).where(e.c.room == room, e.c.number.in_(numbers)).order_by(e.c.number)
    return [Received(room, event_of(row), row.body, row.sha256) for row in connection.execute(query)]
