"""A lease that is lost while something is written: all of it is taken back, nothing is receipted, others go on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import Connection, func, select, text

from server.events.admission import Received, read_event
from server.integrity.cosigner import Cosigner
from server.leases.center_process import CenterProcess
from server.leases.lease_keeper import LeaseKeeper
from server.leases.shards import shard_of
from server.store import tables as t
from server.store.database import open_database
from server.store.files import FileEntry
from server.store.refusals import LeaseLostError
from server.store.writer import BatchOutcome, RecordWriter
from tests.support.peers.center_peers import said
from tests.support.peers.postgres_server import PostgresServer, migrated_database

pytestmark = pytest.mark.process

ROOMS = ("court1/c03", "court1/c04")
TAKE = "UPDATE leases SET owner = 'another', token = token + 1 WHERE shard = {}"


class Owner:
    """A process that owns both rooms, and an administrator's way to take them from it."""

    def __init__(self, server: PostgresServer, url: str) -> None:
        self.server, self.name = server, url.rpartition("/")[2]
        self.database = open_database(url)
        self.keeper = LeaseKeeper(self.database.engine, CenterProcess(1, "http://127.0.0.1:1"), ROOMS)
        self.database.fence = self.keeper.fence
        self.record = RecordWriter(self.database)

    def take_away(self, room: str) -> None:
        self.server.run(TAKE.format(shard_of(room)), database=self.name)

    async def count(self, table: Any = t.events) -> int:
        query = select(func.count()).select_from(table)
        return int(await self.database.read(lambda connection: connection.execute(query).scalar_one()))


@pytest_asyncio.fixture
async def owner(postgres: PostgresServer) -> AsyncIterator[Owner]:
    made = Owner(postgres, migrated_database(postgres))
    await made.keeper.start()
    try:
        yield made
    finally:
        made.keeper._thread.shutdown()
        made.database.close()


def received(number: int, room: str = ROOMS[0]) -> Received:
    return read_event(room, json.dumps(said(number, f"第{number}句", hearing=f"h-{room[-3:]}")).encode())


async def test_an_owner_writes_as_ever(owner: Owner) -> None:
    stored = await owner.record.store_events([received(n, room) for n in range(1, 20) for room in ROOMS])
    assert {room: len(digests) for room, digests in stored.receipts.items()} == dict.fromkeys(ROOMS, 19)


