"""The court of a hearing's room, as a condition of a query: the first part of its address, in each database's words.

These words are those of the indexes (migration 0016): a condition in others would look at every row.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, String
from sqlalchemy.ext.compiler import compiles

PARTS = {
    "postgresql": ("split_part(hearings.room, '/', 1)", "split_part(hearings.room, '/', 2)"),
    "sqlite": (
        "substr(hearings.room, 1, instr(hearings.room, '/') - 1)",
        "substr(hearings.room, instr(hearings.room, '/') + 1)",
    ),
}
"""Court and room of an address, in the words of each database."""


class CourtPart(ColumnElement[str]):
    """The slug of the court of a row of `hearings`."""

    inherit_cache = True
    type = String()


@compiles(CourtPart)
def _written(_element: CourtPart, compiler: Any, **_: Any) -> str:
    return PARTS[compiler.dialect.name][0]
