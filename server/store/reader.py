"""What the center can say of its hearings: lists, facts of one hearing, search over the words spoken.

A whole hearing is folded by `server.store.kept_folds`.
"""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, case, false, func, not_, or_, select
from typing_extensions import TypedDict

from server.store import tables as t
from server.store.database import Database
from server.store.events import events_of
from server.store.files import FileEntry, belongs, is_free
from server.store.folded import folded_filter
from server.store.sealed_elsewhere import EVIDENCE, sealed_elsewhere
from server.store.sight import Sight
from server.store.word_index import containing
from sync.errors import WutongError
from sync.record.bodies.session import OpenedCase, OpenedTrack
from sync.record.hearing import Hearing, State
from sync.record.milliseconds import to_ms
from sync.runtime.units import NS_PER_MS
from sync.text.characters import clean_line, clean_words
from sync.text.equal import fold

MOST_AHEAD = 20
MAX_HEARINGS = 500
MAX_HITS = 200
_DAY_NS = 86_400 * 1_000_000_000
_FIRST_DAY_NS, _LAST_DAY_NS = -(2**63), 2**63 - 1 - _DAY_NS
"""The beginnings of days that a database can compare with."""


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


class HearingRow(TypedDict):
    """A hearing in a list."""

    id: str
    room: str
    court_name: str
    room_name: str
    case: OpenedCase
    state: State
    opened_utc_ns: int
    closed_utc_ns: int | None
    duration_ns: int | None


class SearchHit(TypedDict):
    """Words that were found."""

    hearing: str
    utterance: str
    role: str
    start_ns: int
    text: str
    case: OpenedCase
    room: str
    court_name: str
    room_name: str
    opened_utc_ns: int
    opened_ns: int


@dataclass(frozen=True, slots=True)
class HearingFilter:
    """Which hearings are listed; empty fields do not filter. `date` is a day (YYYY-MM-DD) of the server's zone."""

    court: str = ""
    room: str = ""
    case: str = ""
    date: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class WordFilter:
    """Which words are searched. `from_date` and `to_date` are days, both inclusive."""

    role: str = ""
    case: str = ""
    court: str = ""
    from_date: str = ""
    to_date: str = ""


