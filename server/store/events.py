"""Reading events back out of the record store."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from server.store import tables as t
from sync.record.event import Event


def event_of(row: Row[Any]) -> Event:
    """The event that a row of `events` is."""
    return Event(row.number, row.hearing, row.kind, row.room_ns, row.utc_ns, json.loads(row.body))


def events_of(connection: Connection, hearing: str, kinds: Sequence[str] = ()) -> list[Event]:
    """The events of a hearing by their number, all or those of some kinds."""
    query = select(t.events).where(t.events.c.hearing == hearing).order_by(t.events.c.number)
    if kinds:
        query = query.where(t.events.c.kind.in_(kinds))
    return [event_of(row) for row in connection.execute(query)]
