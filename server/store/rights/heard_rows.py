"""How far processes of a center have heard hearings that run: one asks in the database, and each answers there.

Only PostgreSQL has it (`is_shared`). What is kept is how far room time is ahead of UTC by the database's clock: it is
the same for all of a hearing for as long as one clock says it, so the largest one is the furthest at any moment.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import BigInteger, Boolean, Column, Connection, String, Table, and_, delete, exists, func, or_, select

from server.store.database import inserting
from server.store.rights.rights_rows import of_rights, raise_version, rights_followers

FURTHEST = "furthest"
"""Kind of a change: somebody asks how far a hearing is."""
NEVER_HEARD = -(2**63)
MOST_WAITING = 100
KEPT_QUESTIONS = 100_000
"""Versions of rights: what was asked and answered before is forgotten."""
_EVERYBODY = ""
"""In the place of a process: what was asked last, and how far processes have heard it that are gone."""

heard_furthest = Table(
    "heard_furthest",
    of_rights,
    Column("hearing", String(96), primary_key=True),
    Column("process", String(32), primary_key=True),
    Column("room", String(64), nullable=False),
    Column("asked", BigInteger, nullable=False),
    Column("ahead_ns", BigInteger, nullable=False),
    Column("hears", Boolean, nullable=False),
)
"""Of each hearing and process: what it was asked last (a version of rights), and what it said."""


@dataclass(frozen=True, slots=True)
class FurthestAsked:
    """A question, as the database has it."""

    hearing: str
    room: str
    asked: int
    """The version of rights that it made."""


@dataclass(frozen=True, slots=True)
class FurthestHeard:
    """What one process has heard of a hearing."""

    hearing: str
    room: str
    asked: int
    """The question that it answers; 0 for none."""
    ahead_ns: int
    """The latest room time that was said, less UTC then."""
    hears: bool
    """Whether the room is there now."""


@dataclass(frozen=True, slots=True)
class FurthestSaid:
    """What has been answered so far."""

    waiting: bool
    """Whether a process that may show something has not answered yet."""
    ahead_ns: int
    hears: bool
    """Whether anybody hears the room."""


def ask(connection: Connection, hearing: str, room: str) -> int:
    """Ask all processes; the version of rights that does. What processes that are gone have said is kept."""
    version = raise_version(connection, [(FURTHEST, hearing)])
    h, f = heard_furthest.c, rights_followers.c
    gone = h.process.not_in(select(f.process)), h.hearing == hearing
    ahead_ns = connection.execute(select(func.max(h.ahead_ns)).where(*gone)).scalar()
    old = (h.asked > 0) & (h.asked < version - KEPT_QUESTIONS)
    connection.execute(delete(heard_furthest).where(or_(and_(*gone), old)))
    known_ns = NEVER_HEARD if ahead_ns is None else int(ahead_ns)
    keep_heard(connection, _EVERYBODY, [FurthestHeard(hearing, room, version, known_ns, hears=False)])
    return version


def asked(connection: Connection, hearings: Collection[str] | None) -> list[FurthestAsked]:
    """The last question of each of these hearings; None: the newest of all, among which are those that wait."""
    h = heard_furthest.c
    query = select(h.hearing, h.room, h.asked).where(h.process == _EVERYBODY)
    if hearings is None:
        query = query.order_by(h.asked.desc()).limit(MOST_WAITING)
    else:
        query = query.where(h.hearing.in_(hearings))
    return [FurthestAsked(row.hearing, row.room, row.asked) for row in connection.execute(query)]


def keep_heard(connection: Connection, process: str, heard: Collection[FurthestHeard]) -> None:
    """Write down what a process has heard; nothing that it said before is made less by it."""
    insert = inserting(connection.dialect.name, heard_furthest)
    new, old = insert.excluded, heard_furthest.c
    kept = {
        "room": new.room,
        "asked": func.greatest(old.asked, new.asked),
        "ahead_ns": func.greatest(old.ahead_ns, new.ahead_ns),
        "hears": new.hears,
    }
    statement = insert.on_conflict_do_update(index_elements=["hearing", "process"], set_=kept)
    rows = [
        {
            "hearing": one.hearing,
            "process": process,
            "room": one.room,
            "asked": one.asked,
            "ahead_ns": one.ahead_ns,
            "hears": one.hears,
        }
        for one in sorted(heard, key=lambda one: one.hearing)
    ]
    if rows:
        connection.execute(statement, rows)


def said(connection: Connection, hearing: str, version: int) -> FurthestSaid:
    """What has been answered of a question."""
    h, f = heard_furthest.c, rights_followers.c
    answered = exists().where(h.hearing == hearing, h.process == f.process, h.asked >= version)
    waiting = connection.execute(select(f.process).where(~answered).limit(1)).first() is not None
    of_it = h.hearing == hearing
    ahead_ns = connection.execute(select(func.max(h.ahead_ns)).where(of_it)).scalar()
    heard = select(h.process).where(of_it, h.hears, h.asked >= version).limit(1)
    hears = connection.execute(heard).first() is not None
    return FurthestSaid(waiting, NEVER_HEARD if ahead_ns is None else int(ahead_ns), hears)
