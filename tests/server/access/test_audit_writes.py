"""A line that has to be on disk is there before anybody sees what it tells of, whoever leaves at whatever moment."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from server.access.audit import Audit
from server.access.viewing_log import PlayedTo, ViewingLog
from server.store.database import Database, open_database
from server.store.writer import RecordWriter
from sync.errors import StorageError
from sync.http.audit.outcomes import Outcome
from sync.http.rights.people import Session
from tests.support.peers.center_peers import until

SESSION = Session("inspector", "督查员", 0.0, 0.0)
S = 10**9


class GatedRecord(RecordWriter):
    """A record whose audit log is written when the test says so, and fails when it says so."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.gate = asyncio.Event()
        self.gate.set()
        self.fails = False
        self.waiting = 0

    async def audit(self, rows: Any, *, of_rooms: Collection[str] = ()) -> None:
        self.waiting += 1
        await self.gate.wait()
        self.waiting -= 1
        if self.fails:
            raise StorageError("the disk is full")
        await super().audit(rows)

    async def whats(self) -> list[str]:
        query = text("SELECT what FROM audit ORDER BY row")
        return [row.what for row in await self._db.read(lambda c: list(c.execute(query)))]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{tmp_path / 'center.db'}")
    yield database
    database.close()


def looked(hearing: str = "h1", page: str = "1") -> Outcome:
    route = "/api/hearings/{hearing}/exhibits/{exhibit}/pages/{page}"
    return Outcome(SESSION, "10.0.0.9", "GET", route, {"hearing": hearing, "exhibit": "e1", "page": page}, 200)


async def leave(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_was_asked_for_is_written_though_the_asker_left_before_its_turn(database: Database) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def long(_connection: object) -> None:
        begun.set()
        go_on.wait(20)

    record = RecordWriter(database)
    first = asyncio.create_task(database.write(long))
    await asyncio.to_thread(begun.wait, 20)
    second = asyncio.create_task(record.audit([row("left")]))
    await asyncio.sleep(0)
    await leave(second)
    go_on.set()
    await first
    await database.write(lambda connection: None)
    query = text("SELECT detail FROM audit")
    assert [r.detail for r in await database.read(lambda c: list(c.execute(query)))] == ["left"]


def row(detail: str) -> dict[str, Any]:
    return {"utc_ns": 1, "what": "view", "role": "inspector", "address": "a", "detail": detail, "granted": True}


async def test_a_browser_that_leaves_takes_neither_its_line_nor_those_of_others_with_it(database: Database) -> None:
    record = GatedRecord(database)
    audit = Audit(record)
    audit.note("sign-in", "inspector", "10.0.0.9", "")
    record.gate.clear()
    asking = asyncio.create_task(audit.took(looked()))
    await until(lambda: record.waiting)
    await leave(asking)
    record.gate.set()
    await audit.took(looked(page="2"))
    assert await record.whats() == ["sign-in", "view"]


async def test_what_failed_after_the_browser_had_left_is_written_again_and_the_look_begins_anew(
    database: Database,
) -> None:
    record = GatedRecord(database)
    audit = Audit(record)
    audit.note("sign-in", "inspector", "10.0.0.9", "")
    record.gate.clear()
    asking = asyncio.create_task(audit.took(looked()))
    await until(lambda: record.waiting)
    await leave(asking)
    record.fails = True
    record.gate.set()
    await until(lambda: not audit._beginnings)
    record.fails = False
    await audit.took(looked(page="2"))
    assert await record.whats() == ["sign-in", "view"], "the first look has left no line, so the second one has it"


@pytest.mark.parametrize("fails", [True, False])
async def test_a_second_page_of_the_same_moment_waits_for_the_line_of_the_first(
    database: Database, fails: bool
) -> None:
    record = GatedRecord(database)
    audit = Audit(record)
    record.gate.clear()
    pages = [asyncio.create_task(audit.took(looked(page=str(n)))) for n in range(5)]
    await until(lambda: record.waiting)
    assert not any(page.done() for page in pages), "nothing is on disk yet"
    record.fails = fails
    record.gate.set()
    done = await asyncio.gather(*pages, return_exceptions=True)
    assert [type(one) for one in done] == [StorageError if fails else type(None)] * 5
    record.fails = False
    await audit.took(looked(page="9"))
    assert await record.whats() == ["view"], "one stretch, one line"


async def test_the_end_of_the_process_loses_no_line_that_was_just_being_written(database: Database) -> None:
    record = GatedRecord(database)
    audit = Audit(record)
    running = asyncio.create_task(audit.run())
    record.gate.clear()
    audit.note("sign-in", "inspector", "10.0.0.9", "")
    await until(lambda: record.waiting)
    audit.note("sign-out", "inspector", "10.0.0.9", "")
    running.cancel()
    await asyncio.sleep(0)
    record.gate.set()
    await asyncio.gather(running, return_exceptions=True)
    assert await record.whats() == ["sign-in", "sign-out"]


async def play(log: ViewingLog, from_s: float = 0, track: str = "bench", hearing: str = "h1") -> None:
    start = round(from_s * S)
    await log.played(PlayedTo(SESSION, hearing), "10.0.0.9", track, 0, start, start + S)


@pytest.mark.parametrize("fails", [True, False])
async def test_the_tracks_of_one_moment_are_played_when_the_line_of_the_first_is_on_disk(
    database: Database, fails: bool
) -> None:
    record = GatedRecord(database)
    log = ViewingLog(record)
    record.gate.clear()
    pieces = [asyncio.create_task(play(log, track=track)) for track in ("bench", "parties", "mix")]
    await until(lambda: record.waiting)
    assert not any(piece.done() for piece in pieces)
    record.fails = fails
    record.gate.set()
    done = await asyncio.gather(*pieces, return_exceptions=True)
    assert [type(one) for one in done] == [StorageError if fails else type(None)] * 3
    record.fails = False
    await log.poll(all_of_them=True)
    assert await record.whats() == ([] if fails else ["play", "played"])


async def test_a_jump_that_could_not_be_written_leaves_the_end_of_what_was_played_to_be_written(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.access.viewing_log.MAX_OPEN", 1)
    record = GatedRecord(database)
    log = ViewingLog(record)
    await play(log, 0)
    record.fails = True
    with pytest.raises(StorageError):
        await play(log, 100)  # in place of it
    record.fails = False
    await play(log, 100)
    record.fails = True
    with pytest.raises(StorageError):
        await play(log, 0, hearing="h2")  # for which it is ended before its time
    record.fails = False
    await log.poll(all_of_them=True)
    query = text("SELECT what, detail FROM audit ORDER BY row")
    rows = await database.read(lambda c: [(r.what, json.loads(r.detail)["from_s"]) for r in c.execute(query)])
    assert sorted(rows) == [("play", 0.0), ("play", 100.0), ("played", 0.0), ("played", 100.0)]


async def test_a_player_that_leaves_while_its_line_is_written_is_played_to_once(database: Database) -> None:
    record = GatedRecord(database)
    log = ViewingLog(record)
    record.gate.clear()
    asking = asyncio.create_task(play(log))
    await until(lambda: record.waiting)
    await leave(asking)
    ending = asyncio.create_task(log.poll(all_of_them=True))
    await asyncio.sleep(0)
    await leave(ending)
    record.gate.set()
    await log.poll(all_of_them=True)
    assert await record.whats() == ["play", "played"]
