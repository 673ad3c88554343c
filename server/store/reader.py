"""What the center can say of its hearings: lists, facts of one hearing, search over the words spoken.

A whole hearing is folded by `server.store.kept_folds`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, not_, select

from server.store import tables as t
from server.store.archive.archive_reader import ArchivePage, ArchiveReader
from server.store.archive.filters import DAY_NS, HearingFilter, WordFilter, indexed_conditions
from server.store.archive.narrowing import compared, few_hearings
from server.store.archive.pieces import newest_first
from server.store.archive.rows import hearing_row
from server.store.database import Database
from server.store.docket_rows import DocketChange, changes_since
from server.store.events import events_of
from server.store.files import FileEntry, belongs, is_free
from server.store.rights.sealed_elsewhere import EVIDENCE, sealed_elsewhere
from server.store.rights.sight import Sight
from sync.errors import WutongError
from sync.record.bodies.session import OpenedTrack
from sync.record.hearing import Hearing, State
from sync.runtime.units import NS_PER_MS

MOST_AHEAD = 20
MAX_HEARINGS = 500
MAX_HITS = 200


@dataclass(frozen=True, slots=True)
class ClosedFile:
    """A stored segment of a track; times are None when its event has not come yet."""

    segment_index: int
    sha256: str
    from_ns: int | None
    to_ns: int | None
    fault: str = ""
    """Why it cannot be played, or not to its end."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The names and tracks of a hearing."""

    court_name: str
    room_name: str
    opened_ns: int
    tracks: list[OpenedTrack]


