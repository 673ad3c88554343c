"""Where words are found: conditions on `utterances` for each term of a search, by what this database has of an index.

The same lines are found with and without an index, on SQLite and PostgreSQL: those whose folded text contains the term.
SQLite's index knows runs of three characters, so what is shorter is compared line by line. PostgreSQL's knows each
character and each pair of neighbors as a number (`utterances.grams`, made by the database itself), so a name of two
characters is found at once: a term is looked for by its pairs, and compared where all of them are. Two pairs may have
one number, which costs a comparison and nothing else.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    and_,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from server.store import tables as t

TRIGRAM = 3
FREQUENT = 5_000
"""Lines of a term from which on it is quicker to look through the newest hearings than to sort all of them."""
_GRAMS: ARRAY[int] = ARRAY(Integer)
_SPREAD, _MOST = 1_000_003, 2**31 - 1
"""How two code points become one number, here and in `wutong_grams`."""


def grams_of(term: str) -> list[int]:
    """What a line must have of a term: its only character, or its pairs of neighbors, numbered as by `wutong_grams`."""
    codes = [ord(one) for one in term]
    if len(codes) == 1:
        return codes
    return sorted({(first * _SPREAD + second) & _MOST for first, second in itertools.pairwise(codes)})


def containing(connection: Connection, terms: Sequence[str], *, indexed: bool = True) -> ColumnElement[bool]:
    """Whether a row of `utterances` contains each of these folded terms, none of them empty."""
    if not indexed:
        return _compared(terms)
    if connection.dialect.name == "postgresql":
        return _by_pairs(connection, terms)
    long = [term for term in terms if len(term) >= TRIGRAM]
    if not long:
        return _compared(terms)
    match = " ".join('"' + term.replace('"', '""') + '"' for term in long)
    found = text("SELECT rowid FROM utterance_folded WHERE utterance_folded MATCH :match").bindparams(match=match)
    rows = found.columns(column("rowid", Integer)).scalar_subquery()
    return and_(t.utterances.c.row.in_(rows), _compared([term for term in terms if len(term) < TRIGRAM]))


def having_pairs(terms: Sequence[str]) -> ColumnElement[bool]:
    """On PostgreSQL: whether a row of `utterances` may contain all of the terms."""
    wanted = sorted({gram for term in terms for gram in grams_of(term)})
    # Written into the statement, so that each search is planned by how frequent its own characters are.
    said = bindparam("grams", wanted, _GRAMS, unique=True, literal_execute=True)
    return literal_column("utterances.grams", _GRAMS).contains(cast(said, _GRAMS))


def _by_pairs(connection: Connection, terms: Sequence[str]) -> ColumnElement[bool]:
    """Few lines are found by the index, once, before anything is joined to them: asked for in one statement, PostgreSQL
    may look into the index for each hearing anew. Of many, the newest hearings have enough."""
    row = t.utterances.c.row
    some = select(row).where(having_pairs(terms)).limit(FREQUENT).subquery()
    if connection.execute(select(func.count()).select_from(some)).scalar_one() == FREQUENT:
        return _compared(terms)
    found = select(row).where(having_pairs(terms), _compared(terms)).cte("found_lines").prefix_with("MATERIALIZED")
    return row.in_(select(found.c.row))


def _compared(terms: Sequence[str]) -> ColumnElement[bool]:
    return and_(true(), *(t.utterances.c.folded.contains(one, autoescape=True) for one in terms))
