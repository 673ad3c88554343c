"""Batches of events: what one of them spoils is that one alone, and two processes with the same store each once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import Table, func, select

from server.events.admission import Received, read_event
from server.ingest.event_batches import store_parted
from server.store import database as databases
from server.store import event_rows
from server.store import tables as t
from server.store.database import Database, open_database
from server.store.writer import RecordWriter
from tests.support.peers.center_peers import event, opening, said

ROOM, OTHER = "court1/c03", "court1/c04"
PART = {"id": "p1", "from_ns": 0, "to_ns": None, "level": "restricted", "by": "clerk", "reason": "理由"}


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    one = open_database(database_url)
    try:
        yield one
    finally:
        one.close()


def received(one: dict[str, object], room: str = ROOM) -> Received:
    return read_event(room, json.dumps(one).encode())


def unfit(number: int) -> Received:
    """What no door lets in: a number that no database here has a place for."""
    good = received(said(number, "坏"))
    return replace(good, event=replace(good.event, number=2**63 + number))


async def numbers(database: Database) -> list[int]:
    query = select(t.events.c.number).order_by(t.events.c.number)
    return await database.read(lambda connection: list(connection.execute(query).scalars()))


@pytest.mark.parametrize("place", [0, 4, 8])
async def test_an_event_that_no_database_takes_holds_up_no_other(database: Database, place: int) -> None:
    batch = [received(opening(1)), *(received(said(n, f"第{n}句")) for n in range(2, 10))]
    bad = unfit(100)
    batch.insert(place, bad)
    writer = RecordWriter(database)
    for fresh in (9, 0):
        parted = await store_parted(writer.store_events, batch)
        assert [one for one, _ in parted.failed] == [bad]
        assert (parted.left, parted.unavailable) == ([], None)
        receipted = sorted(number for one in parted.outcomes for number in one.receipts[ROOM])
        assert receipted == list(range(1, 10)) == await numbers(database)
        assert sum(len(one.fresh) for one in parted.outcomes) == fresh


async def test_what_a_half_has_sealed_is_told_though_the_other_half_fails(database: Database) -> None:
    sealing = received(event(2, "sealed_part", PART))
    batch = [received(opening(1)), sealing, unfit(3), unfit(4)]
    parted = await store_parted(RecordWriter(database).store_events, batch)
    assert [part.level for one in parted.outcomes for part in one.sealed.get("h1", [])] == ["restricted"]
    assert len(parted.failed) == 2


async def test_the_same_event_twice_in_one_batch_and_another_under_its_number(database: Database) -> None:
    first, other = received(said(1, "真")), received(said(1, "假"))
    outcome = await RecordWriter(database).store_events([first, other, first])
    assert outcome.receipts == {ROOM: {1: first.digest}}
    assert outcome.conflicts == [other]
    assert len(outcome.fresh) == 1


async def test_whoever_says_first_whose_a_hearing_is_has_it_also_within_a_batch(database: Database) -> None:
    writer = RecordWriter(database)
    mine, his = received(said(1, "我的")), received(said(1, "他的"), OTHER)
    outcome = await writer.store_events([mine, his, received(said(2, "别的", hearing="h2"), OTHER)])
    assert outcome.foreign == [his]
    for one in (writer, RecordWriter(database)):
        outcome = await one.store_events([received(said(7, "又来"), OTHER), received(said(8, "再来"))])
        assert [r.event.number for r in outcome.foreign] == [7]
    assert await numbers(database) == [1, 2, 8]


async def test_a_batch_that_was_not_stored_leaves_no_hearing_to_its_room(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = RecordWriter(database)
    with monkeypatch.context() as broken:
        broken.setattr("server.store.writer.take_room_acts", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await writer.store_events([received(said(1, "没有存下"), OTHER)])
    outcome = await writer.store_events([received(said(1, "我的"))])
    assert sorted(outcome.receipts) == [ROOM]


async def test_two_processes_with_the_same_events_store_each_once_and_both_receipt_it(
    database: Database, database_url: str
) -> None:
    other = open_database(database_url)
    try:
        writers = [RecordWriter(database), RecordWriter(other)]
        for round_ in range(10):
            batch = [received(said(round_ * 20 + n, f"第{n}句")) for n in range(1, 21)]
            both = await asyncio.gather(writers[0].store_events(batch), writers[1].store_events(batch[::-1]))
            for outcome in both:
                assert sorted(outcome.receipts[ROOM]) == [r.event.number for r in batch]
                assert (outcome.conflicts, outcome.foreign) == ([], [])
            assert sorted(r.event.number for one in both for r in one.fresh) == [r.event.number for r in batch]
    finally:
        other.close()
    assert await numbers(database) == list(range(1, 201))
    lines = select(func.count()).select_from(t.utterances)
    assert await database.read(lambda connection: connection.execute(lines).scalar()) == 200


async def test_more_events_than_one_statement_holds_are_one_batch(database: Database) -> None:
    batch = [received(opening(1)), *(received(said(n, f"第{n}句")) for n in range(2, 1302))]
    writer = RecordWriter(database)
    assert len((await writer.store_events(batch)).fresh) == 1301
    assert len((await writer.store_events(batch)).receipts[ROOM]) == 1301


async def test_statements_are_made_once_and_not_for_each_event(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To make one takes several times as long as to run it, and a receipt waits for it."""
    writer = RecordWriter(database)
    for number, one in enumerate([opening(1), said(2, "第一句"), said(3, "第二句")], 1):
        await writer.store_events([received(one)])
        assert len(await numbers(database)) == number
    made: list[str] = []

    def noted(table: Table) -> Any:
        made.append(table.name)
        return insert(table)

    insert = getattr(databases, database.dialect).insert
    monkeypatch.setattr(getattr(databases, database.dialect), "insert", noted)
    monkeypatch.setattr(event_rows, "values", lambda *columns, name: made.append(name))
    for number in range(4, 9):
        stored = await writer.store_events([received(said(number, f"第{number}句"))])
        assert stored.receipts[ROOM].keys() == {number}
        again = await writer.store_events([received(said(number, f"第{number}句"))])
        assert again.receipts == stored.receipts
        assert again.fresh == []
        other = await writer.store_events([received(said(number, "另一句"))])
        assert [one.event.number for one in other.conflicts] == [number]
    assert made == []
