"""How all rooms are, for who runs their machines: what is wrong first, and nothing of what is heard in them.

A room is judged by what it said last. Of alarms that name a case only their kind is told: whoever manages machines sees
no hearing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from sqlalchemy import Connection, func, select
from typing_extensions import TypedDict

from server.fleet.room_list import RoomFilter, facts_of, has_device, in_ms, narrowed
from server.rooms import KnownRoom
from server.status.said_status import RoomFacts
from server.store import tables as t

FleetState = Literal["alarm", "warning", "offline", "planned", "ok"]
WORST_FIRST: Final[Sequence[FleetState]] = ("alarm", "warning", "offline", "planned", "ok")
DISK_LOW = 0.1
"""Of a disk that is free: less is a warning."""
CERTIFICATE_MS = 30 * 86_400_000
"""Before its end a certificate is a warning: rooms renew them long before."""
CLOCK_MS = 100.0
_NAMES_A_CASE = frozenset({"not-recorded"})
_MOST_ALARMS = 16


class FleetSelfTest(TypedDict):
    """The last self-test."""

    utc_ms: float
    passed: bool


class FleetAlarm(TypedDict):
    """Something that is wrong at a room."""

    code: str
    subject: str
    text: str


class FleetRow(TypedDict):
    """A room and its machine; null is not known."""

    address: str
    court: str
    room: str
    court_name: str
    room_name: str
    state: FleetState
    online: bool
    seen_utc_ms: float | None
    version: str
    disk_free_bytes: int | None
    disk_bytes: int | None
    clock_error_ms: float | None
    clock_synced: bool | None
    certificate_until_utc_ms: float | None
    last_hearing_utc_ms: float | None
    selftest: FleetSelfTest | None
    pending_events: int | None
    pending_bytes: int | None
    alarms: list[FleetAlarm]


class FleetCounts(TypedDict):
    """How many rooms are how, of all that match but for the state that was asked for."""

    ok: int
    warning: int
    alarm: int
    offline: int
    planned: int


class Fleet(TypedDict):
    """A page of it."""

    total: int
    counts: FleetCounts
    rows: list[FleetRow]


def fleet_rows(connection: Connection, wanted: RoomFilter) -> list[Any]:
    """The rooms that are not retired, with the end of their certificates and their last hearings."""
    e, c, h = t.room_entries.c, t.device_certificates.c, t.hearings.c
    until = select(func.max(c.expires_utc_ns)).where(c.room == e.address, c.revoked_utc_ns.is_(None))
    last = select(func.max(h.opened_utc_ns)).where(h.room == e.address)
    query = select(
        *(e[name] for name in ("address", "court", "room", "court_name", "room_name", "facts", "seen_utc_ns")),
        has_device().label("has_device"),
        until.scalar_subquery().label("until"),
        last.scalar_subquery().label("last"),
    ).where(e.retired_utc_ns.is_(None))
    return list(connection.execute(narrowed(query, wanted)))


def fleet_page(
    rows: Sequence[Any],
    known: Mapping[str, KnownRoom],
    now_utc_ms: float,
    *,
    state: str,
    sort: str,
    offset: int,
    most: int,
) -> Fleet:
    """A page of these rooms, sorted by `sort`, "-" before it for descending."""
    found = [fleet_row(row, known.get(row.address), now_utc_ms) for row in rows]
    counts: FleetCounts = {"ok": 0, "warning": 0, "alarm": 0, "offline": 0, "planned": 0}
    for one in found:
        counts[one["state"]] += 1
    found = [one for one in found if state in ("", one["state"])]
    name = sort.removeprefix("-")
    found.sort(key=lambda one: one["address"])
    found.sort(key=_SORTS[name], reverse=sort.startswith("-"))
    return {"total": len(found), "counts": counts, "rows": found[offset : offset + most]}


def fleet_row(row: Any, known: KnownRoom | None, now_utc_ms: float) -> FleetRow:
    """One room."""
    facts = facts_of(row, known) or RoomFacts()
    online = known is not None and known.online
    until = in_ms(row.until)
    alarms = _alarms(known)
    seen = row.seen_utc_ns if known is None or known.seen_utc_ns is None else known.seen_utc_ns
    return {
        "address": row.address,
        "court": row.court,
        "room": row.room,
        "court_name": row.court_name or (known.court_name if known is not None else ""),
        "room_name": row.room_name or (known.room_name if known is not None else ""),
        "state": _state(bool(row.has_device) or online, online, alarms, facts, until, now_utc_ms),
        "online": online,
        "seen_utc_ms": in_ms(seen),
        "version": facts.version,
        "disk_free_bytes": facts.disk_free_bytes,
        "disk_bytes": facts.disk_bytes,
        "clock_error_ms": facts.clock_error_ms,
        "clock_synced": facts.clock_synced,
        "certificate_until_utc_ms": until if until is not None else facts.certificate_until_utc_ms,
        "last_hearing_utc_ms": in_ms(row.last),
        "selftest": None
        if facts.selftest is None
        else {"utc_ms": facts.selftest.utc_ms, "passed": facts.selftest.passed},
        "pending_events": facts.pending_events,
        "pending_bytes": facts.pending_bytes,
        "alarms": alarms,
    }


def _state(
    is_there: bool, online: bool, alarms: Sequence[FleetAlarm], facts: RoomFacts, until: float | None, now_ms: float
) -> FleetState:
    if not is_there:
        return "planned"
    if alarms:
        return "alarm"
    if not online:
        return "offline"
    free, whole = facts.disk_free_bytes, facts.disk_bytes
    bad = (
        (free is not None and whole and free < DISK_LOW * whole)
        or facts.clock_synced is False
        or (facts.clock_error_ms is not None and abs(facts.clock_error_ms) > CLOCK_MS)
        or (until is not None and until - now_ms < CERTIFICATE_MS)
        or (facts.selftest is not None and not facts.selftest.passed)
    )
    return "warning" if bad else "ok"


def _alarms(known: KnownRoom | None) -> list[FleetAlarm]:
    """What is wrong; of a room that nobody hears only what the center has noticed itself."""
    if known is None:
        return []
    found: list[FleetAlarm] = [
        {"code": code, "subject": "", "text": "" if code in _NAMES_A_CASE else words}
        for code, words in {**known.alarms_elsewhere, **known.alarms}.items()
    ]
    said = [] if known.status is None or not known.online else list(known.status.alarms)
    recorder = None if known.status is None or not known.online else known.status.recorder
    told = recorder.get("alarms") if recorder is not None else None
    said += [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    found += [
        {"code": _text(one, "code"), "subject": _text(one, "subject"), "text": _text(one, "text")} for one in said
    ]
    return found[:_MOST_ALARMS]


def _text(alarm: Mapping[str, Any], name: str) -> str:
    value = alarm.get(name)
    return value[:300] if isinstance(value, str) else ""


def _number(value: float | None) -> tuple[bool, float]:
    return (value is None, value or 0.0)


_SORTS: Final = {
    "worst": lambda one: WORST_FIRST.index(one["state"]),
    "name": lambda one: (one["court_name"], one["room_name"]),
    "address": lambda one: one["address"],
    "seen": lambda one: _number(one["seen_utc_ms"]),
    "version": lambda one: one["version"],
    "disk": lambda one: _number(one["disk_free_bytes"]),
    "certificate": lambda one: _number(one["certificate_until_utc_ms"]),
    "hearing": lambda one: _number(one["last_hearing_utc_ms"]),
}
SORTS: Final = frozenset(_SORTS)
