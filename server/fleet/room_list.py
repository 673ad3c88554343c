"""Rooms and machines as an administrator's lists have them, each by one query however many there are.

What belongs to courts outside an administrator's reach is not in the query. How a room's machine is, is what the room
said last: as this process has heard it or, where it hears nothing of the room, as its owner has kept it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Connection, Select, case, exists, func, select
from typing_extensions import TypedDict

from server.rooms import KnownRoom
from server.status.said_status import RoomFacts
from server.store import tables as t
from server.store.room_entries import WAITS, folded_names
from sync.runtime.units import NS_PER_MS

MOST_A_PAGE = 200
RoomState = Literal["planned", "enrolled", "retired"]


class HeldByMachine(TypedDict):
    """What the machine of a room still holds for the center; null is not known."""

    pending_events: int | None
    pending_bytes: int | None


class RoomListed(TypedDict):
    """A room in a list."""

    address: str
    court: str
    room: str
    court_name: str
    room_name: str
    state: RoomState
    online: bool
    by: str
    """Who added it; "configuration" for center.toml."""
    made_utc_ms: float
    retired_utc_ms: float | None
    has_device: bool
    moving: str
    """"waits", "ready" or "forced" while its machine is replaced, else empty."""
    code_until_utc_ms: float | None
    leaving: HeldByMachine | None
    """While its machine is waited for: what that still holds."""


class RoomsListed(TypedDict):
    """A page of rooms."""

    total: int
    rows: list[RoomListed]


class DeviceListed(TypedDict):
    """A machine that was enrolled, now or once."""

    id: int
    address: str
    court_name: str
    room_name: str
    fingerprint: str
    made_utc_ms: float
    until_utc_ms: float | None
    revoked_utc_ms: float | None
    current: bool


class DevicesListed(TypedDict):
    """A page of machines."""

    total: int
    rows: list[DeviceListed]


@dataclass(frozen=True, slots=True)
class RoomFilter:
    """Which rooms; empty fields do not filter. `courts` None: of all courts."""

    courts: Collection[str] | None
    words: str = ""
    court: str = ""
    state: str = ""
    address: str = ""


def has_device() -> ColumnElement[bool]:
    """Whether a machine is enrolled as the room of a row."""
    d = t.devices.c
    return exists().where(d.room == t.room_entries.c.address, d.revoked_utc_ns.is_(None))


def _state() -> ColumnElement[Any]:
    e = t.room_entries.c
    return case((e.retired_utc_ns.is_not(None), "retired"), (has_device(), "enrolled"), else_="planned")


def narrowed(query: Select[Any], wanted: RoomFilter) -> Select[Any]:
    """With the conditions of a filter on `room_entries`."""
    e = t.room_entries.c
    if wanted.address:
        query = query.where(e.address == wanted.address)
    if wanted.courts is not None:
        query = query.where(e.court.in_(sorted(wanted.courts)))
    if wanted.words:
        words = folded_names("", wanted.words, "").strip("\n")
        query = query.where(e.folded.contains(words, autoescape=True))
    if wanted.court:
        query = query.where(e.court == wanted.court)
    if wanted.state:
        query = query.where(_state() == wanted.state)
    return query


def rooms_page(
    connection: Connection, wanted: RoomFilter, sort: str, offset: int, most: int, now_utc_ns: int
) -> tuple[int, list[Any]]:
    """(how many there are, the rows of a page)."""
    e, n = t.room_entries.c, t.enrollments.c
    total = int(connection.execute(narrowed(select(func.count()).select_from(t.room_entries), wanted)).scalar_one())
    codes = (
        select(n.room, func.max(n.expires_utc_ns).label("until"))
        .where(n.used_utc_ns.is_(None), n.expires_utc_ns > now_utc_ns)
        .group_by(n.room)
        .subquery()
    )
    query = select(
        t.room_entries, _state().label("state"), has_device().label("has_device"), codes.c.until.label("code_until")
    ).select_from(t.room_entries.outerjoin(codes, codes.c.room == e.address))
    query = narrowed(query, wanted)
    orders: Mapping[str, list[ColumnElement[Any]]] = {
        "name": [e.court_name, e.room_name],
        "address": [],
        "state": [_state()],
        "made": [e.made_utc_ns],
    }
    columns = [*orders[sort.removeprefix("-")], e.address]
    if sort.startswith("-"):
        columns = [column.desc() for column in columns]
    return total, list(connection.execute(query.order_by(*columns).offset(offset).limit(most)))


def one_room(connection: Connection, address: str, now_utc_ns: int) -> Any | None:
    """A row of `rooms_page` by its address."""
    found = rooms_page(connection, RoomFilter(None, address=address), "address", 0, 1, now_utc_ns)[1]
    return found[0] if found else None


def listed(row: Any, known: KnownRoom | None) -> RoomListed:
    """A row of `rooms_page` as a page gets it."""
    facts = facts_of(row, known)
    held: HeldByMachine = {
        "pending_events": None if facts is None else facts.pending_events,
        "pending_bytes": None if facts is None else facts.pending_bytes,
    }
    return {
        "address": row.address,
        "court": row.court,
        "room": row.room,
        "court_name": row.court_name or (known.court_name if known is not None else ""),
        "room_name": row.room_name or (known.room_name if known is not None else ""),
        "state": row.state,
        "online": known is not None and known.online,
        "by": row.made_by or "configuration",
        "made_utc_ms": row.made_utc_ns / NS_PER_MS,
        "retired_utc_ms": in_ms(row.retired_utc_ns),
        "has_device": bool(row.has_device),
        "moving": row.moving,
        "code_until_utc_ms": in_ms(row.code_until),
        "leaving": held if row.moving == WAITS else None,
    }


def facts_of(row: Any, known: KnownRoom | None) -> RoomFacts | None:
    """What is known of a room's machine."""
    if known is not None and known.status is not None and known.status.facts is not None:
        return known.status.facts
    try:
        return RoomFacts.model_validate_json(row.facts) if row.facts else None
    except ValidationError:
        return None  # of a version that says it otherwise: the room says it anew


