"""Acts upon parts of hearings (封存区段) as the record store keeps them: a list that only grows.

A part is named by who sealed it, so that no room can end or replace what the center has sealed: `room:…` is of the
hearing's own room, `center:…` of the center.

A room seals a few parts of a hearing. One that seals without end gets all of the hearing sealed by one act more, and
what it seals then is not looked at: each act would cost more than the one before.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from server.store import tables as t
from server.store.events import events_of
from sync.record.event import Event
from sync.record.sealed_parts import ENDLESS, OF_ROOM, RoomParts, SealedPart

OF_CENTER = "center:"
LIFTED = "open"
KIND = "sealed_part"
MOST_OF_ROOM = 200
"""Parts that a room may seal of one hearing."""
OVERFLOW = OF_ROOM + "too-many-"
"""Before a number: the part that is all of the hearing."""


PartsAndLifted = tuple[dict[str, dict[str, SealedPart]], dict[str, list[str]]]
"""hearing -> part -> the part, and hearing -> ids of parts that were lifted."""


def part_of(row: Row[Any]) -> SealedPart | None:
    """The part of an act; None when it was lifted."""
    if row.level == LIFTED:
        return None
    return SealedPart(row.part, row.from_ns, row.to_ns, row.level, row.by, row.reason, row.utc_ns)


def parts_and_lifted(connection: Connection, hearings: Collection[str] | None) -> PartsAndLifted:
    """Of these hearings, None: of all, the parts as their newest acts say it, and the ids of those that were lifted in
    the order of these acts."""
    query = select(t.sealed_parts).order_by(t.sealed_parts.c.row)
    if hearings is not None:
        query = query.where(t.sealed_parts.c.hearing.in_(hearings))
    newest: dict[tuple[str, str], SealedPart | None] = {}
    for row in connection.execute(query):
        newest.pop((row.hearing, row.part), None)
        newest[row.hearing, row.part] = part_of(row)
    parts: dict[str, dict[str, SealedPart]] = {}
    lifted: dict[str, list[str]] = {}
    for (hearing, name), part in newest.items():
        if part is None:
            lifted.setdefault(hearing, []).append(name)
        else:
            parts.setdefault(hearing, {})[name] = part
    return parts, lifted


def newest_part(connection: Connection, hearing: str, name: str) -> SealedPart | None:
    """A part as its newest act says it; None when there is none, or it was lifted."""
    p = t.sealed_parts.c
    newest = select(t.sealed_parts).where(p.hearing == hearing, p.part == name).order_by(p.row.desc()).limit(1)
    row = connection.execute(newest).first()
    return None if row is None else part_of(row)


def said_of(hearing: str, part: SealedPart, level: str, reason: str | None = None) -> dict[str, object]:
    """What the audit log says of an act."""
    return {
        "hearing": hearing,
        "part": part.id,
        "level": level,
        "from_ns": part.from_ns,
        "to_ns": part.to_ns,
        "reason": part.reason if reason is None else reason,
    }


def keep_act(connection: Connection, hearing: str, part: SealedPart, level: str) -> None:
    """Append an act; `level` is what counts from now on."""
    values = {"hearing": hearing, "part": part.id, "level": level, "from_ns": part.from_ns, "to_ns": part.to_ns}
    connection.execute(insert(t.sealed_parts).values(**values, by=part.by, reason=part.reason, utc_ns=part.at_utc_ns))


def take_room_acts(connection: Connection, hearing: str, fresh: list[Event]) -> list[SealedPart]:
    """What the hearing's room has sealed by events that were just stored, in whatever order they came; the parts that
    are new or ended by it. What the archivist has lifted stays lifted."""
    if not any(event.kind == KIND for event in fresh):
        return []
    known = {
        row.part: part_of(row)
        for row in connection.execute(
            select(t.sealed_parts).where(t.sealed_parts.c.hearing == hearing).order_by(t.sealed_parts.c.row)
        )
    }
    everything = [name for name in known if name.startswith(OVERFLOW)]
    if any(known[name] is not None for name in everything):
        return []
    count = select(func.count()).where(t.events.c.hearing == hearing, t.events.c.kind == KIND)
    # Each part is begun and ended once, and what the archivist has lifted of it all counts anew.
    if connection.execute(count).scalar_one() > 2 * MOST_OF_ROOM * (len(everything) + 1):
        why = f"封存区段超过 {MOST_OF_ROOM} 处，全案封存 (more parts than a hearing may have)"
        name = f"{OVERFLOW}{len(everything) + 1}"
        whole = SealedPart(name, -ENDLESS, None, "withdrawn", "", why, fresh[-1].utc_ns)
        keep_act(connection, hearing, whole, whole.level)
        return [whole]
    fold = RoomParts()
    for event in events_of(connection, hearing, (KIND,)):
        fold.apply(event)
    said = []
    for part in fold:
        mine = SealedPart(OF_ROOM + part.id, part.from_ns, part.to_ns, part.level, part.by, part.reason, part.at_utc_ns)
        if mine.id in known and known[mine.id] in (None, mine):
            continue
        keep_act(connection, hearing, mine, mine.level)
        said.append(mine)
    return said
