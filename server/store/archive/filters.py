"""What people ask the archive for, and the conditions on hearings that an index answers.

Whatever has a filter is narrowed in the query. What an index answers stands here; what must be compared row by row, or
looked up by words, is in `server.store.archive.narrowing`.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from sqlalchemy import ColumnElement, String, literal_column

from server.store import tables as t
from server.store.rights.court_part import PARTS
from sync.errors import WutongError

DAY_NS = 86_400 * 1_000_000_000
_FIRST_DAY_NS, _LAST_DAY_NS = -(2**63), 2**63 - 1 - DAY_NS
"""The beginnings of days that a database can compare with."""


@dataclass(frozen=True, slots=True)
class HearingFilter:
    """Which hearings are listed; empty fields do not filter. Dates are days (YYYY-MM-DD) of the server's zone: `date`
    one day, `from_date` and `to_date` both inclusive. `level`: what the hearing is now."""

    court: str = ""
    room: str = ""
    case: str = ""
    date: str = ""
    state: str = ""
    from_date: str = ""
    to_date: str = ""
    level: str = ""


@dataclass(frozen=True, slots=True)
class WordFilter:
    """Which words are searched; the same as of hearings, and the role of who speaks."""

    role: str = ""
    case: str = ""
    court: str = ""
    from_date: str = ""
    to_date: str = ""
    room: str = ""
    level: str = ""

    @property
    def hearings(self) -> HearingFilter:
        """Those in which they may be."""
        return HearingFilter(
            self.court, self.room, self.case, from_date=self.from_date, to_date=self.to_date, level=self.level
        )


def indexed_conditions(wanted: HearingFilter, dialect: str) -> list[ColumnElement[bool]]:
    """Conditions on `hearings`, each of which an index in the order of the list answers."""
    h = t.hearings.c
    court_part, room_part = (literal_column(one, String) for one in PARTS[dialect])
    conditions: list[ColumnElement[bool]] = []
    if wanted.court:
        conditions.append(court_part == wanted.court.lower())
    if wanted.room:
        conditions.append(h.room == wanted.room if "/" in wanted.room else room_part == wanted.room.lower())
    if wanted.state:
        conditions.append(h.state == wanted.state)
    if wanted.date:
        start_ns = day_utc_ns(wanted.date)
        conditions += [h.opened_utc_ns >= start_ns, h.opened_utc_ns < start_ns + DAY_NS]
    if wanted.from_date:
        conditions.append(h.opened_utc_ns >= day_utc_ns(wanted.from_date))
    if wanted.to_date:
        conditions.append(h.opened_utc_ns < day_utc_ns(wanted.to_date) + DAY_NS)
    return conditions


def court_part(dialect: str) -> ColumnElement[str]:
    """The court of a hearing's room, as the index of a database has it."""
    return literal_column(PARTS[dialect][0], String)


def day_utc_ns(day: str) -> int:
    """UTC of the beginning of a day (YYYY-MM-DD) in the server's time zone; `WutongError` "invalid" of what is none."""
    try:
        midnight = datetime.datetime.fromisoformat(day).replace(hour=0, minute=0, second=0, microsecond=0)
        return max(_FIRST_DAY_NS, min(int(midnight.astimezone().timestamp()) * 1_000_000_000, _LAST_DAY_NS))
    except (ValueError, OverflowError, OSError) as error:
        raise WutongError(f"{day!r} is not a date like 2026-11-22", code="invalid") from error