def devices_page(
    connection: Connection, wanted: RoomFilter, offset: int, most: int, *, current: bool
) -> tuple[int, list[Any]]:
    """(how many there are, the rows of a page), the newest first. `current`: not the revoked ones."""
    d, e, c = t.devices.c, t.room_entries.c, t.device_certificates.c
    joined = t.devices.outerjoin(t.room_entries, e.address == d.room)
    conditions = [d.revoked_utc_ns.is_(None)] if current else []
    counted = select(func.count()).select_from(joined).where(*conditions)
    total = int(connection.execute(narrowed(counted, wanted)).scalar_one())
    until = select(func.max(c.expires_utc_ns)).where(c.room == d.room, c.revoked_utc_ns.is_(None))
    shown = case((d.revoked_utc_ns.is_(None), until.scalar_subquery()), else_=None)
    query = select(t.devices, e.court_name, e.room_name, shown.label("until")).select_from(joined).where(*conditions)
    return total, list(connection.execute(narrowed(query, wanted).order_by(d.row.desc()).offset(offset).limit(most)))


def device_listed(row: Any) -> DeviceListed:
    """A row of `devices_page` as a page gets it."""
    return {
        "id": row.row,
        "address": row.room,
        "court_name": row.court_name or "",
        "room_name": row.room_name or "",
        "fingerprint": row.public_key[:16],
        "made_utc_ms": row.enrolled_utc_ns / NS_PER_MS,
        "until_utc_ms": in_ms(row.until),
        "revoked_utc_ms": in_ms(row.revoked_utc_ns),
        "current": row.revoked_utc_ns is None,
    }


def in_ms(utc_ns: int | None) -> float | None:
    """Nanoseconds as milliseconds."""
    return None if utc_ns is None else utc_ns / NS_PER_MS
