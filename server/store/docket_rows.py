"""Dockets as the center keeps them: the last one of each room, and what became of the entries of those before it.

A docket is the whole of a day, so what it leaves out was taken off, and one of another day takes nothing off: the day
before stays as it was planned. Nothing here is ever changed or deleted, so that no docket hides that a hearing was due
(`server.inspection.unrecorded`). An entry that nobody can read any more is no reason to refuse a new docket.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import structlog
from pydantic import ValidationError
from sqlalchemy import Connection, func, insert, select

from server.store import tables as t
from server.store.database import upsert
from sync.record.docket import Docket, DocketEntry

log = structlog.get_logger(__name__)

ChangeKind = Literal["withdrawn", "changed", "other-day"]


@dataclass(frozen=True, slots=True)
class DocketChange:
    """What a docket did to an entry of the one before: took it off, put another in its place, or was of another day."""

    room: str
    date: str
    before: DocketEntry
    change: ChangeKind
    utc_ns: int


def keep_docket(connection: Connection, room: str, text: str, utc_ns: int, role: str, person: str) -> None:
    """Make `text` the room's docket, and write down what it changes of the one before, by whom and when."""
    new = Docket.model_validate_json(text)
    stored = connection.execute(select(t.dockets.c.body).where(t.dockets.c.room == room)).scalar()
    old = None if stored is None else _read(room, str(stored))
    rows: list[dict[str, object]] = []

    def note(date: str, before: DocketEntry, change: ChangeKind, after: DocketEntry | None) -> None:
        said = {"room": room, "date": date, "entry": before.id, "change": change, "before": before.model_dump_json()}
        said |= {"after": "" if after is None else after.model_dump_json()}
        rows.append({**said, "utc_ns": utc_ns, "role": role, "person": person})

    if old is not None and old.date != new.date:
        for entry in old.hearings:
            note(old.date, entry, "other-day", None)
    before = old.hearings if old is not None and old.date == new.date else _left(connection, room, new.date)
    after = {entry.id: entry for entry in new.hearings}
    for entry in before:
        now = after.get(entry.id)
        if now != entry:
            note(new.date, entry, "withdrawn" if now is None else "changed", now)
    if rows:
        connection.execute(insert(t.docket_changes), rows)
    upsert(connection, t.dockets, ["room"], [{"room": room, "body": text, "set_utc_ns": utc_ns}])


def changes_since(connection: Connection, utc_ns: int) -> dict[str, list[DocketChange]]:
    """room -> what was changed at this moment or later, the oldest first."""
    c = t.docket_changes.c
    found: dict[str, list[DocketChange]] = {}
    for row in connection.execute(select(t.docket_changes).where(c.utc_ns >= utc_ns).order_by(c.row)):
        try:
            before = DocketEntry.model_validate_json(row.before)
        except ValidationError as error:
            log.error("docket_change_not_read", room=row.room, row=row.row, why=str(error))
            continue
        change = DocketChange(row.room, row.date, before, row.change, row.utc_ns)
        found.setdefault(row.room, []).append(change)
    return found


def _left(connection: Connection, room: str, date: str) -> Iterable[DocketEntry]:
    """The entries of a day when the docket of another one came after it."""
    c = t.docket_changes.c
    of_day = (c.room == room) & (c.date == date) & (c.change == "other-day")
    newest = select(func.max(c.utc_ns)).where(of_day).scalar_subquery()
    rows = connection.execute(select(c.before).where(of_day, c.utc_ns == newest).order_by(c.row))
    return [DocketEntry.model_validate_json(row.before) for row in rows]


def _read(room: str, text: str) -> Docket | None:
    try:
        return Docket.model_validate_json(text)
    except ValidationError as error:
        log.error("docket_not_compared", room=room, why=str(error))
        return None
