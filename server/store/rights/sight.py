"""Which hearings a query may take: the condition goes into the query itself, before anything is counted or cut off.

A list that is filtered after its limit hides what may be seen and tells of what may not. `Sight.of_hearings` is a
condition on the table of hearings and is the same for SQLite and PostgreSQL. A hearing of which only the level is
beyond sight is there for a list, without its case; one beyond the courts that somebody reaches is not there at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, not_, or_, select

from server.store import tables as t
from server.store.rights.court_part import CourtPart

PUBLIC, NOT_PUBLIC = "open", "restricted"
"""What a hearing is while nobody has said anything of it, by whether its case is tried in public."""


@dataclass(frozen=True, slots=True)
class Sight:
    """The levels that somebody may see, and hearings that they may not see whatever the store says of them."""

    levels: frozenset[str]
    hidden: frozenset[str] = frozenset()
    courts: frozenset[str] | None = None
    """Slugs of the courts that are reached; None: all."""
    sits: str | None = None
    """The folded name of who sees only hearings in which somebody of this name sits; "" is nobody's."""

    @classmethod
    def everything(cls) -> Sight:
        """For what the center asks for itself."""
        return cls(frozenset({PUBLIC, NOT_PUBLIC, "withdrawn"}))

    def of_moments(
        self, hearing: ColumnElement[str], from_ns: ColumnElement[int], to_ns: ColumnElement[int]
    ) -> ColumnElement[bool]:
        """Whether nothing of [from, to) of a hearing lies in a part that may not be seen, as
        `sync.record.sealed_parts` judges it: an empty stretch is the moment at its beginning."""
        p, later = t.sealed_parts, t.sealed_parts.alias("later_acts")
        newer = select(later.c.row).where(
            later.c.hearing == p.c.hearing, later.c.part == p.c.part, later.c.row > p.c.row
        )
        # The last moment of it: one behind the end could be more than 64 bits hold, which PostgreSQL refuses.
        last_ns = case((to_ns > from_ns, to_ns - 1), else_=from_ns)
        touching = and_(p.c.from_ns <= last_ns, or_(p.c.to_ns.is_(None), p.c.to_ns > from_ns))
        beyond = select(p.c.row).where(
            p.c.hearing == hearing,
            p.c.level.not_in(sorted(self.levels)),
            touching,
            not_(exists(newer.correlate(p))),
        )
        return not_(exists(beyond.correlate(t.utterances, t.hearings)))

    def of_hearings(self) -> ColumnElement[bool]:
        """Whether a row of `hearings` may be taken."""
        return and_(self.of_levels(), *self.indexed(), *self.compared())

    def indexed(self) -> list[ColumnElement[bool]]:
        """Of what is reached, the condition that an index in the order of lists answers: where it is one court."""
        return [CourtPart() == one for one in self.courts or ()] if self._is_one_court else []

    def compared(self) -> list[ColumnElement[bool]]:
        """Of what is reached, the conditions that are looked at row by row."""
        conditions: list[ColumnElement[bool]] = []
        if self.courts is not None and not self._is_one_court:
            conditions.append(CourtPart().in_(sorted(self.courts)))
        if self.sits is not None:
            conditions.append(t.hearings.c.id.in_(self.sat_in()))
        return conditions

    def sat_in(self) -> Select[tuple[str]]:
        """The hearings in which somebody of this name sits: few, and by an index."""
        return select(t.sittings.c.hearing).where(t.sittings.c.name == (self.sits or None))

    @property
    def _is_one_court(self) -> bool:
        return self.courts is not None and len(self.courts) == 1

    def of_levels(self) -> ColumnElement[bool]:
        """Whether the level of a row of `hearings` may be seen, wherever it is held."""
        allowed = _level().in_(sorted(self.levels))
        if NOT_PUBLIC in self.levels or not self.hidden:
            return allowed
        return and_(allowed, t.hearings.c.id.not_in(sorted(self.hidden)))

    def of_level(self, level: str) -> ColumnElement[bool]:
        """Whether a row of `hearings` has this level now; what may be seen of it is another question."""
        now = _level()
        if self.hidden:
            now = case((t.hearings.c.id.in_(sorted(self.hidden)), NOT_PUBLIC), else_=now)
        return now == level


def _level() -> ColumnElement[str]:
    """The level of a row of `hearings` as the store has it."""
    h = t.hearings.c
    said = select(t.levels.c.level).where(t.levels.c.hearing == h.id).scalar_subquery()
    return func.coalesce(said, case((h.public.is_(True), PUBLIC), else_=NOT_PUBLIC))
