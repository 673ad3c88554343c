"""Events as rows: which of them are stored already, whose their hearings are, and storing the others, many at a time.

A number of a room is taken once, whatever several processes do at one moment: on SQLite by the key of `events`, on
PostgreSQL by that of `event_numbers`, which is over all months.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Executable,
    String,
    Table,
    bindparam,
    column,
    insert,
    select,
    text,
    values,
)

from server.store import tables as t
from server.store.database import inserting
from server.store.partitions import event_numbers

ONE_BY_ONE = 4
"""So few are asked for each by itself."""
AT_ONCE = 500
"""Rows in one statement: databases bound how many values it may hold."""
EventKey = tuple[str, int]
"""A room and the number of its event."""


def stored_digests(connection: Connection, wanted: Collection[EventKey]) -> dict[EventKey, str]:
    """The digest of each of these events that is stored."""
    keys, found = sorted(wanted), dict[EventKey, str]()
    of = _keyed(connection)
    if len(keys) <= ONE_BY_ONE:
        for room, number in keys:
            digest = connection.execute(_digest_of(of), {"of_room": room, "of_number": number}).scalar()
            found |= {} if digest is None else {(room, number): digest}
        return found
    for start in range(0, len(keys), AT_ONCE):
        asked = (
            values(column("room", String), column("number", BigInteger), name="asked")
            .data(keys[start : start + AT_ONCE])
            .cte("asked_events")
        )
        query = select(of.c.room, of.c.number, of.c.sha256).join_from(
            asked, of, (of.c.room == asked.c.room) & (of.c.number == asked.c.number)
        )
        found.update({(row.room, row.number): row.sha256 for row in connection.execute(query)})
    return found


def owners_of(connection: Connection, hearings: Collection[str]) -> dict[str, str]:
    """The room of each of these hearings of which any event is stored: events may come in any order."""
    names, found = sorted(hearings), dict[str, str]()
    for start in range(0, len(names), AT_ONCE):
        asked = (
            values(column("hearing", String), name="asked")
            .data([(name,) for name in names[start : start + AT_ONCE]])
            .cte("asked_hearings")
        )
        one = select(t.events.c.room).where(t.events.c.hearing == asked.c.hearing).limit(1).scalar_subquery()
        query = select(asked.c.hearing, one.label("room"))
        found.update({row.hearing: row.room for row in connection.execute(query) if row.room is not None})
    return found


def claim_hearings(connection: Connection, hearings: Collection[str]) -> dict[str, str]:
    """`owners_of` of hearings that seemed to be nobody's, once no other process is about to give them to a room."""
    if connection.dialect.name != "postgresql":
        return {}  # SQLite has one writer at a time.
    for name in sorted(hearings):
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})
    return owners_of(connection, hearings)


def insert_events(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> set[EventKey]:
    """Store events unless their number is taken; the keys of those that were stored."""
    if not rows:
        return set()
    of = _keyed(connection)
    # In one order everywhere, so that two processes with the same events wait for each other and do not lock up.
    ordered = sorted(rows, key=lambda row: (row["room"], row["number"]))
    keyed = [{name: row[name] for name in of.c.keys()} for row in ordered]  # noqa: SIM118 (a collection of columns)
    taken = {(row.room, row.number) for row in connection.execute(_inserted(connection.dialect.name, of), keyed)}
    if of is not t.events and taken:
        connection.execute(insert(t.events), [row for row in ordered if (row["room"], row["number"]) in taken])
    return taken


@functools.cache
def _digest_of(table: Table) -> Executable:
    """Made once, as is the next: to make it costs more than to run it."""
    c = table.c
    return select(c.sha256).where(c.room == bindparam("of_room"), c.number == bindparam("of_number"))


@functools.cache
def _inserted(dialect: str, table: Table) -> Executable:
    return inserting(dialect, table).on_conflict_do_nothing().returning(table.c.room, table.c.number)


def _keyed(connection: Connection) -> Table:
    """The table whose key is (room, number)."""
    return event_numbers if connection.dialect.name == "postgresql" else t.events
