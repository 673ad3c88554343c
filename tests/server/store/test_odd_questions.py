"""What nobody honest asks or sends gets the same answer of both databases, and is an error of neither."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from server.events.admission import read_event
from server.store import tables as t
from server.store.archive.filters import HearingFilter, WordFilter
from server.store.database import Database, insert_once, open_database
from server.store.kept_folds import KeptFolds
from server.store.reader import RecordReader
from server.store.rights.sight import Sight
from server.store.writer import RecordWriter
from sync.errors import WutongError
from tests.support.peers.center_peers import event, opening, said

ROOM = "court1/c03"
INSPECTOR = Sight(frozenset({"open"}), frozenset({"h\0"}))
LAST_NS = 2**63 - 1


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    one = open_database(database_url)
    try:
        await store(one, opening(1), said(2, "借条是真的"))
        yield one
    finally:
        one.close()


async def store(database: Database, *events: dict[str, object]) -> None:
    batch = [read_event(ROOM, json.dumps(one).encode()) for one in events]
    outcome = await RecordWriter(database).store_events(batch)
    assert len(outcome.receipts[ROOM]) == len(events)


async def found(database: Database, words: str = "借条", wanted: WordFilter | None = None) -> list[str]:
    hits = await RecordReader(database).search(words, wanted or WordFilter(), INSPECTOR)
    return [hit["utterance"] for hit in hits.rows]


async def test_a_nul_is_in_no_name_and_no_word(database: Database) -> None:
    reader = RecordReader(database)
    with pytest.raises(WutongError) as refused:
        await KeptFolds(database).use("h1\0", lambda fold: fold)
    assert refused.value.code == "not-found"
    assert await reader.owner("\0") is None
    assert not await reader.holds("h1", "segment", "\0", INSPECTOR)
    assert await reader.hearings(HearingFilter(court="\0", room="\0", case="\0", state="\0"), INSPECTOR) == []
    assert await found(database, "借条\0") == ["u2"]
    assert await found(database, "借条", WordFilter(role="\0", court="\0", case="\0")) == []


@pytest.mark.parametrize("day", ["0001-01-02", "9999-12-30"])
async def test_days_beyond_what_a_database_counts_filter_all_the_same(database: Database, day: str) -> None:
    early = day.startswith("0001")
    assert await found(database, wanted=WordFilter(from_date=day)) == (["u2"] if early else [])
    assert await found(database, wanted=WordFilter(to_date=day)) == ([] if early else ["u2"])
    assert await RecordReader(database).hearings(HearingFilter(date=day), INSPECTOR) == []


async def test_a_court_is_found_in_capital_letters_too(database: Database) -> None:
    reader = RecordReader(database)
    assert await found(database, wanted=WordFilter(court="COURT1")) == ["u2"]
    [row] = await reader.hearings(HearingFilter(court="Court1", room="C03"), INSPECTOR)
    assert row["id"] == "h1"
    assert await reader.hearings(HearingFilter(court="court_"), INSPECTOR) == []


async def test_a_line_at_the_end_of_time_spoils_no_search(database: Database) -> None:
    late = said(3, "借条在最后")
    late["body"] |= {"start_ns": LAST_NS, "end_ns": LAST_NS}
    await store(database, late)
    assert await found(database) == ["u2", "u3"]
    part = {"id": "p1", "level": "restricted", "by": "clerk", "reason": "理由", "to_ns": None}
    await store(database, event(4, "sealed_part", {**part, "from_ns": LAST_NS - 1}))
    assert await found(database) == ["u2"]


async def test_whether_a_row_was_inserted_is_told_right(database_url: str) -> None:
    database = open_database(database_url)
    row = {"sha256": "a" * 64, "bytes": 1, "stored_utc_ns": 1}
    try:
        inserted = [await database.write(lambda c: insert_once(c, t.objects, row)) for _ in range(2)]
        assert inserted == [True, False]
    finally:
        database.close()
