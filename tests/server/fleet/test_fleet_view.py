"""What the lists say of many rooms, by how many questions to the database, and what they do not say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert

from server.config import RoomEntry
from server.fleet.fleet_view import Fleet, fleet_page, fleet_rows
from server.fleet.room_list import RoomFilter, listed, rooms_page
from server.rooms import Rooms
from server.store import tables as t
from server.store.database import Database, open_database
from server.store.room_entries import ConfiguredRoom, change, enter_configured, entries
from sync.errors import CenterError
from sync.runtime.units import NS_PER_MS

ROOMS = 60
NOW_MS = 1e12
FAR_NS = int(9e17) + 10**18


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = open_database(f"sqlite:///{tmp_path / 'center.db'}")
    configured = [ConfiguredRoom(f"c{n % 3}", f"r{n}", f"法院{n % 3}", f"第{n}法庭") for n in range(ROOMS)]
    with made.engine.begin() as connection:
        enter_configured(connection, configured, 1)
        device = {"public_key": "a" * 64, "certificate": "", "enrolled_utc_ns": 1}
        connection.execute(insert(t.devices), [{"room": f"c{n % 3}/r{n}", **device} for n in range(ROOMS - 1)])
    yield made
    made.close()


def fleet(database: Database, rooms: Rooms, sort: str = "worst", **wanted: Any) -> Fleet:
    with database.engine.connect() as connection:
        rows = fleet_rows(connection, RoomFilter(None, **wanted))
    return fleet_page(rows, rooms.current, NOW_MS, state="", sort=sort, offset=0, most=200)


def rooms_of(*statuses: tuple[str, str]) -> Rooms:
    rooms = Rooms(
        [RoomEntry.model_validate(dict(zip(("court", "room"), a.split("/"), strict=True))) for a, _ in statuses]
    )
    for address, status in statuses:
        rooms.status(address, status.encode())
    return rooms


def test_lists_ask_the_database_as_often_for_many_rooms_as_for_one(database: Database) -> None:
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    with database.engine.connect() as connection:
        total, rows = rooms_page(connection, RoomFilter(None, "第1"), "-name", 0, 5, 2)
        assert (total, len(rows)) == (11, 5)
        assert [listed(row, None)["room_name"] for row in rows[:2]] == ["第17法庭", "第14法庭"]
        assert len(asked) == 2
        assert len(fleet_rows(connection, RoomFilter(frozenset({"c0", "c1"})))) == 40
        assert len(asked) == 3


def test_the_worst_rooms_stand_first_and_an_alarm_names_no_case(database: Database) -> None:
    ok = '{"online":true,"facts":{"disk_free_bytes":90,"disk_bytes":100}}'
    full = '{"online":true,"facts":{"disk_free_bytes":3,"disk_bytes":100}}'
    failed = '{"online":true,"facts":{"selftest":{"utc_ms":1,"passed":false}}}'
    broken = '{"online":true,"recorder":{"alarms":[{"code":"disk","subject":"","text":"硬盘"}]}}'
    rooms = rooms_of(("c0/r0", ok), ("c1/r1", full), ("c2/r2", failed), ("c0/r3", broken), ("c1/r4", ok))
    rooms.alarm("c1/r4", "not-recorded", "09:00 (2026)黑05民初1号")
    found = fleet(database, rooms)
    by = {one["address"]: one for one in found["rows"]}
    states = {
        address: by[address]["state"] for address in ("c0/r0", "c1/r1", "c2/r2", "c0/r3", "c1/r4", "c0/r6", "c2/r59")
    }
    assert list(states.values()) == ["ok", "warning", "warning", "alarm", "alarm", "offline", "planned"]
    assert [one["state"] for one in found["rows"][:3]] == ["alarm", "alarm", "warning"]
    assert found["counts"] == {"ok": 1, "warning": 2, "alarm": 2, "offline": 54, "planned": 1}
    assert by["c1/r4"]["alarms"] == [{"code": "not-recorded", "subject": "", "text": ""}]
    assert by["c0/r3"]["alarms"][0]["text"] == "硬盘"


def test_what_is_not_heard_here_is_as_its_owner_has_kept_it(database: Database) -> None:
    with database.engine.begin() as connection:
        change(connection, "c0/r0", facts='{"version":"0.9.0","pending_events":2}', seen_utc_ns=5 * NS_PER_MS)
        change(connection, "c1/r1", facts='{"version":["of another form"]}')
    rows = {one["address"]: one for one in fleet(database, Rooms([]))["rows"]}
    assert (rows["c0/r0"]["version"], rows["c0/r0"]["pending_events"], rows["c0/r0"]["seen_utc_ms"]) == ("0.9.0", 2, 5)
    assert rows["c1/r1"]["version"] == ""


def test_a_room_that_the_configuration_names_no_more_stays_and_a_retired_one_stays_retired(database: Database) -> None:
    with database.engine.begin() as connection:
        change(connection, "c1/r1", retired_utc_ns=3)
        change(connection, "c2/r2", room_name="大法庭", named=True)
        again = [ConfiguredRoom("c1", "r1", "法院1", "x"), ConfiguredRoom("c2", "r2", "法院2", "第2法庭")]
        enter_configured(connection, [*again, ConfiguredRoom("c0", "r0", "法院0", "新名")], 9)
        known = {one.address: one for one in entries(connection, None)}
    assert len(known) == ROOMS
    assert known["c1/r1"].retired
    assert (known["c2/r2"].room_name, known["c0/r0"].room_name) == ("大法庭", "新名")


@pytest.mark.parametrize(
    "facts", ['{"disk_bytes":-1}', '{"disk_bytes":1e400}', '{"selftest":{"passed":1}}', "[]", '{"version":7}']
)
def test_facts_of_another_shape_make_no_status(facts: str) -> None:
    with pytest.raises(CenterError):
        rooms_of(("c0/r0", f'{{"online":true,"facts":{facts}}}'))
