"""What a docket does to entries of the one before it is written down, whichever day it is of, on each database."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select

from server.store import tables as t
from server.store.database import open_database
from server.store.docket_rows import changes_since, keep_docket

ROOM, DAY, NEXT = "court1/c03", "2026-12-01", "2026-12-02"


def entry(name: str, time: str = "09:00", **more: Any) -> dict[str, Any]:
    return {"id": name, "time": time, "case_no": f"(2026)黑05民初{name}号", **more}


async def test_each_entry_that_is_taken_off_moved_or_left_behind_is_kept(database_url: str) -> None:
    database = open_database(database_url)
    at = iter(range(1, 100))

    async def put(date: str, *entries: dict[str, Any]) -> None:
        text = json.dumps({"date": date, "hearings": entries})
        now = next(at)
        await database.write(lambda c: keep_docket(c, ROOM, text, now, "inspector", "p1"))

    async def changes(since: int = 0) -> list[tuple[str, str, str, int]]:
        found = await database.read(lambda c: changes_since(c, since))
        return [(one.date, one.before.id, one.change, one.utc_ns) for one in found.get(ROOM, [])]

    try:
        await put(DAY, entry("1"), entry("2"), entry("3"))
        assert await changes() == []
        await put(DAY, entry("1"), entry("2", "10:00"), entry("4"))
        moved = [(DAY, "2", "changed", 2), (DAY, "3", "withdrawn", 2)]
        assert await changes() == moved
        await put(DAY, entry("4"), entry("2", "10:00"), entry("1"))
        assert await changes() == moved, "another order is no change"
        await put(NEXT, entry("9"))
        left = [(DAY, "4", "other-day", 4), (DAY, "2", "other-day", 4), (DAY, "1", "other-day", 4)]
        assert await changes(3) == left
        await put(DAY, entry("1", public=False), entry("4"))
        back = [(NEXT, "9", "other-day", 5), (DAY, "2", "withdrawn", 5), (DAY, "1", "changed", 5)]
        assert await changes(5) == back, "a day that comes back is compared with what it was"
        rows = await database.read(lambda c: list(c.execute(select(t.docket_changes).order_by(t.docket_changes.c.row))))
        assert {(row.role, row.person) for row in rows} == {("inspector", "p1")}
        assert [json.loads(row.after)["time"] for row in rows if row.change == "changed"] == ["10:00", "09:00"]
        [stored] = await database.read(lambda c: list(c.execute(select(t.dockets))))
        assert json.loads(stored.body)["date"] == DAY
    finally:
        database.close()


async def test_a_docket_that_nobody_can_read_any_more_is_replaced(database_url: str) -> None:
    database = open_database(database_url)
    try:
        row = {"room": ROOM, "body": '{"date": "long ago"}', "set_utc_ns": 1}
        await database.write(lambda c: c.execute(t.dockets.insert().values(**row)))
        text = json.dumps({"date": DAY, "hearings": [entry("1")]})
        await database.write(lambda c: keep_docket(c, ROOM, text, 2, "", ""))
        assert await database.read(lambda c: changes_since(c, 0)) == {}
        [stored] = await database.read(lambda c: list(c.execute(select(t.dockets))))
        assert stored.body == text
    finally:
        database.close()