class RecordReader:
    """The reading side of the record store."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def hearings(self, wanted: HearingFilter, sight: Sight) -> list[dict[str, Any]]:
        """Hearings that are within sight, newest first, and without a filter for cases those beyond it: they take no
        place from the others, and who looks for a case learns nothing of them."""
        within = await self._listed(wanted, sight.of_hearings())
        beyond = [] if wanted.case else await self._listed(wanted, not_(sight.of_hearings()))
        soon_ms = _soon_ns() / NS_PER_MS
        return sorted(
            within + beyond, key=lambda row: (row["opened_utc_ms"] > soon_ms, -row["opened_utc_ms"], row["id"])
        )

    async def _listed(self, wanted: HearingFilter, which: ColumnElement[bool]) -> list[dict[str, Any]]:
        h = t.hearings.c
        query = select(t.hearings).where(which).order_by(h.opened_utc_ns.desc(), h.id).limit(MAX_HEARINGS)
        if wanted.court:
            query = query.where(h.room.startswith(wanted.court.lower() + "/", autoescape=True))
        if wanted.room:
            exact = wanted.room if "/" in wanted.room else None
            query = query.where(
                h.room == exact if exact else h.room.endswith("/" + wanted.room.lower(), autoescape=True)
            )
        if wanted.case:
            query = query.where(_of_case(wanted.case))
        if wanted.date:
            start = day_utc_ns(wanted.date)
            query = query.where(h.opened_utc_ns >= start, h.opened_utc_ns < start + _DAY_NS)
        if wanted.state:
            query = query.where(h.state == wanted.state)
        # A room whose clock is far ahead opens hearings that are newer than all others for years: they come last.
        h, soon = t.hearings.c, _soon_ns()
        timely, ahead = query.where(h.opened_utc_ns <= soon), query.where(h.opened_utc_ns > soon).limit(MOST_AHEAD)
        rows = await self._db.read(lambda c: [*c.execute(timely), *c.execute(ahead)])
        return [_hearing_row(row) for row in rows]

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

    async def docket(self, room: str) -> str | None:
        """The docket of a room as JSON text; None when it has none."""
        query = select(t.dockets.c.body).where(t.dockets.c.room == room)
        return await self._db.read(lambda connection: connection.execute(query).scalar())

    async def of_room(self, room: str, hearings: Collection[str]) -> list[str]:
        """Which of these hearings are a room's, sorted."""
        query = select(t.hearings.c.id).where(t.hearings.c.room == room)
        its = await self._db.read(lambda connection: set(connection.execute(query).scalars()))
        return sorted(its.intersection(hearings))

    async def search(self, words: str, wanted: WordFilter, sight: Sight) -> list[dict[str, Any]]:
        """Utterances within sight that contain each of the space-separated `words`, as `fold` compares; newest hearing
        first. What is beyond it is never among those that are counted."""
        terms = [term for term in map(fold, clean_words(words).split()) if term]
        if not terms:
            return []
        u, h = t.utterances.c, t.hearings.c
        # Where nobody knows yet when it was said, it may have been at any time.
        said_from, said_to = func.coalesce(u.said_from_ns, -(2**62)), func.coalesce(u.said_to_ns, 2**62)
        query = (
            select(t.utterances, t.hearings)
            .join(t.hearings, h.id == u.hearing)
            .where(sight.of_hearings(), sight.of_moments(u.hearing, said_from, said_to))
            .order_by(case((h.opened_utc_ns > _soon_ns(), 0), else_=h.opened_utc_ns).desc(), u.start_ns, h.id, u.id)
            .limit(MAX_HITS)
        )
        if wanted.role:
            query = query.where(u.role == clean_line(wanted.role))
        if wanted.case:
            query = query.where(_of_case(wanted.case))
        if wanted.court:
            query = query.where(h.room.startswith(wanted.court.lower() + "/", autoescape=True))
        if wanted.from_date:
            query = query.where(h.opened_utc_ns >= day_utc_ns(wanted.from_date))
        if wanted.to_date:
            query = query.where(h.opened_utc_ns < day_utc_ns(wanted.to_date) + _DAY_NS)

        def work(connection: Connection) -> list[Row[Any]]:
            return list(connection.execute(query.where(containing(connection, terms, indexed=self._db.full_text))))

        return [_hit(row) for row in await self._db.read(work)]


def _soon_ns() -> int:
    """Beyond this no hearing can have been opened yet, in ns of UTC; clocks may differ by some hours."""
    return time.time_ns() + _DAY_NS


def _of_case(wanted: str) -> ColumnElement[bool]:
    """Whether a hearing's case has these words, or a part of its number in any spelling."""
    return or_(false(), *(t.hearings.c.folded.contains(key, autoescape=True) for key in folded_filter(wanted)))


def day_utc_ns(day: str) -> int:
    """UTC of the beginning of a day (YYYY-MM-DD) in the server's time zone."""
    try:
        midnight = datetime.datetime.fromisoformat(day).replace(hour=0, minute=0, second=0, microsecond=0)
        return max(_FIRST_DAY_NS, min(int(midnight.astimezone().timestamp()) * 1_000_000_000, _LAST_DAY_NS))
    except (ValueError, OverflowError, OSError) as error:
        raise WutongError(f"{day!r} is not a date like 2026-11-22", code="invalid") from error


def _hearing_row(row: Row[Any]) -> dict[str, Any]:
    duration_ns = None if row.closed_ns is None else row.closed_ns - row.opened_ns
    said: HearingRow = {
        "id": row.id,
        "room": row.room,
        "court_name": row.court_name,
        "room_name": row.room_name,
        "case": json.loads(row.case_json),
        "state": row.state,
        "opened_utc_ns": row.opened_utc_ns,
        "closed_utc_ns": row.closed_utc_ns,
        "duration_ns": duration_ns,
    }
    shown = to_ms(said)
    assert isinstance(shown, dict)
    return shown


def _hit(row: Row[Any]) -> dict[str, Any]:
    said: SearchHit = {
        "hearing": row.hearing,
        "utterance": row._mapping[t.utterances.c.id],
        "role": row.role,
        "start_ns": row.start_ns,
        "text": row.text,
        "case": json.loads(row.case_json),
        "room": row.room,
        "court_name": row.court_name,
        "room_name": row.room_name,
        "opened_utc_ns": row.opened_utc_ns,
        "opened_ns": row.opened_ns,
    }
    shown = to_ms(said)
    assert isinstance(shown, dict)
    return shown
