"""Every list is read in the order of an index, so a page costs what it holds; and old stores get their indexes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Connection, Select, insert, select, text

from server.store import tables as t
from server.store.archive.archive_reader import ArchiveReader
from server.store.archive.filters import HearingFilter, indexed_conditions
from server.store.archive.pieces import newest_first
from server.store.archive.place import ArchivePlace
from server.store.database import Database, open_database
from server.store.folded import folded_case
from server.store.rights.sight import Sight
from tests.support.peers.postgres_server import PostgresServer

pytestmark = pytest.mark.process

BEHIND = ArchivePlace(10**18, 5 * 10**17, "h5")
LISTS = {
    "hearings_newest": HearingFilter(),
    "hearings_court_part": HearingFilter(court="court1"),
    "hearings_room": HearingFilter(room="court1/c01"),
    "hearings_room_part": HearingFilter(room="c01"),
    "hearings_state": HearingFilter(state="open"),
}


def plan(connection: Connection, query: Select[tuple[str]]) -> str:
    on_postgres = connection.dialect.name == "postgresql"
    if on_postgres:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        connection.execute(text("SET LOCAL enable_bitmapscan = off"))
    said = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
    explained = connection.exec_driver_sql(f"{'EXPLAIN' if on_postgres else 'EXPLAIN QUERY PLAN'} {said}")
    return "\n".join(str(row[0] if on_postgres else row[3]) for row in explained)


@pytest.mark.parametrize("index", LISTS)
def test_a_page_of_each_list_is_read_from_its_index_without_a_sort(database_url: str, index: str) -> None:
    database = open_database(database_url)
    try:
        (stretch, _) = BEHIND.stretches()
        conditions = indexed_conditions(LISTS[index], database.dialect)
        query = select(t.hearings.c.id).where(*conditions, stretch).order_by(*newest_first(ordered=True)).limit(51)
        said = database.read_now(lambda connection: plan(connection, query))
    finally:
        database.close()
    assert f"{index} " in f"{said} ".replace("\n", " "), said
    assert "Sort" not in said
    assert "TEMP B-TREE" not in said


def opened(number: int) -> dict[str, object]:
    case = {"case_no": f"(2026)黑05民初{number}号", "cause": "借贷", "title": "", "parties": {"原告": "张三"}}
    names = dict.fromkeys(("court_name", "room_name"), "")
    row = {"id": f"h{number}", "room": "court1/c03", **names, "case_no": case["case_no"], "tracks_json": "[]"}
    times = {"state": "closed", "state_number": 1, "opened_ns": 0, "opened_utc_ns": number, "public": True}
    return {**row, **times, "case_json": json.dumps(case), "folded": folded_case(case)}


async def found(database: Database, **wanted: str) -> list[str]:
    page = await ArchiveReader(database).hearings(HearingFilter(**wanted), Sight(frozenset({"open"})))
    return [row["id"] for row in page.rows]


async def migrated(url: str) -> None:
    """A store of before has hearings, is brought up to date, and all of them are found by their cases."""
    before = open_database(url, "0013")
    await before.write(lambda connection: connection.execute(insert(t.hearings), [opened(n) for n in range(1, 4)]))
    before.close()
    database = open_database(url)
    try:
        await database.write(lambda connection: connection.execute(insert(t.hearings), [opened(4)]))
        assert await found(database, case="民初3号") == ["h3"]
        assert await found(database, case="民初4号", court="court1") == ["h4"]
        assert await found(database, case="张三") == ["h4", "h3", "h2", "h1"]
        if database.dialect == "sqlite":
            gone = text("UPDATE hearings SET folded = '改过' WHERE id = 'h3'")
            await database.write(lambda connection: connection.execute(gone))
            await database.write(lambda connection: connection.execute(text("DELETE FROM hearings WHERE id = 'h1'")))
            kept = text("SELECT hearing, folded FROM hearing_folded ORDER BY hearing")
            rows = await database.read(lambda connection: [tuple(row) for row in connection.execute(kept)])
            assert [name for name, _ in rows] == ["h2", "h3", "h4"]
            assert dict(rows)["h3"] == "改过"
    finally:
        database.close()


async def test_a_store_of_before_gets_its_indexes_on_sqlite(tmp_path: Path) -> None:
    await migrated(f"sqlite:///{tmp_path / 'center.db'}")


async def test_a_store_of_before_gets_its_indexes_on_postgresql(postgres: PostgresServer) -> None:
    await migrated(postgres.url(postgres.new_database()))
