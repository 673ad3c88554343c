"""审计与存储报告: what was recorded, how much it is, what is missing of it and who looked at it, day by day.

Reads the record store only, so it runs beside a working center. Days are those of the machine's time zone.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, select

from server.config import Config
from server.store import tables as t
from server.store.database import open_database
from sync.runtime.units import NS_PER_S


def report(config: Config) -> dict[str, Any]:
    """`days` (newest first), `rooms` and `storage`; hours are from opening to close, bytes are those of media."""
    database = open_database(config.database_url, patient=True)
    try:
        found = database.read_now(_read)
    finally:
        database.close()
    disk = shutil.disk_usage(config.storage.data)
    found["storage"]["free_bytes"] = disk.free
    found["storage"]["reserve_bytes"] = int(config.storage.reserve_gib * 2**30)
    return {"center": config.name, "made_utc": datetime.now(tz=UTC).isoformat(timespec="seconds"), **found}


def _read(connection: Connection) -> dict[str, Any]:
    days: dict[str, dict[str, Any]] = defaultdict(_nothing)
    rooms: dict[str, dict[str, Any]] = defaultdict(_nothing)
    day_of: dict[str, tuple[str, str]] = {}
    for row in connection.execute(select(t.hearings)):
        day_of[row.id] = (_day(row.opened_utc_ns), row.room)
        for total in (days[_day(row.opened_utc_ns)], rooms[row.room]):
            total["hearings"] += 1
            total["still_open"] += row.closed_ns is None
            if row.closed_ns is not None:
                total["hours"] += (row.closed_ns - row.opened_ns) / NS_PER_S / 3600
    for row in connection.execute(select(t.segments.c.hearing, func.sum(t.segments.c.bytes)).group_by("hearing")):
        for total in _totals(days, rooms, day_of, row[0]):
            total["bytes"] += int(row[1])
    for row in connection.execute(select(t.events.c.hearing, t.events.c.body).where(t.events.c.kind == "gap")):
        body = json.loads(row.body)
        for total in _totals(days, rooms, day_of, row.hearing):
            total["gaps"] += 1
            total["gap_seconds"] += (int(body["to_ns"]) - int(body["from_ns"])) / NS_PER_S
    acts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in connection.execute(select(t.audit.c.utc_ns, t.audit.c.what)):
        acts[_day(row.utc_ns)][row.what] += 1
    for day, counts in acts.items():
        days[day]["audit"] = dict(sorted(counts.items()))
    objects = connection.execute(select(func.count(), func.coalesce(func.sum(t.objects.c.bytes), 0)))
    count, size = objects.one()
    return {
        "days": [{"day": day, **_rounded(days[day])} for day in sorted(days, reverse=True)],
        "rooms": [{"room": room, **_rounded(rooms[room])} for room in sorted(rooms)],
        "storage": {"objects": int(count), "bytes": int(size)},
    }


def _totals(
    days: dict[str, dict[str, Any]], rooms: dict[str, dict[str, Any]], day_of: dict[str, tuple[str, str]], hearing: str
) -> list[dict[str, Any]]:
    if hearing not in day_of:
        return []
    day, room = day_of[hearing]
    return [days[day], rooms[room]]


def _nothing() -> dict[str, Any]:
    return {"hearings": 0, "still_open": 0, "hours": 0.0, "bytes": 0, "gaps": 0, "gap_seconds": 0.0, "audit": {}}


def _rounded(total: dict[str, Any]) -> dict[str, Any]:
    return {**total, "hours": round(total["hours"], 3), "gap_seconds": round(total["gap_seconds"], 1)}


def _day(utc_ns: int) -> str:
    return f"{datetime.fromtimestamp(utc_ns / NS_PER_S, tz=UTC).astimezone():%Y-%m-%d}"
