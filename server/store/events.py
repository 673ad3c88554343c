"""Reading events back out of the record store."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Connection, select

from server.store import tables as t
from sync.record.event import Event


def events_of(connection: Connection, hearing: str, kinds: Sequence[str] = ()) -> list[Event]:
    """The events of a hearing by their number, all or those of some kinds."""
    query = select(t.events).where(t.events.c.hearing == hearing).order_by(t.events.c.number)
    if kinds:
        query = query.where(t.events.c.kind.in_(kinds))
    rows = connection.execute(query)
    return [Event(r.number, r.hearing, r.kind, r.room_ns, r.utc_ns, json.loads(r.body)) for r in rows]
