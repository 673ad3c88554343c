"""The rooms of the center as its database keeps them: one row each, for as long as the center lives.

A row is never deleted. A room that is retired keeps it, and whatever it recorded.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, update

from server.store import tables as t
from server.store.database import insert_rows_once
from sync.errors import AccessError, WutongError
from sync.text.equal import fold

MOST_ROOMS = 5000
"""Of one center, those that are retired not among them."""
WAITS, READY, FORCED = "waits", "ready", "forced"
"""What `moving` says."""
NUMBERS_APART = 1_000_000
"""So many numbers lie between what the center has of a machine and what the next one begins with, so that what the one
still held when it was replaced by force can never be taken for something of the other."""


@dataclass(frozen=True, slots=True)
class EntryRow:
    """A room, as every process knows it."""

    address: str
    court_name: str
    room_name: str
    named: bool
    retired: bool
    moving: str


@dataclass(frozen=True, slots=True)
class ConfiguredRoom:
    """A room that the configuration names."""

    court: str
    room: str
    court_name: str
    room_name: str


def folded_names(address: str, court_name: str, room_name: str) -> str:
    """What a room is found by."""
    return "\n".join((address, fold(court_name), fold(room_name)))


def entries(connection: Connection, addresses: Collection[str] | None) -> list[EntryRow]:
    """These rooms; None: all."""
    e = t.room_entries.c
    query = select(e.address, e.court_name, e.room_name, e.named, e.retired_utc_ns, e.moving)
    if addresses is not None:
        query = query.where(e.address.in_(addresses))
    return [
        EntryRow(
            row.address, row.court_name, row.room_name, bool(row.named), row.retired_utc_ns is not None, row.moving
        )
        for row in connection.execute(query)
    ]


def enter_configured(connection: Connection, rooms: Collection[ConfiguredRoom], now_utc_ns: int) -> None:
    """Enter the rooms of the configuration that are not there; those that nobody has named are called as it says."""
    e = t.room_entries.c
    there = {row.address: row for row in entries(connection, None)}
    new = []
    for one in rooms:
        address = f"{one.court}/{one.room}"
        names = {"court_name": one.court_name, "room_name": one.room_name}
        found = {**names, "folded": folded_names(address, one.court_name, one.room_name)}
        known = there.get(address)
        if known is None:
            new.append({"address": address, "court": one.court, "room": one.room, "made_utc_ns": now_utc_ns, **found})
        elif not known.named and (known.court_name, known.room_name) != (one.court_name, one.room_name):
            connection.execute(update(t.room_entries).where(e.address == address).values(**found))
    insert_rows_once(connection, t.room_entries, new)


def count_current(connection: Connection) -> int:
    """How many rooms there are that are not retired."""
    e = t.room_entries.c
    return int(connection.execute(select(func.count()).where(e.retired_utc_ns.is_(None))).scalar_one())


def change(connection: Connection, address: str, **values: Any) -> None:
    """Change a row; `WutongError` "not-found" when there is none."""
    e = t.room_entries.c
    if not connection.execute(update(t.room_entries).where(e.address == address).values(**values)).rowcount:
        raise WutongError("没有这个法庭 (there is no such room)", code="not-found")


def has_device(connection: Connection, address: str) -> bool:
    """Whether a machine is enrolled as this room now."""
    d = t.devices.c
    query = select(d.row).where(d.room == address, d.revoked_utc_ns.is_(None)).limit(1)
    return connection.execute(query).first() is not None


def end_codes(connection: Connection, address: str, now_utc_ns: int) -> None:
    """Codes of this room that nobody has redeemed are worth nothing any more."""
    n = t.enrollments.c
    unused = (n.room == address) & n.used_utc_ns.is_(None) & (n.expires_utc_ns > now_utc_ns)
    connection.execute(update(t.enrollments).where(unused).values(expires_utc_ns=now_utc_ns))


def next_number(connection: Connection, address: str) -> int:
    """With which number the log of another machine of this room begins: 1 where there was none before."""
    e = t.events.c
    last = connection.execute(select(func.max(e.number)).where(e.room == address)).scalar()
    return 1 if last is None else int(last) + NUMBERS_APART


def admit_machine(connection: Connection, address: str) -> EntryRow:
    """A machine comes with a code of this room: it may, and what was to be waited for is over; the room as it was until
    then. `AccessError` "code". A room of before, that nobody has entered, may as well."""
    found = entries(connection, [address])
    if not found:
        return EntryRow(address, "", "", named=False, retired=False, moving="")
    if found[0].retired:
        raise AccessError("the room of this code was retired", code="code")
    change(connection, address, moving="")
    return found[0]
