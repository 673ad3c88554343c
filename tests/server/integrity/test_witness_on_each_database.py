"""What the witness keeps, on SQLite and on PostgreSQL: heads, proofs of forks, devices and codes, two processes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import insert, select

from server.config import load_config
from server.ingest.signed_publisher import SignedPublisher
from server.integrity.enrollment import Enrollment
from server.integrity.witness import Witness
from server.running import running
from server.service import build
from server.store import tables as t
from server.store.database import open_database
from server.store.refusals import StoreRefusedError
from tests.support.peers.center_peers import RoomPeer, Served, opening, said, until
from tests.support.rooms.signing_room import SigningRoom, enroll_device

pytestmark = pytest.mark.both_databases

ROOM = "court1/c03"


def enrollment(served: Served) -> Enrollment:
    found: Enrollment = served.center.enrollment
    return found


@pytest_asyncio.fixture
async def signing(served: Served, room: RoomPeer, tmp_path: Path) -> AsyncIterator[SigningRoom]:
    code = await enrollment(served).new_code(ROOM)
    key = await asyncio.to_thread(enroll_device, served, tmp_path / "device", code)
    one = SigningRoom(room, served, key)
    one.say(opening(1), *(said(n, f"说的第{n}句话", at_ms=n) for n in range(2, 21)))
    await one.receipted()
    yield one


async def test_heads_are_witnessed_and_a_fork_is_kept_beside_the_true_one(signing: SigningRoom, tmp_path: Path) -> None:
    assert signing.is_witnessed(await signing.ask(signing.head(12)))
    true = signing.head(20)
    answer = await signing.ask(true)
    assert signing.is_witnessed(answer)
    assert (await signing.ask(replace(true, root=bytes(32))))["refused"] == "fork"
    c = t.checkpoints.c
    kept = select(c.refused, c.note).where(c.size == 20).order_by(c.refused)
    (none, note), (why, _) = await signing.served.center.database.read(lambda db: list(db.execute(kept)))
    assert (none, why, note) == ("", "fork", answer["note"])
    again = build(load_config(tmp_path / "center.toml"))
    async with running(again, "127.0.0.1", 0):
        await until(lambda: "fork" in again.rooms.states[ROOM].alarms)


async def test_one_tree_of_a_size_is_witnessed_whoever_writes(signing: SigningRoom) -> None:
    await signing.ask(signing.head(20))
    database = signing.served.center.database

    def second(connection: Any) -> None:
        [row] = connection.execute(select(t.checkpoints).where(t.checkpoints.c.size == 20))
        connection.execute(insert(t.checkpoints).values(**{**row._mapping, "root": "cc" * 32}))

    with pytest.raises(StoreRefusedError, match="refused a write") as refused:
        await database.write(second)
    assert "UNIQUE" in str(refused.value.__cause__).upper()
    assert not refused.value.of_all


async def test_two_processes_give_one_answer(signing: SigningRoom, tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []

    class Broker:
        connected = True

        def publish(self, _room: str, _topic: str, payload: bytes, **_how: Any) -> bool:
            told.append(json.loads(payload))
            return True

    broker: Any = Broker()
    center = signing.served.center
    first: Witness = center.witness
    database = open_database(load_config(tmp_path / "center.toml").database_url)
    publisher = SignedPublisher(broker, first._key)
    second = Witness(database, first._key, center.rooms, center.audit, broker, publisher)
    running_second = asyncio.create_task(second.run())
    try:
        for size in range(2, 21, 2):
            note = signing.sign(signing.head(size))
            first.offer(ROOM, note)
            second.offer(ROOM, note)
            await until(lambda count=size // 2: len(told) == count)  # type: ignore[misc]  # a lambda's default
        await until(lambda: len(told) == 10 and len(signing.answers()) == 10, 60)
        assert {a["size"]: a["note"] for a in told} == {a["size"]: a["note"] for a in signing.answers()}
    finally:
        running_second.cancel()
        await asyncio.gather(running_second, return_exceptions=True)
        await asyncio.to_thread(database.close)


async def test_a_code_works_once_and_a_revoked_device_signs_no_more(
    signing: SigningRoom, served: Served, tmp_path: Path
) -> None:
    code = await enrollment(served).new_code(ROOM)
    newer = await asyncio.to_thread(enroll_device, served, tmp_path / "newer", code)
    assert (await signing.ask(signing.head(5)))["refused"] == "device"
    signing.key = newer
    assert signing.is_witnessed(await signing.ask(signing.head(5)))
    assert await enrollment(served).revoke(ROOM) == 1
    assert (await signing.ask(signing.head(6)))["refused"] == "device"
