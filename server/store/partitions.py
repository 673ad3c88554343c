"""The months of `events` on PostgreSQL: a table for each month in which the center stored them, made ahead.

Promises: an event is never refused for want of its month. What has none goes into `events_other`, and is moved when the
month is made. Months are those of the center's own clock (`stored_utc_ns`), in UTC: what a room says of its time makes
no table. The numbers of a room are unique over all months by the table `event_numbers`, which stays whole when an old
month is taken to another disk.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator

from sqlalchemy import BigInteger, Column, Connection, MetaData, String, Table, text

from sync.runtime.units import NS_PER_S

AHEAD = 2
"""Months that are made before they begin."""
MOST = 240
"""Months that are made in all; a clock that was wrong for years makes no more."""
LOCK_MS = 3000
"""Whoever reads all months for longer than that goes first: the month is made another time."""
OTHER = "events_other"
_LOCK = 0x7775746F6E67
_NAME = re.compile(r"events_([0-9]{4})_([0-9]{2})")

of_postgres = MetaData()
"""What SQLite needs no table for."""
event_numbers = Table(
    "event_numbers",
    of_postgres,
    Column("room", String(64), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("sha256", String(64), nullable=False),
)
"""Which numbers of a room are taken, and by what: no key of a partitioned table can say so over all months."""

Month = tuple[int, int]
"""Year and month."""


def month_of(utc_ns: int) -> Month:
    """The month of a moment; those beyond the calendar are its ends."""
    try:
        at = dt.datetime.fromtimestamp(utc_ns // NS_PER_S, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return (1970, 1) if utc_ns < 0 else (2262, 1)
    return at.year, at.month


def keep_months(connection: Connection, utc_ns: int) -> list[str]:
    """Make the month of now, those ahead, and those of which events lie in `events_other`; the names of the new."""
    wanted = list(_ahead(month_of(utc_ns)))
    stray = connection.execute(text(f"SELECT min(stored_utc_ns), max(stored_utc_ns) FROM {OTHER}")).one()  # noqa: S608 (constant)
    if stray[0] is not None:
        wanted += _occurring(connection)
    return make_months(connection, wanted)


def make_months(connection: Connection, wanted: Iterable[Month]) -> list[str]:
    """Make these months unless they are there; the names of the new. In the transaction of the caller."""
    missing = sorted(set(wanted) - made_months(connection))
    if not missing:
        return []
    # One at a time, whoever else has the same thought; nobody waits long behind a lock that this waits for.
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    connection.execute(text("SELECT set_config('lock_timeout', :most, true)"), {"most": f"{LOCK_MS}ms"})
    made = made_months(connection)
    names: list[str] = []
    for month in missing:
        if month not in made and len(made) + len(names) < MOST:
            names.append(_make(connection, month))
    return names


def made_months(connection: Connection) -> set[Month]:
    """The months that have a table."""
    rows = connection.execute(
        text(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = 'events'::regclass"
        )
    ).scalars()
    found = [_NAME.fullmatch(str(name)) for name in rows]
    return {(int(one[1]), int(one[2])) for one in found if one is not None}


def _ahead(month: Month) -> Iterator[Month]:
    for _ in range(AHEAD + 1):
        yield month
        month = _next(month)


def _occurring(connection: Connection) -> list[Month]:
    """The months of what lies in `events_other`, one look for each."""
    months: list[Month] = []
    after = -(2**63)
    while len(months) < MOST:
        query = text(f"SELECT min(stored_utc_ns) FROM {OTHER} WHERE stored_utc_ns >= :after")  # noqa: S608 (constant)
        first = connection.execute(query, {"after": after}).scalar()
        if first is None:
            break
        months.append(month_of(int(first)))
        after = _bounds(months[-1])[1]
        if first >= after:  # beyond the calendar
            break
    return months


def _make(connection: Connection, month: Month) -> str:
    name = f"events_{month[0]:04}_{month[1]:02}"
    begin, end = _bounds(month)
    inside = f"stored_utc_ns >= {begin} AND stored_utc_ns < {end}"
    for statement in (
        f"LOCK TABLE {OTHER} IN ACCESS EXCLUSIVE MODE",
        f"CREATE TABLE {name} (LIKE events INCLUDING DEFAULTS)",
        f"WITH moved AS (DELETE FROM {OTHER} WHERE {inside} RETURNING *) INSERT INTO {name} SELECT * FROM moved",  # noqa: S608 (numbers)
        f"ALTER TABLE events ATTACH PARTITION {name} FOR VALUES FROM ({begin}) TO ({end})",
    ):
        connection.execute(text(statement))
    return name


def _bounds(month: Month) -> tuple[int, int]:
    """[begin, end) of a month in UTC nanoseconds, as far as 64 bits go."""
    return max(_begin(month), -(2**63)), min(_begin(_next(month)), 2**63 - 1)


def _begin(month: Month) -> int:
    return int(dt.datetime(*month, 1, tzinfo=dt.UTC).timestamp()) * NS_PER_S


def _next(month: Month) -> Month:
    year, number = month
    return (year + 1, 1) if number == 12 else (year, number + 1)
