"""What an administrator gets of reports: counts by court and by day, on each database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from server.overview.court_counts import MOST_DAYS, court_report, days_between
from server.store import tables as t
from server.store.archive.filters import day_utc_ns
from server.store.audit_rows import append_rows
from sync.errors import WutongError
from tests.support.peers.people_store import people_at

HOUR_NS = 3_600 * 10**9
DAYS = ["2026-11-20", "2026-11-21"]


def opened(name: str, room: str, day: str, hours: int) -> dict[str, Any]:
    moment = day_utc_ns(day) + hours * HOUR_NS
    texts = {
        "court_name": "",
        "room_name": "",
        "case_no": "",
        "case_json": "{}",
        "tracks_json": "{}",
        "state": "closed",
    }
    return {"id": name, "room": room, **texts, "state_number": 1, "opened_ns": 0, "opened_utc_ns": moment}


def audited(what: str, day: str, hours: int, detail: str = "", person: str = "") -> dict[str, Any]:
    moment = day_utc_ns(day) + hours * HOUR_NS
    row = {"utc_ns": moment, "what": what, "role": "", "address": "", "detail": detail, "granted": True}
    return {**row, "person": person}


def missed(room: str, day: str, name: str) -> str:
    return json.dumps({"room": room, "date": day, "id": name, "case_no": "(2026)黑05民初1号"})


async def test_hearings_people_and_sign_ins_are_counted_by_court_and_day(database_url: str, tmp_path: Path) -> None:
    async with people_at(database_url, tmp_path) as here:
        await here.court("p")
        await here.court("a", "p")
        mine = await here.person("张伟", "judge@a")
        await here.person("李娜", "clerk@a", "judge@a")
        hearings = [
            opened("h1", "a/c01", DAYS[0], 0),
            opened("h2", "a/c02", DAYS[0], 23),
            opened("h3", "p/c01", DAYS[1], 9),
            opened("h4", "a/c01", "2026-11-19", 23),
            opened("h5", "a/c01", "2026-11-22", 0),
            opened("h6", "elsewhere/c01", DAYS[0], 9),
        ]
        late = missed("a/c01", DAYS[1], "late")
        lines = [
            audited("sign-in", DAYS[0], 8, person=mine.id),
            audited("sign-in", DAYS[1], 23, person=mine.id),
            audited("sign-in", "2026-11-22", 1, person=mine.id),
            audited("sign-in", DAYS[0], 9),
            audited("not-recorded", DAYS[1], 10, missed("a/c01", DAYS[1], "one")),
            audited("not-recorded", DAYS[1], 10, late),
            audited("recorded-late", DAYS[1], 11, late),
            audited("not-recorded", DAYS[1], 10, missed("elsewhere/c01", DAYS[1], "two")),
            audited("not-recorded", "2026-11-22", 10, missed("a/c01", "2026-11-22", "three")),
        ]

        def work(connection: Any) -> None:
            connection.execute(insert(t.hearings), hearings)
            named = {"court": "a", "court_name": "", "room_name": "", "folded": "", "made_utc_ns": 1}
            rooms = [{**named, "address": f"a/c0{n}", "room": f"c0{n}", "retired_utc_ns": None} for n in (1, 2)]
            gone = {**named, "address": "a/c03", "room": "c03", "retired_utc_ns": 2}
            connection.execute(insert(t.room_entries), [*rooms, gone])
            append_rows(connection, lines)

        await here.database.write(work)
        courts = [("p", "省"), ("a", "市")]
        report = await here.database.read(lambda c: court_report(c, courts, days_between(*DAYS)))
        assert report["days"] == [
            {"day": DAYS[0], "recorded": 2, "not_recorded": 0},
            {"day": DAYS[1], "recorded": 1, "not_recorded": 1},
        ]
        high = {"people": 0, "sign_ins": 0, "rooms": 0, "recorded": 1, "not_recorded": 0}
        low = {"people": 2, "sign_ins": 2, "rooms": 2, "recorded": 2, "not_recorded": 1}
        assert report["courts"] == [
            {"court": "p", "court_name": "省", **high},
            {"court": "a", "court_name": "市", **low},
        ]


def test_days_are_some_and_not_too_many() -> None:
    assert days_between("2026-02-28", "2026-03-01") == ["2026-02-28", "2026-03-01"]
    assert len(days_between("2026-01-01", "2026-12-31")) < MOST_DAYS
    for first, last in (("2026-03-01", "2026-02-28"), ("2025-01-01", "2026-03-01"), ("", "2026-01-01"), ("x", "y")):
        with pytest.raises(WutongError):
            days_between(first, last)
