"""Bytes of one hearing that another hearing holds as well, in a part that somebody may not see (封存区段).

A level counts for every hearing that holds the same bytes (`server.store.files.is_free`), and so does a part: what was
shown in a sealed part alone is not had by asking for it as something of another hearing. What was also shown there
outside of the part, such as an exhibit of the same case in its next sitting, is had. In doubt it is not.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, select

from server.store import tables as t
from server.store.events import events_of
from server.store.rights.sealed_parts import part_of
from server.store.rights.sight import Sight
from sync.record.hearing import Hearing
from sync.record.sealed_parts import SealedPart, Unseen
from sync.record.withheld import pages_withheld, withheld

EVIDENCE = ("open", "pause", "resume", "close", "exhibit", "drawn", "present", "withdraw")
_AT_ONCE = 400
"""Hashes in one query: databases bound how many values it may hold."""


def sealed_elsewhere(connection: Connection, hearing: str, hashes: Collection[str], sight: Sight) -> set[str]:
    """Those of the objects that lie in a sealed part of another hearing, for who has this sight."""
    f, wanted = t.files.c, sorted(hashes)
    sealed: set[str] = set()
    judged: dict[str, Unseen] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        query = (
            select(f.hearing, f.kind, f.track, f.place, f.sha256)
            .where(f.sha256.in_(wanted[start : start + _AT_ONCE]), f.hearing != hearing)
            .where(f.hearing.in_(select(t.sealed_parts.c.hearing)))
        )
        for row in connection.execute(query):
            if row.hearing not in judged:
                judged[row.hearing] = Unseen.of(_parts(connection, row.hearing), sight.levels)
            if judged[row.hearing] and _is_hidden(connection, row, judged[row.hearing]):
                sealed.add(row.sha256)
    return sealed


def _parts(connection: Connection, hearing: str) -> list[SealedPart]:
    acts = select(t.sealed_parts).where(t.sealed_parts.c.hearing == hearing).order_by(t.sealed_parts.c.row)
    newest = {row.part: part_of(row) for row in connection.execute(acts)}
    return [part for part in newest.values() if part is not None]


def _is_hidden(connection: Connection, row: Any, unseen: Unseen) -> bool:
    """Of a row of `files`."""
    if row.kind == "segment":
        s = t.segments.c
        mine = (s.hearing == row.hearing) & (s.track == row.track) & (s.place == row.place) & (s.sha256 == row.sha256)
        times = connection.execute(select(s.from_ns, s.to_ns).where(mine)).first()
        return times is None or unseen.touches(times.from_ns, times.to_ns)
    if row.kind not in ("exhibit", "page"):
        return True  # signed words hold all of a hearing
    whole = Hearing.of(row.hearing, events_of(connection, row.hearing, EVIDENCE))
    view = withheld(whole, unseen)
    if row.kind == "page":
        return all(picture["sha256"] != row.sha256 for pages in view.pictures.values() for picture in pages.values())
    cut = {name for name, _ in pages_withheld(whole, unseen)}
    return all(one.sha256 != row.sha256 or one.id in cut for one in view.exhibits)
