"""The months of events on PostgreSQL: made ahead by the center, and none that is missing loses an event."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from server.events.admission import read_event
from server.store.database import Database, open_database
from server.store.partitions import AHEAD, MOST, keep_months, made_months, make_months, month_of
from server.store.writer import RecordWriter
from tests.support.peers.center_peers import said
from tests.support.peers.postgres_server import PostgresServer, migrated_database

pytestmark = pytest.mark.process

ROOM = "court1/c03"


def utc_ns(year: int, month: int, day: int = 1) -> int:
    return int(dt.datetime(year, month, day, tzinfo=dt.UTC).timestamp()) * 10**9


class Months:
    """A store whose clock the test turns."""

    def __init__(self, database: Database) -> None:
        self.database, self.now_ns, self._last = database, utc_ns(2030, 1, 31), 0
        self.writer = RecordWriter(database, utc_ns=lambda: self.now_ns)

    async def say(self, *moments: int) -> None:
        for self.now_ns in moments:
            self._last += 1
            one = read_event(ROOM, json.dumps(said(self._last, f"第{self._last}句")).encode())
            outcome = await self.writer.store_events([one])
            assert list(outcome.receipts[ROOM]) == [self._last]

    async def keep(self) -> list[str]:
        return await self.database.write(lambda connection: keep_months(connection, self.now_ns))

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        return await self.database.read(lambda connection: [tuple(row) for row in connection.execute(text(query))])

    async def where(self) -> dict[str, int]:
        found = await self.rows("SELECT tableoid::regclass::text, count(*) FROM events GROUP BY 1")
        return {str(name): int(count) for name, count in found}


@pytest_asyncio.fixture
async def months(postgres: PostgresServer) -> AsyncIterator[Months]:
    database = open_database(migrated_database(postgres))
    try:
        yield Months(database)
    finally:
        database.close()


async def test_a_start_has_made_this_month_and_those_ahead(months: Months) -> None:
    made = await months.database.read(made_months)
    now = month_of(int(dt.datetime.now(dt.UTC).timestamp()) * 10**9)
    assert now in made
    assert len(made) == AHEAD + 1


async def test_events_without_their_month_are_kept_and_moved_when_it_is_made(months: Months) -> None:
    await months.say(utc_ns(2030, 1, 31), utc_ns(2030, 2), utc_ns(2031, 12, 31))
    assert await months.where() == {"events_other": 3}
    names = ("2030_01", "2030_02", "2031_12", "2032_01", "2032_02")
    assert set(await months.keep()) == {f"events_{name}" for name in names}
    assert await months.where() == {"events_2030_01": 1, "events_2030_02": 1, "events_2031_12": 1}
    assert await months.keep() == []
    await months.say(utc_ns(2032, 1) - 1, utc_ns(2032, 1))
    assert await months.where() == {"events_2030_01": 1, "events_2030_02": 1, "events_2031_12": 2, "events_2032_01": 1}


async def test_a_number_is_taken_once_over_all_months(months: Months) -> None:
    await months.say(utc_ns(2030, 1))
    await months.keep()
    months.now_ns = utc_ns(2030, 2)
    again = [read_event(ROOM, json.dumps(said(1, words)).encode()) for words in ("第1句", "别的")]
    outcome = await RecordWriter(months.database, utc_ns=lambda: months.now_ns).store_events(again)
    assert (len(outcome.fresh), len(outcome.conflicts), outcome.receipts) == (0, 1, {ROOM: {1: again[0].digest}})
    assert await months.rows("SELECT count(*) FROM events") == [(1,)]


async def test_a_month_that_was_taken_elsewhere_lets_no_event_in_again(months: Months) -> None:
    await months.say(utc_ns(2030, 1))
    await months.keep()
    await months.database.write(lambda c: c.execute(text("ALTER TABLE events DETACH PARTITION events_2030_01")))
    one = read_event(ROOM, json.dumps(said(1, "第1句")).encode())
    outcome = await RecordWriter(months.database).store_events([one])
    assert (outcome.fresh, outcome.receipts) == ([], {ROOM: {1: one.digest}})


async def test_who_reads_for_long_does_not_stop_the_center(
    months: Months, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The month that waits for a reader is given up and made another time; what is said meanwhile is stored."""
    await months.say(utc_ns(2030, 1))
    name = months.database.engine.url.database or ""
    with postgres.connect(name) as reader, reader.transaction():
        reader.execute("SELECT count(*) FROM events")
        monkeypatch.setattr("server.store.partitions.LOCK_MS", 100)
        await months.database.keep_months()  # refused by its own time limit, said in the log, and no error
        await months.say(utc_ns(2030, 2))
    assert await months.where() == {"events_other": 2}
    await months.keep()
    assert "events_other" not in await months.where()


async def test_clocks_that_are_wrong_make_no_end_of_tables(months: Months) -> None:
    wild = [(year, month) for year in range(1971, 2200) for month in range(1, 13)]
    await months.database.write(lambda connection: make_months(connection, wild[: MOST + 50]))
    assert len(await months.database.read(made_months)) == MOST
    await months.say(-(2**63), 2**63 - 1, utc_ns(2150, 5))
    await months.keep()
    assert await months.rows("SELECT count(*) FROM events") == [(3,)]


@pytest.mark.parametrize(
    ("moment", "month"),
    [(0, (1970, 1)), (utc_ns(2030, 2) - 1, (2030, 1)), (utc_ns(2030, 2), (2030, 2)), (2**63 - 1, (2262, 4))],
)
def test_months_are_of_utc(moment: int, month: tuple[int, int]) -> None:
    assert month_of(moment) == month
