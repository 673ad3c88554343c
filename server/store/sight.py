"""Which hearings a query may take: the condition goes into the query itself, before anything is counted or cut off.

A list that is filtered after its limit hides what may be seen and tells of what may not. `Sight.of_hearings` is a
condition on the table of hearings and is the same for SQLite and PostgreSQL.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, func, select

from server.store import tables as t

PUBLIC, NOT_PUBLIC = "open", "restricted"
"""What a hearing is while nobody has said anything of it, by whether its case is tried in public."""


@dataclass(frozen=True, slots=True)
class Sight:
    """The levels that somebody may see, and hearings that they may not see whatever the store says of them."""

    levels: frozenset[str]
    hidden: frozenset[str] = frozenset()

    @classmethod
    def everything(cls) -> Sight:
        """For what the center asks for itself."""
        return cls(frozenset({PUBLIC, NOT_PUBLIC, "withdrawn"}))

    def of_hearings(self) -> ColumnElement[bool]:
        """Whether a row of `hearings` may be taken."""
        h = t.hearings.c
        said = select(t.levels.c.level).where(t.levels.c.hearing == h.id).scalar_subquery()
        level = func.coalesce(said, case((h.public.is_(True), PUBLIC), else_=NOT_PUBLIC))
        allowed = level.in_(sorted(self.levels))
        if NOT_PUBLIC in self.levels or not self.hidden:
            return allowed
        return and_(allowed, h.id.not_in(sorted(self.hidden)))
