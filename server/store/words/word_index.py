"""Where words are found: of lines (`utterances`) and of cases (`hearings`), by what this database has of an index.

The same is found with and without an index, on SQLite and PostgreSQL: rows whose folded text contains each term.
SQLite's index knows runs of three characters, so what is shorter is compared row by row. PostgreSQL's knows each
character and each pair of neighbors as a number (`grams`, made by the database itself), so a name of two characters is
found at once: a term is looked for by its pairs, and compared where all of them are. Two pairs may have one number,
which costs a comparison and nothing else.

An index is asked for fewer than `FREQUENT` rows. What is more frequent is found soonest in the newest hearings, one
after the other (`server.store.archive.pieces`), and nobody has to sort it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    and_,
    bindparam,
    cast,
    literal_column,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from server.store import tables as t

TRIGRAM = 3
FREQUENT = 5_000
"""Rows from which on it is quicker to look through the newest hearings than to sort all of them."""
SURELY = 20
"""So many times `FREQUENT` rows are believed without a look: the planner knows the frequent numbers well, the others
badly."""
LINES, CASES = "utterances.grams", "hearings.grams"
_GRAMS: ARRAY[int] = ARRAY(Integer)
_SPREAD, _MOST = 1_000_003, 2**31 - 1
"""How two code points become one number, here and in `wutong_grams`."""


def grams_of(term: str) -> list[int]:
    """What a text must have of a term: its only character, or its pairs of neighbors, numbered as by `wutong_grams`."""
    codes = [ord(one) for one in term]
    if len(codes) == 1:
        return codes
    return sorted({(first * _SPREAD + second) & _MOST for first, second in itertools.pairwise(codes)})


def having_pairs(terms: Sequence[str], column: str = LINES) -> ColumnElement[bool]:
    """On PostgreSQL: whether a row may contain all of the terms."""
    wanted = sorted({gram for term in terms for gram in grams_of(term)})
    # Written into the statement, so that each search is planned by how frequent its own characters are.
    said = bindparam("grams", wanted, _GRAMS, unique=True, literal_execute=True)
    return literal_column(column, _GRAMS).contains(cast(said, _GRAMS))


def in_line(terms: Sequence[str]) -> ColumnElement[bool]:
    """Whether a row of `utterances` contains each of these folded terms."""
    return and_(true(), *(t.utterances.c.folded.contains(one, autoescape=True) for one in terms))


def in_case(keys: Sequence[str]) -> ColumnElement[bool]:
    """Whether a row of `hearings` contains one of these folded keys, of which there is at least one."""
    return or_(*(t.hearings.c.folded.contains(one, autoescape=True) for one in keys))


def lines_named(connection: Connection, terms: Sequence[str]) -> list[int] | None:
    """The rows of all lines that contain each of these folded terms; None where they are frequent, or no index knows.

    Of SQLite's index some may be among them that do not: its short terms are not in it."""
    row = t.utterances.c.row
    if connection.dialect.name == "postgresql":
        return _few(connection, select(row), having_pairs(terms), in_line(terms))
    return _matched(connection, "SELECT rowid FROM utterance_folded WHERE utterance_folded MATCH", [terms])


def cases_named(connection: Connection, keys: Sequence[str]) -> list[str] | None:
    """The hearings whose case contains one of these folded keys; None where they are frequent, or no index knows."""
    if connection.dialect.name == "postgresql":
        pairs = or_(*(having_pairs([key], CASES) for key in keys))
        return _few(connection, select(t.hearings.c.id), pairs, in_case(keys))
    return _matched(
        connection, "SELECT hearing FROM hearing_folded WHERE hearing_folded MATCH", [[key] for key in keys]
    )


def _few(
    connection: Connection, rows: Select[Any], pairs: ColumnElement[bool], compared: ColumnElement[bool]
) -> list[Any] | None:
    if _expected(connection, rows.where(pairs)) >= SURELY * FREQUENT:
        return None
    # Taken out by itself: joined in one statement, PostgreSQL may look into the index for each hearing anew.
    found = list(connection.execute(rows.where(pairs, compared).limit(FREQUENT)).scalars())
    return found if len(found) < FREQUENT else None


def _expected(connection: Connection, query: Select[Any]) -> float:
    """How many rows the planner expects; there is nothing in the query but numbers of ours."""
    said = query.compile(connection, compile_kwargs={"literal_binds": True, "render_postcompile": True})
    plan = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {said}").scalar_one()
    return float(plan[0]["Plan"]["Plan Rows"])


def _matched(connection: Connection, query: str, alternatives: Sequence[Sequence[str]]) -> list[Any] | None:
    """By SQLite's index: what has each long term of one of the alternatives."""
    found: dict[Any, None] = {}
    for terms in alternatives:
        long = [term for term in terms if len(term) >= TRIGRAM]
        if not long:
            return None
        match = " ".join('"' + term.replace('"', '""') + '"' for term in long)
        rows = connection.execute(text(f"{query} :match LIMIT {FREQUENT}"), {"match": match}).scalars()
        found |= dict.fromkeys(rows)
        if len(found) >= FREQUENT:
            return None
    return list(found)
