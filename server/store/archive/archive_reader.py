"""Pages of the archive: hearings, and words spoken in them, newest first, each page behind the one before.

Whatever is asked is asked in the query: dates, court, room, state, case, level, words, and what who asks may see. An
answer takes bounded work (`narrowing`, `pieces`). Where that did not reach the end, the page says up to where was
looked, and the next one goes on; what is counted is counted up to `MOST_COUNTED`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select

from server.store import tables as t
from server.store.archive.filters import HearingFilter, WordFilter, indexed_conditions
from server.store.archive.narrowing import compared, few_hearings, few_lines
from server.store.archive.pieces import Find, Patience, look_through, newest_first
from server.store.archive.place import ArchivePlace
from server.store.archive.rows import hearing_row, search_hit
from server.store.database import Database
from server.store.rights.sight import Sight
from server.store.words.word_index import in_line
from sync.text.characters import clean_line, clean_words
from sync.text.equal import fold

MOST_A_PAGE = 200
MOST_COUNTED = 10_000
BUDGET_S = 0.12
"""So long is looked for what no index names, then it is said how far; the last piece may take as long again."""
_FIRST_HEARINGS, _MOST_HEARINGS = 1024, 32_768
_FIRST_SPOKEN, _MOST_SPOKEN = 16, 4096
"""Hearings of a piece: of lists, and of words, where each has some to thousands of lines."""
_EARLIEST, _LATEST = -(2**62), 2**62
"""Where nobody knows yet when something was said, it may have been at any time."""


@dataclass(frozen=True, slots=True)
class ArchivePage:
    """Some rows, and the place behind them, if there is more or may be."""

    rows: list[dict[str, Any]]
    next: ArchivePlace | None
    stopped: bool
    """Whether it ended because the time was over: `next` is up to where was looked."""
    count: int | None = None
    """Of hearings, on the first page: how many there are, at most `MOST_COUNTED` and one more."""
    counted: bool = True
    """Whether `count` is all of them, and not only those that were counted in time."""
    spans: Sequence[tuple[int, int]] = ()
    """Of words: the room times [from, to) in which those of each row were said, in any version of the line."""


class ArchiveReader:
    """Asks the record store; all answers are of one moment."""

    def __init__(
        self,
        database: Database,
        *,
        clock_s: Callable[[], float] = time.monotonic,
        utc_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._db = database
        self._clock_s = clock_s
        self._utc_ns = utc_ns

    async def hearings(
        self, wanted: HearingFilter, sight: Sight, after: ArchivePlace | None = None, most: int = MOST_A_PAGE
    ) -> ArchivePage:
        """Hearings, those whose level is beyond sight among them unless a case is looked for: whoever lists them must
        hide their case. The first page says how many there are."""
        place = after or ArchivePlace.first(self._utc_ns())
        indexed = [*indexed_conditions(wanted, self._db.dialect), *sight.indexed()]

        def work(connection: Connection) -> ArchivePage:
            patience = Patience(self._clock_s, BUDGET_S)
            few = few_hearings(connection, wanted, sight, indexed=self._db.full_text)
            asked = _Listed(connection, indexed, compared(wanted, sight), few, patience)
            rows, stopped = asked.rows(place, most + 1)
            following = place.behind(rows[most - 1].opened_utc_ns, rows[most - 1].id) if len(rows) > most else stopped
            if after is not None:
                count, counted = None, True
            else:
                count, counted = asked.count(place) if following is not None else (len(rows), True)
            made = [hearing_row(row) for row in rows[:most]]
            return ArchivePage(made, following, stopped is not None, count, counted)

        return await self._db.read(work)

    async def words(
        self,
        words: str,
        wanted: WordFilter,
        sight: Sight,
        after: ArchivePlace | None = None,
        most: int = MOST_A_PAGE,
        *,
        to_the_end: bool = False,
    ) -> ArchivePage:
        """Lines within sight that contain each of the space-separated `words`, as `fold` compares, the lines of a
        hearing together. What is beyond sight is never among those that are counted. `to_the_end`: however long."""
        terms = [term for term in map(fold, clean_words(words).split()) if term]
        if not terms:
            return ArchivePage([], None, stopped=False)
        place = after or ArchivePlace.first(self._utc_ns())
        indexed = [*indexed_conditions(wanted.hearings, self._db.dialect), *sight.indexed()]
        lines = _lines(terms, wanted, sight)

        def work(connection: Connection) -> ArchivePage:
            patience = Patience(self._clock_s, None if to_the_end else BUDGET_S)
            few = few_hearings(connection, wanted.hearings, sight, indexed=self._db.full_text)
            named = few_lines(connection, terms, indexed=self._db.full_text)
            base = indexed if few is None else [*indexed, few]
            looked_at = [*lines, *compared(wanted.hearings, sight)]

            def find(stretch: ColumnElement[bool], at: ArchivePlace, need: int) -> list[Row[Any]]:
                order = newest_first(ordered=few is None)
                return _spoken(connection, [*base, *looked_at, stretch, at.lines_behind()], order, need)

            if named is None:
                looked = look_through(
                    connection,
                    place,
                    base,
                    find,
                    need=most + 1,
                    patience=patience,
                    pieces=(_FIRST_SPOKEN, _MOST_SPOKEN),
                    ordered=few is None,
                )
                rows, stopped = looked.rows, looked.stopped
            else:
                spoken = [named, *base, *looked_at, or_(*place.stretches()), place.lines_behind()]
                rows, stopped = _spoken(connection, spoken, place.sorted(), most + 1), None
            following = _behind_line(place, rows[most - 1]) if len(rows) > most else stopped
            hits, spans = [search_hit(row) for row in rows[:most]], [_span(row) for row in rows[:most]]
            return ArchivePage(hits, following, stopped is not None, spans=spans)

        return await self._db.read(work)


@dataclass(frozen=True, slots=True)
class _Listed:
    """One question for hearings on one connection."""

    connection: Connection
    indexed: Sequence[ColumnElement[bool]]
    compared: Sequence[ColumnElement[bool]]
    few: ColumnElement[bool] | None
    patience: Patience

    def rows(self, place: ArchivePlace, need: int) -> tuple[list[Row[Any]], ArchivePlace | None]:
        """The next rows behind a place; and the place up to which was looked, when the time was over."""
        if self.few is not None:
            conditions = [self.few, *self.indexed, *self.compared, or_(*place.stretches())]
            query = select(t.hearings).where(*conditions).order_by(*place.sorted()).limit(need)
            return list(self.connection.execute(query)), None
        if not self.compared:
            rows: list[Row[Any]] = []
            for stretch in place.stretches():
                rows += self._find(stretch, place, need - len(rows)) if len(rows) < need else []
            return rows, None
        return self._looked(place, self._find, need)

    def count(self, place: ArchivePlace) -> tuple[int, bool]:
        """How many there are behind a place, at most one more than `MOST_COUNTED`; whether these are all."""
        everything, most = or_(*place.stretches()), MOST_COUNTED + 1
        if self.few is not None:
            return len(self._number(and_(self.few, everything), place, most)), True
        if not self.compared:
            return len(self._number(everything, place, most)), True
        found, stopped = self._looked(place, self._number, most)
        return len(found), stopped is None

    def _find(self, stretch: ColumnElement[bool], _: ArchivePlace, need: int) -> Sequence[Row[Any]]:
        query = select(t.hearings).where(*self.indexed, *self.compared, stretch)
        return list(self.connection.execute(query.order_by(*newest_first(ordered=True)).limit(need)))

    def _number(self, stretch: ColumnElement[bool], _: ArchivePlace, most: int) -> Sequence[Any]:
        some = select(t.hearings.c.id).where(*self.indexed, *self.compared, stretch).limit(most).subquery()
        return range(self.connection.execute(select(func.count()).select_from(some)).scalar_one())

    def _looked(self, place: ArchivePlace, find: Find, need: int) -> tuple[list[Any], ArchivePlace | None]:
        pieces = _FIRST_HEARINGS, _MOST_HEARINGS
        looked = look_through(
            self.connection, place, self.indexed, find, need=need, patience=self.patience, pieces=pieces, ordered=True
        )
        return looked.rows, looked.stopped


def _lines(terms: Sequence[str], wanted: WordFilter, sight: Sight) -> list[ColumnElement[bool]]:
    """Conditions on lines that are looked at one by one."""
    u = t.utterances.c
    said_from, said_to = func.coalesce(u.said_from_ns, _EARLIEST), func.coalesce(u.said_to_ns, _LATEST)
    conditions = [in_line(terms), sight.of_hearings(), sight.of_moments(u.hearing, said_from, said_to)]
    return [*conditions, u.role == clean_line(wanted.role)] if wanted.role else conditions


def _span(row: Row[Any]) -> tuple[int, int]:
    """When a line was said, as the query judges it."""
    from_ns = _EARLIEST if row.said_from_ns is None else row.said_from_ns
    to_ns = _LATEST if row.said_to_ns is None else row.said_to_ns
    return min(from_ns, row.start_ns), max(to_ns, row.end_ns)


def _spoken(
    connection: Connection, conditions: Sequence[ColumnElement[bool]], order: Sequence[ColumnElement[Any]], need: int
) -> list[Row[Any]]:
    u = t.utterances.c
    query = select(t.utterances, t.hearings).join(t.hearings, t.hearings.c.id == u.hearing).where(*conditions)
    return list(connection.execute(query.order_by(*order, u.start_ns, u.id).limit(need)))


def _behind_line(place: ArchivePlace, row: Row[Any]) -> ArchivePlace:
    return place.behind_line(row.opened_utc_ns, row.hearing, row.start_ns, row._mapping[t.utterances.c.id])
