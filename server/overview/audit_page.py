"""Pages of the audit log for auditors, newest first, each line with the name of whose it is.

An auditor reads what people of their courts did, and what is not a person's (strangers, devices, codes of roles) only
where their post reaches every court. Work is bounded: what no index answers is looked for in the newest rows of the
time that was asked for (`MOST_LOOKED_AT`), and the page says back to when that is. More than `MOST_COUNTED` lines are
not counted.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select
from typing_extensions import TypedDict

from server.overview.audit_span import span_of
from server.store import tables as t
from server.store.archive.filters import DAY_NS, day_utc_ns
from sync.runtime.units import NS_PER_MS
from sync.text.equal import fold

MOST_A_PAGE = 200
MOST_COUNTED = 10_000
MOST_LOOKED_AT = 100_000
_MOST_NAMED = 200
"""Persons whose name has the words that are looked for."""


class AuditLine(TypedDict):
    """A line of the audit log."""

    row: int
    utc_ms: float
    what: str
    role: str
    address: str
    detail: str
    granted: bool
    person: str
    """Who it was; empty for strangers, devices and who came by the code of a role."""
    name: str
    login: str


class AuditListed(TypedDict):
    """A page of the audit log."""

    total: int
    at_least: bool
    """Whether there are more than `total`."""
    looked_to_utc_ms: float | None
    """Not everything that is older was looked through: back to this moment it was."""
    rows: list[AuditLine]


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which lines; empty fields do not filter. Days (YYYY-MM-DD) are the server's, both inclusive. `courts` None: what
    belongs to no person as well."""

    courts: Collection[str] | None
    words: str = ""
    what: str = ""
    role: str = ""
    person: str = ""
    granted: bool | None = None
    from_day: str = ""
    to_day: str = ""


def audit_page(
    connection: Connection, wanted: AuditFilter, offset: int, most: int, *, oldest_first: bool
) -> AuditListed:
    """One page; `WutongError` "invalid" of a day that is none."""
    a, p = t.audit.c, t.persons.c
    from_ns = day_utc_ns(wanted.from_day) if wanted.from_day else None
    to_ns = day_utc_ns(wanted.to_day) + DAY_NS if wanted.to_day else None
    first, end = span_of(connection, from_ns, to_ns)
    looked_to = None
    if not wanted.person and end - first > MOST_LOOKED_AT and _looks_row_by_row(wanted):
        first = end - MOST_LOOKED_AT
        looked_to = connection.execute(select(a.utc_ns).where(a.row >= first).order_by(a.row).limit(1)).scalar()
    conditions = [a.row >= first, a.row < end, *_conditions(connection, wanted)]
    if from_ns is not None:
        conditions.append(a.utc_ns >= from_ns)
    if to_ns is not None:
        conditions.append(a.utc_ns < to_ns)
    some = select(a.row).where(*conditions).limit(MOST_COUNTED + 1)
    counted = int(connection.execute(select(func.count()).select_from(some.subquery())).scalar_one())
    order = a.row.asc() if oldest_first else a.row.desc()
    page = select(a.row).where(*conditions).order_by(order).offset(offset).limit(most).subquery()
    query = select(t.audit, p.name.label("person_name"), p.login).select_from(
        page.join(t.audit, a.row == page.c.row).outerjoin(t.persons, p.id == a.person)
    )
    rows = connection.execute(query.order_by(order)).all()
    return {
        "total": min(counted, MOST_COUNTED),
        "at_least": counted > MOST_COUNTED,
        "looked_to_utc_ms": None if looked_to is None else looked_to / NS_PER_MS,
        "rows": [_line(row) for row in rows],
    }


def _looks_row_by_row(wanted: AuditFilter) -> bool:
    narrowed = wanted.role or wanted.granted is not None or wanted.courts is not None
    return bool(wanted.words or wanted.what or narrowed)


def _conditions(connection: Connection, wanted: AuditFilter) -> list[ColumnElement[bool]]:
    a, p = t.audit.c, t.persons.c
    found: list[ColumnElement[bool]] = []
    if wanted.courts is not None:
        found.append(a.person.in_(select(p.id).where(p.court.in_(sorted(wanted.courts)))))
    if wanted.person:
        found.append(a.person == wanted.person)
    if wanted.what:
        found.append(a.what == wanted.what)
    if wanted.role:
        found.append(a.role == wanted.role)
    if wanted.granted is not None:
        found.append(a.granted.is_(wanted.granted))
    for word in wanted.words.split()[:8]:
        folded = fold(word)
        named = or_(p.folded.contains(folded, autoescape=True), p.login.contains(word.casefold(), autoescape=True))
        ids = [row.id for row in connection.execute(select(p.id).where(named).limit(_MOST_NAMED))]
        said = or_(a.detail.contains(word, autoescape=True), a.address == word)
        found.append(or_(and_(a.person != "", a.person.in_(ids)), said) if ids else said)
    return found


def _line(row: Any) -> AuditLine:
    return {
        "row": row.row,
        "utc_ms": row.utc_ns / NS_PER_MS,
        "what": row.what,
        "role": row.role,
        "address": row.address,
        "detail": row.detail,
        "granted": bool(row.granted),
        "person": row.person,
        "name": row.person_name or "",
        "login": row.login or "",
    }
