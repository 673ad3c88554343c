"""Counts by court and by day for administrators, who see no hearing: how many, never which.

People, rooms and sign-ins by the court to which they belong now; hearings by the court and the day at which they
opened; hearings that the docket named and nobody recorded by what the center said of them at the time (`not-recorded`,
without those that were recorded late). Sign-ins are counted in the newest lines of the audit log (`MOST_LINES`). Days
are the server's.
"""

from __future__ import annotations

import datetime
import json
from collections import Counter
from collections.abc import Collection, Iterable

from sqlalchemy import ColumnElement, Connection, Integer, func, literal_column, select
from typing_extensions import TypedDict

from server.overview.audit_span import span_of
from server.store import tables as t
from server.store.archive.filters import DAY_NS, court_part, day_utc_ns
from sync.errors import WutongError

MOST_DAYS = 366
MOST_LINES = 1_000_000


class DayCount(TypedDict):
    """Hearings of one day."""

    day: str
    recorded: int
    not_recorded: int


class CourtCount(TypedDict):
    """What a court has, and had in these days."""

    court: str
    court_name: str
    people: int
    sign_ins: int
    rooms: int
    recorded: int
    not_recorded: int


class CourtReport(TypedDict):
    """Counts of some days."""

    days: list[DayCount]
    courts: list[CourtCount]


def days_between(from_day: str, to_day: str) -> list[str]:
    """The days from one to the other, both inclusive; `WutongError` "invalid" for none or more than `MOST_DAYS`."""
    try:
        first, last = (datetime.date.fromisoformat(day) for day in (from_day, to_day))
    except ValueError as error:
        raise WutongError("请填写日期，例如 2026-11-22 (a day is written like 2026-11-22)", code="invalid") from error
    count = (last - first).days + 1
    if not 1 <= count <= MOST_DAYS:
        raise WutongError(
            f"请选择 1 至 {MOST_DAYS} 天，起始日期不晚于截止日期 (choose 1 to {MOST_DAYS} days, the first one first)",
            code="invalid",
        )
    return [(first + datetime.timedelta(days=number)).isoformat() for number in range(count)]


def court_report(connection: Connection, courts: Iterable[tuple[str, str]], days: list[str]) -> CourtReport:
    """Of these courts (slug, name), in their order."""
    names = dict(courts)
    begin_ns, end_ns = day_utc_ns(days[0]), day_utc_ns(days[-1]) + DAY_NS
    recorded = _opened(connection, names, begin_ns, end_ns)
    missing = _missed(connection, names, days, begin_ns)
    people, rooms = _people(connection), _rooms(connection)
    sign_ins = _sign_ins(connection, begin_ns, end_ns)
    by_day = Counter[str]()
    for (_, number), count in recorded.items():
        by_day[days[min(max(number, 0), len(days) - 1)]] += count
    by_court, missed_at, missed_on = Counter[str](), Counter[str](), Counter[str]()
    for (court, _), count in recorded.items():
        by_court[court] += count
    for court, day in missing:
        missed_at[court] += 1
        missed_on[day] += 1
    return {
        "days": [{"day": day, "recorded": by_day[day], "not_recorded": missed_on[day]} for day in days],
        "courts": [
            {
                "court": court,
                "court_name": name,
                "people": people[court],
                "sign_ins": sign_ins[court],
                "rooms": rooms[court],
                "recorded": by_court[court],
                "not_recorded": missed_at[court],
            }
            for court, name in names.items()
        ],
    }


def _opened(connection: Connection, names: Collection[str], begin_ns: int, end_ns: int) -> Counter[tuple[str, int]]:
    """Hearings by (court, number of the day)."""
    h = t.hearings.c
    court = court_part(connection.dialect.name)
    day: ColumnElement[int] = literal_column(f"(hearings.opened_utc_ns - {begin_ns}) / {DAY_NS}", Integer)
    query = select(court.label("court"), day.label("day"), func.count().label("counted"))
    query = query.where(h.opened_utc_ns >= begin_ns, h.opened_utc_ns < end_ns).group_by(court, day)
    found = Counter[tuple[str, int]]()
    for row in connection.execute(query):
        if row.court in names:
            found[row.court, int(row.day)] = row.counted
    return found


def _missed(connection: Connection, names: Collection[str], days: list[str], begin_ns: int) -> list[tuple[str, str]]:
    """(court, day) of each hearing that was planned on one of these days and not recorded."""
    a = t.audit.c
    first, _ = span_of(connection, begin_ns, None)
    said: set[str] = set()
    # In order here and not there: the database would read every line of the log in the order of its rows.
    query = select(a.row, a.what, a.detail).where(a.what.in_(("not-recorded", "recorded-late")), a.row >= first)
    for row in sorted(connection.execute(query), key=lambda one: int(one.row)):
        (said.add if row.what == "not-recorded" else said.discard)(row.detail)
    wanted, found = frozenset(days), []
    for detail in said:
        try:
            one = json.loads(detail)
            court, day = str(one["room"]).partition("/")[0], str(one["date"])
        except (ValueError, KeyError, TypeError):
            continue
        if court in names and day in wanted:
            found.append((court, day))
    return found


def _people(connection: Connection) -> Counter[str]:
    p = t.persons.c
    query = select(p.court, func.count().label("counted")).where(p.state != "left").group_by(p.court)
    return Counter({row.court: row.counted for row in connection.execute(query)})


def _rooms(connection: Connection) -> Counter[str]:
    """The courtrooms that a court has now, also those that have never spoken."""
    r = t.room_entries.c
    query = select(r.court, func.count().label("counted")).where(r.retired_utc_ns.is_(None)).group_by(r.court)
    return Counter({row.court: row.counted for row in connection.execute(query)})


def _sign_ins(connection: Connection, begin_ns: int, end_ns: int) -> Counter[str]:
    """By the court of whoever signed in."""
    a, p = t.audit.c, t.persons.c
    first, end = span_of(connection, begin_ns, end_ns)
    rows = (a.row >= max(first, end - MOST_LINES), a.row < end)
    which = (a.what == "sign-in", *rows, a.utc_ns >= begin_ns, a.utc_ns < end_ns, a.person != "")
    # Counted by person first: there are fewer of them than sign-ins to be looked up.
    each = select(a.person, func.count().label("often")).where(*which).group_by(a.person).subquery()
    joined = each.join(t.persons, p.id == each.c.person)
    counted = select(p.court, func.sum(each.c.often).label("counted")).select_from(joined).group_by(p.court)
    return Counter({row.court: int(row.counted) for row in connection.execute(counted)})
