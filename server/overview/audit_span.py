"""Which rows of the audit log lie in a time, without reading those before it.

Rows are numbered as they are written, and what is written behind may be some seconds older than the row before it. So
the row at a moment is found by halving, and the rows around it, `AROUND` on each side, are compared by their times.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from server.store import tables as t

AROUND = 20_000
"""More rows than wait to be written at once (`server.access.audit.QUEUE`)."""


def row_at(connection: Connection, utc_ns: int) -> int:
    """The first row that is no older than this moment, by halving; one behind the last where all are older."""
    a = t.audit.c
    first, last = connection.execute(select(func.min(a.row), func.max(a.row))).one()
    if last is None:
        return 1
    low, high = int(first), int(last) + 1
    while low < high:
        middle = (low + high) // 2
        found = connection.execute(select(a.row, a.utc_ns).where(a.row >= middle).order_by(a.row).limit(1)).one()
        if found.utc_ns < utc_ns:
            low = found.row + 1
        else:
            high = middle
    return low


def span_of(connection: Connection, from_utc_ns: int | None, to_utc_ns: int | None) -> tuple[int, int]:
    """Rows [first, behind the last] outside of which nothing lies in [from, to); None: from the first, to the last."""
    last = connection.execute(select(func.max(t.audit.c.row))).scalar()
    first = 0 if from_utc_ns is None else max(0, row_at(connection, from_utc_ns) - AROUND)
    end = (0 if last is None else int(last)) + 1
    if to_utc_ns is not None:
        end = min(end, row_at(connection, to_utc_ns) + AROUND)
    return first, end
