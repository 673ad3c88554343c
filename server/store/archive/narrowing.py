"""Which few hearings or lines a question is about at most, found by an index before anything is sorted.

A question is narrow when an index of words, or one of levels, names fewer than `FREQUENT` rows for it: these are taken
and sorted. For anything else the newest hearings have enough, and are looked through (`server.store.archive.pieces`).
What an index names is only where to look: each condition is compared as well, so that both ways find the same.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Text,
    any_,
    bindparam,
    false,
    func,
    select,
)
from sqlalchemy.types import TypeEngine

from server.store import tables as t
from server.store.archive.filters import HearingFilter
from server.store.folded import folded_filter
from server.store.rights.sight import NOT_PUBLIC, PUBLIC, Sight
from server.store.words import word_index
from server.store.words.word_index import cases_named, in_case, lines_named


def few_hearings(
    connection: Connection, wanted: HearingFilter, sight: Sight, *, indexed: bool
) -> ColumnElement[bool] | None:
    """A condition on `hearings` that holds of few, all that are wanted among them; None where many may be."""
    if sight.sits is not None:
        return t.hearings.c.id.in_(sight.sat_in())
    keys = folded_filter(wanted.case) if wanted.case else []
    if wanted.case and indexed:
        named = cases_named(connection, keys) if keys else []
        if named is not None:
            return _among(connection, t.hearings.c.id, named, Text())
    if wanted.level and wanted.level != PUBLIC:
        named = _of_level(connection, wanted.level, sight)
        if named is not None:
            return _among(connection, t.hearings.c.id, named, Text())
    return None


def few_lines(connection: Connection, terms: Sequence[str], *, indexed: bool) -> ColumnElement[bool] | None:
    """A condition on `utterances` that holds of few, all that contain these folded terms among them; else None."""
    named = lines_named(connection, terms) if indexed else None
    return None if named is None else _among(connection, t.utterances.c.row, named, BigInteger())


def compared(wanted: HearingFilter, sight: Sight) -> list[ColumnElement[bool]]:
    """Conditions on `hearings` that are looked at row by row. Who looks for a case learns nothing of those that they
    may not see."""
    conditions = sight.compared()
    if wanted.case:
        keys = folded_filter(wanted.case)
        conditions += [in_case(keys) if keys else false(), sight.of_hearings()]
    if wanted.level:
        conditions.append(sight.of_level(wanted.level))
    return conditions


def _of_level(connection: Connection, level: str, sight: Sight) -> list[str] | None:
    """The hearings that may have a level other than the open one; None where they are many."""
    h, levels = t.hearings.c, t.levels.c
    queries: list[Select[Any]] = [select(levels.hearing).where(levels.level == level)]
    named: dict[str, None] = {}
    if level == NOT_PUBLIC:
        named |= dict.fromkeys(sorted(sight.hidden))
        queries.append(select(h.id).where(h.public == false()))
    for query in queries:
        named |= dict.fromkeys(connection.execute(query.limit(word_index.FREQUENT)).scalars())
        if len(named) >= word_index.FREQUENT:
            return None
    return list(named)


def _among(
    connection: Connection, column: ColumnElement[Any], named: Sequence[object], kind: TypeEngine[Any]
) -> ColumnElement[bool]:
    """Whether a column has one of these values, as one parameter however many they are."""
    if connection.dialect.name == "postgresql":
        return column == any_(bindparam("named", list(named), ARRAY(kind), unique=True))
    return column.in_(select(func.json_each(json.dumps(list(named))).table_valued("value").c.value))
