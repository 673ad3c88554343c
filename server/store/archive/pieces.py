"""Looking through hearings from the newest on, piece by piece, for as long as somebody may be kept waiting.

What no index answers is compared row by row. Over a million hearings that takes seconds, and whoever asks wants the
newest anyway: so a piece of hearings is looked through, then a larger one, until there is enough or the time is over.
Then it is said up to where was looked, and the next page goes on from there. Nothing is left out, and no question,
however it is put, keeps the database busy for long.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, literal_column, select

from server.store import tables as t
from server.store.archive.place import ArchivePlace, up_to

QUICK_S = 0.02
"""A piece that took no longer is followed by a larger one."""
GROWTH = 4
Find = Callable[[ColumnElement[bool], ArchivePlace, int], Sequence[Any]]
"""(stretch, place, most) -> what is wanted of a stretch of hearings, in the list's order, behind a place."""


@dataclass
class Patience:
    """How long may be looked: after `budget_s` no further piece is begun. None: to the end."""

    clock_s: Callable[[], float]
    budget_s: float | None
    began_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.began_s = self.clock_s()

    @property
    def is_over(self) -> bool:
        """Whether nothing more may be begun."""
        return self.budget_s is not None and self.clock_s() - self.began_s >= self.budget_s


@dataclass(frozen=True, slots=True)
class LookedThrough:
    """What was found, and where it ended: None when all was looked through, or enough found."""

    rows: list[Any]
    stopped: ArchivePlace | None


def look_through(
    connection: Connection,
    place: ArchivePlace,
    base: Sequence[ColumnElement[bool]],
    find: Find,
    *,
    need: int,
    patience: Patience,
    pieces: tuple[int, int],
    ordered: bool,
) -> LookedThrough:
    """`need` rows behind a place, of hearings for which `base` holds, which an index answers in the list's order when
    `ordered`. `pieces`: hearings of the first and of the largest piece."""
    found: list[Any] = []
    (size, largest), begun = pieces, False
    for part in place.stretches():
        at, stretch = place, part
        while True:
            if begun and patience.is_over:
                return LookedThrough(found, at)
            piece_s, begun = patience.clock_s(), True
            end = _end_of_piece(connection, [*base, stretch], size, ordered=ordered)
            found += find(stretch if end is None else and_(stretch, up_to(*end)), at, need - len(found))
            if len(found) >= need:
                return LookedThrough(found, None)
            if end is None:
                break
            at = at.behind(*end)
            stretch = at.stretches()[0]
            if patience.clock_s() - piece_s <= QUICK_S:
                size = min(size * GROWTH, largest)
        place = place.behind_timely()
    return LookedThrough(found, None)


def newest_first(*, ordered: bool) -> list[ColumnElement[Any]]:
    """The order of lists. `ordered`: an index has it; else what is asked for is few, and PostgreSQL must not hope to
    find it soon by going through all in their order."""
    h = t.hearings.c
    return [(h.opened_utc_ns if ordered else h.opened_utc_ns + literal_column("0")).desc(), h.id]


def _end_of_piece(
    connection: Connection, conditions: Sequence[ColumnElement[bool]], size: int, *, ordered: bool
) -> tuple[int, str] | None:
    """The last hearing of the next `size`; None where there are fewer."""
    h = t.hearings.c
    query = select(h.opened_utc_ns, h.id).where(*conditions).order_by(*newest_first(ordered=ordered))
    row = connection.execute(query.offset(size - 1).limit(1)).one_or_none()
    return None if row is None else (row.opened_utc_ns, row.id)