class RecordReader:
    """The reading side of the record store."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def hearings(self, wanted: HearingFilter, sight: Sight) -> list[dict[str, Any]]:
        """Hearings that are within sight, newest first, and without a filter for cases those whose level is beyond it:
        they take no place from the others, and who looks for a case learns nothing of them."""
        within = await self._listed(wanted, sight, sight.of_levels())
        beyond = [] if wanted.case else await self._listed(wanted, sight, not_(sight.of_levels()))
        soon_ms = _soon_ns() / NS_PER_MS
        return sorted(
            within + beyond, key=lambda row: (row["opened_utc_ms"] > soon_ms, -row["opened_utc_ms"], row["id"])
        )

    async def _listed(self, wanted: HearingFilter, sight: Sight, which: ColumnElement[bool]) -> list[dict[str, Any]]:
        h, soon = t.hearings.c, _soon_ns()
        conditions = [*indexed_conditions(wanted, self._db.dialect), *sight.indexed(), *compared(wanted, sight), which]

        def work(connection: Connection) -> list[Row[Any]]:
            few = few_hearings(connection, wanted, sight, indexed=self._db.full_text)
            query = select(t.hearings).where(*conditions, *([] if few is None else [few]))
            query = query.order_by(*newest_first(ordered=few is None)).limit(MAX_HEARINGS)
            # A room whose clock is far ahead opens hearings that are newer than all others for years: they come last.
            ahead = query.where(h.opened_utc_ns > soon).limit(MOST_AHEAD)
            return [*connection.execute(query.where(h.opened_utc_ns <= soon)), *connection.execute(ahead)]

        return [hearing_row(row) for row in await self._db.read(work)]

    async def evidence(self, hearing: str) -> Hearing:
        """The exhibits of a hearing, their pictures and what was presented of them, without a fold of all events."""
        return await self.facts(hearing, EVIDENCE)

    async def facts(self, hearing: str, kinds: Sequence[str]) -> Hearing:
        """The fold of a hearing's events of some kinds alone; of a hearing that is not there it is empty."""

        def work(connection: Connection) -> Hearing:
            return Hearing.of(hearing, events_of(connection, hearing, kinds))

        return await self._db.read(work)

    async def opening(self, hearing: str) -> Opening:
        """What was said at the opening, without a fold of all events; `WutongError` "not-found"."""
        h = t.hearings.c
        query = select(h.court_name, h.room_name, h.opened_ns, h.tracks_json).where(h.id == hearing)
        row = await self._db.read(lambda connection: connection.execute(query).one_or_none())
        if row is None:
            raise WutongError("没有这次庭审 (there is no such hearing)", code="not-found")
        return Opening(row.court_name, row.room_name, row.opened_ns, json.loads(row.tracks_json))

    async def names(self, hearing: str) -> tuple[str, str]:
        """Of court and room, as they were said at the opening; empty while it has not come."""
        h = t.hearings.c
        query = select(h.court_name, h.room_name).where(h.id == hearing)
        row = await self._db.read(lambda connection: connection.execute(query).one_or_none())
        return ("", "") if row is None else (row.court_name, row.room_name)

    async def files(self, room: str, hearing: str, track: str, sight: Sight) -> list[ClosedFile]:
        """The stored segments of a track in their order; none whose bytes a hearing beyond sight holds as well."""
        query = (
            select(t.files.c.place, t.files.c.sha256, t.files.c.fault, t.segments.c.from_ns, t.segments.c.to_ns)
            .outerjoin(
                t.segments,
                (t.segments.c.hearing == t.files.c.hearing)
                & (t.segments.c.track == t.files.c.track)
                & (t.segments.c.place == t.files.c.place)
                & (t.segments.c.sha256 == t.files.c.sha256),
            )
            .where(belongs(room, hearing, "segment"), t.files.c.track == track, is_free(sight))
            .order_by(t.files.c.place)
        )

        def work(connection: Connection) -> list[Any]:
            found: list[Any] = list(connection.execute(query))
            sealed = sealed_elsewhere(connection, hearing, {row.sha256 for row in found}, sight)
            return [row for row in found if row.sha256 not in sealed]

        rows = await self._db.read(work)
        # An index with two files is possible only after a refused checksum; the one that its event names counts.
        best: dict[int, ClosedFile] = {}
        for row in rows:
            file = ClosedFile(row.place, row.sha256, row.from_ns, row.to_ns, row.fault)
            if row.place not in best or file.from_ns is not None:
                best[row.place] = file
        return list(best.values())

    async def holds(self, hearing: str, kind: str, sha256: str, sight: Sight) -> bool:
        """Whether the room of this hearing stored these bytes as a `kind` of it, and no hearing beyond sight holds the
        same."""

        def work(connection: Connection) -> bool:
            room = connection.execute(select(t.events.c.room).where(t.events.c.hearing == hearing).limit(1)).scalar()
            mine = belongs(str(room), hearing, kind) & (t.files.c.sha256 == sha256) & is_free(sight)
            if room is None or connection.execute(select(t.files.c.place).where(mine)).first() is None:
                return False
            return not sealed_elsewhere(connection, hearing, [sha256], sight)

        return await self._db.read(work)

    async def has_file(self, entry: FileEntry) -> bool:
        """Whether exactly this was stored before."""
        f = t.files.c
        mine = belongs(entry.room, entry.hearing, entry.kind) & (f.sha256 == entry.sha256)
        query = select(f.place).where(mine, f.track == entry.track, f.place == entry.segment_index)
        return await self._db.read(lambda connection: connection.execute(query).first()) is not None

    async def owner(self, hearing: str) -> str | None:
        """The room whose hearing this is, if any event of it has come."""
        query = select(t.events.c.room).where(t.events.c.hearing == hearing).limit(1)
        return await self._db.read(lambda connection: connection.execute(query).scalar())

    async def is_closed(self, hearing: str) -> bool:
        """Whether the close of a hearing is stored."""
        query = select(t.hearings.c.state).where(t.hearings.c.id == hearing)
        return await self._db.read(lambda connection: connection.execute(query).scalar()) == State.CLOSED

    async def newest_ns(self, hearing: str) -> int:
        """The latest room time, in ns, of which anything of a hearing is stored; -2^62 of one that has nothing."""
        events = select(func.max(t.events.c.room_ns)).where(t.events.c.hearing == hearing)
        media = select(func.max(t.segments.c.to_ns)).where(t.segments.c.hearing == hearing)
        found = await self._db.read(lambda c: [c.execute(query).scalar() for query in (events, media)])
        return max((int(one) for one in found if one is not None), default=-(2**62))

    async def audited(self, what: str) -> list[dict[str, Any]]:
        """The lines of the audit log of one kind, oldest first."""
        query = select(t.audit).where(t.audit.c.what == what).order_by(t.audit.c.row)
        rows = await self._db.read(lambda connection: list(connection.execute(query)))
        return [dict(row._mapping) for row in rows]

    async def dockets(self) -> dict[str, str]:
        """room -> docket as JSON text."""
        rows = await self._db.read(lambda connection: list(connection.execute(select(t.dockets))))
        return {str(row.room): str(row.body) for row in rows}

    async def docket_changes(self, since_utc_ns: int) -> dict[str, list[DocketChange]]:
        """room -> what dockets have changed of those before them since a moment, the oldest first."""
        return await self._db.read(lambda connection: changes_since(connection, since_utc_ns))

    async def docket(self, room: str) -> str | None:
        """The docket of a room as JSON text; None when it has none."""
        query = select(t.dockets.c.body).where(t.dockets.c.room == room)
        return await self._db.read(lambda connection: connection.execute(query).scalar())

    async def of_room(self, room: str, hearings: Collection[str]) -> list[str]:
        """Which of these hearings are a room's, sorted."""
        query = select(t.hearings.c.id).where(t.hearings.c.room == room)
        its = await self._db.read(lambda connection: set(connection.execute(query).scalars()))
        return sorted(its.intersection(hearings))

    async def search(self, words: str, wanted: WordFilter, sight: Sight) -> ArchivePage:
        """The first `MAX_HITS` words of the archive, however long they have to be looked for."""
        return await ArchiveReader(self._db).words(words, wanted, sight, most=MAX_HITS, to_the_end=True)


def _soon_ns() -> int:
    """Beyond this no hearing can have been opened yet, in ns of UTC; clocks may differ by some hours."""
    return time.time_ns() + DAY_NS