async def test_a_lease_that_is_taken_in_the_middle_of_a_batch_takes_all_of_it_back(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RecordWriter._store

    def robbed(self: RecordWriter, connection: Connection, batch: Any) -> BatchOutcome:
        outcome = store(self, connection, batch)
        owner.take_away(ROOMS[0])  # everything is written, and nothing committed
        return outcome

    monkeypatch.setattr(RecordWriter, "_store", robbed)
    with pytest.raises(LeaseLostError) as lost:
        await owner.record.store_events([received(n, room) for n in range(1, 20) for room in ROOMS])
    assert lost.value.rooms == {ROOMS[0]}
    assert await owner.count() == 0
    await asyncio.sleep(0)
    assert not owner.keeper.owns(ROOMS[0]), "it knows at once, and not at the next round"
    assert owner.keeper.owns(ROOMS[1])
    monkeypatch.undo()
    stored = await owner.record.store_events([received(n, ROOMS[1]) for n in range(1, 20)])
    assert len(stored.receipts[ROOMS[1]]) == 19


async def test_nobody_takes_a_lease_while_its_owner_s_transaction_ends(owner: Owner) -> None:
    """Between the question whose room it is and the commit no other can become the owner."""
    blocked: list[str] = []

    def work(connection: Connection) -> None:
        owner.keeper.fence(connection, [ROOMS[0]])
        with owner.server.connect(owner.name) as other:
            other.execute("SET lock_timeout = '100ms'")
            try:
                other.execute(f"SELECT 1 FROM leases WHERE shard = {shard_of(ROOMS[0])} FOR UPDATE".encode())
            except Exception as error:  # noqa: BLE001  # whatever it is called
                blocked.append(type(error).__name__)
            skipped = other.execute(
                f"SELECT 1 FROM leases WHERE shard = {shard_of(ROOMS[0])} FOR UPDATE SKIP LOCKED".encode()
            ).fetchall()
            assert skipped == []
            # A renewal waits for nobody.
            other.execute(f"UPDATE leases SET until_ms = until_ms + 1 WHERE shard = {shard_of(ROOMS[0])}".encode())

    await owner.database.write(work)
    assert blocked == ["LockNotAvailable"]


async def test_a_file_is_noted_by_the_owner_alone(owner: Owner) -> None:
    entry = FileEntry(ROOMS[0], "h-c03", "segment", "bench", 0, "0" * 64)
    owner.take_away(ROOMS[0])
    with pytest.raises(LeaseLostError):
        await owner.record.store_object(entry, 7)
    assert await owner.count(t.files) == await owner.count(t.objects) == 0


async def test_what_is_countersigned_for_a_lost_room_is_not_kept_and_the_others_are(owner: Owner) -> None:
    cosigner = Cosigner(owner.database)
    running = asyncio.create_task(cosigner.run())

    def row(room: str, size: int) -> dict[str, Any]:
        return {
            "hearing": f"h-{room[-3:]}", "size": size, "root": "0" * 64, "room": room, "last_number": 1, "peaks": "",
            "note": f"note {size}", "refused": "", "stored_utc_ns": 1,
        }  # fmt: skip

    owner.take_away(ROOMS[0])
    try:
        rows = [row(room, size) for size in (1, 2, 3) for room in ROOMS]
        outcomes = await asyncio.gather(*(cosigner.store(one) for one in rows), return_exceptions=True)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert [type(one).__name__ for one in outcomes] == ["LeaseLostError", "str"] * 3
    assert await owner.count(t.checkpoints) == 3


async def test_what_is_of_no_room_is_written_whoever_owns_what(owner: Owner) -> None:
    for room in ROOMS:
        owner.take_away(room)
    row = {"utc_ns": 1, "what": "sign-in", "role": "", "address": "", "detail": "", "granted": True}
    await owner.record.audit([row])
    with pytest.raises(LeaseLostError):
        await owner.record.audit([row], of_rooms=[ROOMS[0]])
    assert await owner.count(t.audit) == 1


async def test_without_other_processes_nothing_is_asked(owner: Owner) -> None:
    owner.database.fence = None
    asked: list[str] = []

    def work(connection: Connection) -> None:
        connection.execute(text("SELECT 1"))

    from sqlalchemy import event

    event.listen(owner.database.engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    await owner.database.write(work, of_rooms=list(ROOMS))
    assert asked == ["SELECT 1"]


async def test_lines_of_words_that_another_owner_has_written_in_between_are_read_again(
    owner: Owner, postgres: PostgresServer
) -> None:
    """The fold of a hearing's lines is kept in memory: it is old once another process has had the room."""
    await owner.record.store_events([received(1)])
    other = RecordWriter(open_database(postgres.url(owner.name)))
    body = {"id": "r1", "act": "edit", "by": "clerk", "tab": "", "name": "", "reason": "", "undoes": ""}

    def revision(number: int, base: int, words: str) -> Received:
        change = {"line": "u1", "base": base, "set": {"text": words}}
        one = {"number": number, "hearing": "h-c03", "kind": "revision", "room_ns": 1, "utc_ns": 1}
        return read_event(
            ROOMS[0], json.dumps({**one, "body": {**body, "id": f"r{number}", "changes": [change]}}).encode()
        )

    try:
        await other.store_events([revision(2, 1, "另一进程改的")])
    finally:
        other._db.close()
    owner.record.forget()
    await owner.record.store_events([revision(3, 2, "改了又改")])
    rows = await owner.database.read(lambda c: c.execute(select(t.utterances.c.text)).scalars().all())
    assert list(rows) == ["改了又改"], "the second change counts, because the first one is known"
