"""The witness at its door: what it countersigns, what it waits for, and the forks and strangers that it refuses."""

from __future__ import annotations

import asyncio
import datetime as dt
import importlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import event as sa_event
from sqlalchemy import insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex

from server.config import load_config
from server.events.admission import read_event
from server.ingest.signed_publisher import SignedPublisher
from server.integrity.enrollment import Enrollment
from server.integrity.examination import HeadFinding
from server.integrity.waiting_heads import AskedHead
from server.integrity.witness import Witness
from server.running import running
from server.service import build
from server.store import tables
from server.store.database import open_database
from sync.errors import LedgerError, StorageError
from sync.ledger.keys import certificate_request, issue
from sync.ledger.note import Verifier, read_note
from tests.support.files import databases
from tests.support.peers.center_peers import RoomPeer, Served, config_text, opening, said, until
from tests.support.ports import free_port
from tests.support.rooms.signing_room import SigningRoom, enroll_device
from wutong.enroll import new_code


def enrollment(served: Served) -> Enrollment:
    return served.center.enrollment  # type: ignore[no-any-return]  # a center is Any to these tests


@pytest_asyncio.fixture
async def signing(served: Served, room: RoomPeer, tmp_path: Path) -> AsyncIterator[SigningRoom]:
    code = await enrollment(served).new_code("court1/c03")
    key = await asyncio.to_thread(enroll_device, served, tmp_path / "device", code)
    yield SigningRoom(room, served, key)


def sentences(first: int, last: int) -> list[dict[str, Any]]:
    return [said(n, f"说的第{n}句话", at_ms=n) for n in range(first, last + 1)]


async def test_a_ledger_that_the_center_holds_whole_is_witnessed_as_it_grows(signing: SigningRoom) -> None:
    signing.say(opening(1), *sentences(2, 40))
    await signing.receipted()
    assert signing.is_witnessed(await signing.ask(signing.head(25)))
    assert signing.is_witnessed(await signing.ask(signing.head(40)))
    signing.say(*sentences(60, 90))
    await signing.receipted()
    assert signing.is_witnessed(await signing.ask(signing.head()))
    async with signing.served.inspector() as http:
        seen = (await http.get("/api/hearings/h1")).json()["integrity"]
    assert (seen["witnessed_leaves"], seen["refused"]) == (71, None)
    assert signing.alarms() == set()


async def test_while_leaves_are_missing_nothing_is_answered_and_then_it_is_at_once(signing: SigningRoom) -> None:
    signing.say(opening(1), *sentences(2, 9))
    signing.say(*sentences(10, 12), send=False)
    await until(lambda: set(range(1, 10)) <= signing.peer.receipts())
    signing.peer.publish("checkpoints", signing.sign(signing.head()))
    assert signing.is_witnessed(await signing.ask(signing.head(9)))  # a later question was answered, that one was not
    assert signing.answers(12) == []
    for event in signing.events[9:]:
        signing.peer.publish("events", event)
    await until(lambda: signing.answers(12))
    assert signing.is_witnessed(signing.answers(12)[0])


async def test_an_old_checkpoint_replayed_gets_the_stored_answer_and_changes_nothing(signing: SigningRoom) -> None:
    signing.say(opening(1), *sentences(2, 30))
    await signing.receipted()
    old = signing.sign(signing.head(10))
    first = await signing.ask_note(old)
    await signing.ask(signing.head(30))
    assert await signing.ask_note(old) == first
    # One that was never shown before is judged by the same leaves.
    assert signing.is_witnessed(await signing.ask(signing.head(17)))
    assert (await signing.served.center.witness.of_hearing("h1"))["witnessed_leaves"] == 30
    assert signing.alarms() == set()


async def test_a_fork_is_refused_kept_as_proof_and_alarmed_also_after_a_restart(
    signing: SigningRoom, tmp_path: Path
) -> None:
    signing.say(opening(1), *sentences(2, 20))
    await signing.receipted()
    true = signing.head(20)
    await signing.ask(true)
    other = replace(true, root=bytes(32))
    forged = signing.sign(other)
    assert (await signing.ask_note(forged))["refused"] == "fork"
    # A tree that goes on from another beginning; a rolled-back one; and one that leaves out an event.
    assert (await signing.ask(replace(signing.head(12), root=bytes(32))))["refused"] == "fork"
    left_out = replace(true, size=19)
    assert (await signing.ask(left_out))["refused"] == "fork"
    assert "fork" in signing.alarms()
    query = "SELECT refused, note FROM checkpoints WHERE size = 20 ORDER BY refused"
    (none, kept), (why, proof) = databases.rows(signing.served.data / "center.db", query)
    assert (none, why) == ("", "fork")
    assert signing.is_witnessed({"note": kept})
    assert proof.encode() == forged
    async with signing.served.inspector() as http:
        assert (await http.get("/api/hearings/h1")).json()["integrity"]["refused"] == "fork"
        rooms = {r["address"]: r for r in (await http.get("/api/rooms")).json()}
        assert "fork" in {alarm["code"] for alarm in rooms["court1/c03"]["center_alarms"]}
    assert next(row["address"] for row in await signing.served.audited("fork")) == "court1/c03"
    again = build(load_config(tmp_path / "center.toml"))
    async with running(again, "127.0.0.1", 0):
        await until(lambda: "fork" in again.rooms.states["court1/c03"].alarms)


async def test_an_event_that_the_room_never_signed_makes_its_next_checkpoint_a_fork(signing: SigningRoom) -> None:
    signing.say(opening(1), *sentences(2, 5))
    await signing.receipted()
    await signing.ask(signing.head())
    signing.peer.publish("events", said(6, "没有签名的话"))
    await until(lambda: 6 in signing.peer.receipts())
    signing.events += sentences(7, 8)
    for event in signing.events[-2:]:
        signing.peer.publish("events", event)
    await until(lambda: 8 in signing.peer.receipts())
    assert (await signing.ask(signing.head()))["refused"] == "fork"


async def test_strangers_false_signatures_and_other_rooms_are_refused(signing: SigningRoom) -> None:
    signing.say(opening(1), *sentences(2, 4))
    await signing.receipted()
    head = signing.head()
    stranger = Ed25519PrivateKey.generate()
    assert (await signing.ask(head, stranger))["refused"] == "device"
    note = signing.sign(head).replace(b"last 4", b"last 5")
    assert (await signing.ask_note(note))["refused"] == "signature"
    assert (await signing.ask(replace(head, room="court1/c04")))["refused"] == "form"
    signing.peer.publish("checkpoints", b"\x00nonsense")
    await until(lambda: "malformed" in signing.alarms())
    assert signing.is_witnessed(await signing.ask(head))


async def test_a_room_cannot_have_another_rooms_hearing_witnessed(
    signing: SigningRoom, served: Served, tmp_path: Path
) -> None:
    signing.say(opening(1), *sentences(2, 4))
    await signing.receipted()
    code = await enrollment(served).new_code("court1/c04")
    key = await asyncio.to_thread(enroll_device, served, tmp_path / "other", code, "court1/c04")
    peer = await RoomPeer(served.broker_port, "court1/c04").start()
    try:
        other = SigningRoom(peer, served, key)
        other.events = signing.events
        assert (await other.ask(other.head(room="court1/c04")))["refused"] == "form"
    finally:
        peer.stop()


async def test_a_revoked_an_expired_a_replaced_and_a_wrongly_certified_device_may_not_sign(
    signing: SigningRoom, served: Served, tmp_path: Path
) -> None:
    signing.say(opening(1), *sentences(2, 4))
    await signing.receipted()
    assert await enrollment(served).revoke("court1/c03") == 1
    assert (await signing.ask(signing.head()))["refused"] == "device"
    code = await enrollment(served).new_code("court1/c03")
    newer = await asyncio.to_thread(enroll_device, served, tmp_path / "newer", code)
    assert (await signing.ask(signing.head()))["refused"] == "device"  # the old key stays revoked
    signing.key = newer
    assert signing.is_witnessed(await signing.ask(signing.head()))
    assert [d.revoked_utc_ns is None for d in await enrollment(served).devices("court1/c03")][:2] == [True, False]
    # A certificate of another center, slipped into the database, is no better than none.
    [own] = databases.rows(
        served.data / "center.db",
        "SELECT certificate FROM devices WHERE revoked_utc_ns IS NULL AND room = 'court1/c03'",
    )
    request, stranger = certificate_request(newer, "court1/c03"), Ed25519PrivateKey.generate()
    foreign = issue(request, "court1/c03", stranger, dt.datetime.now(dt.UTC))
    with databases.opened(served.data / "center.db") as database:
        database.execute(
            "UPDATE devices SET certificate = ? WHERE room = 'court1/c03' AND revoked_utc_ns IS NULL",
            (foreign.decode(),),
        )
    assert (await signing.ask(signing.head(2)))["refused"] == "device"
    with databases.opened(served.data / "center.db") as database:
        database.execute("UPDATE devices SET certificate = ? WHERE room = 'court1/c03' AND revoked_utc_ns IS NULL", own)
    witness: Witness = served.center.witness
    true_utc_ns = witness._utc_ns
    witness._utc_ns = lambda: true_utc_ns() + 6 * 365 * 86_400 * 10**9
    assert (await signing.ask(signing.head(3)))["refused"] == "device"


async def test_twenty_thousand_leaves_are_folded_once_not_at_every_checkpoint(signing: SigningRoom) -> None:
    def store() -> None:
        signing.say(opening(1), *sentences(2, 20_000), send=False)
        with databases.opened(signing.served.data / "center.db") as stored:
            for event in signing.events:
                got = read_event("court1/c03", json.dumps(event).encode())
                stored.execute(
                    "INSERT INTO events VALUES ('court1/c03', ?, 'h1', ?, ?, ?, ?, ?, 0)",
                    (
                        event["number"],
                        event["kind"],
                        event["room_ns"],
                        event["utc_ns"],
                        got.body_text,
                        got.digest,
                    ),
                )

    # Beside the loop, on which the center keeps its line to the broker.
    await asyncio.to_thread(store)
    head = await asyncio.to_thread(signing.head, 19_990)
    assert signing.is_witnessed(await signing.ask(head))
    read: list[str] = []
    engine = signing.served.center.database._engine

    def count(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "events.body" in statement or ("count(" in statement and "events" in statement):
            read.append(str(parameters))

    sa_event.listen(engine, "before_cursor_execute", count)
    assert signing.is_witnessed(await signing.ask(await asyncio.to_thread(signing.head)))
    assert len(read) == 2
    assert all("19990" in parameters for parameters in read)  # only what came after the tree that is stored


async def test_an_event_from_before_the_end_of_a_witnessed_tree_is_counted_all_the_same(signing: SigningRoom) -> None:
    signing.say(opening(1), *sentences(2, 5), *sentences(10, 14))
    await signing.receipted()
    assert signing.is_witnessed(await signing.ask(signing.head()))
    signing.peer.publish("events", said(7, "没有签名的话"))
    await until(lambda: 7 in signing.peer.receipts())
    signing.say(said(15, "下一句"))
    await signing.receipted()
    assert (await signing.ask(signing.head()))["refused"] == "fork"


async def test_a_room_whose_record_cannot_be_read_holds_up_no_other(
    signing: SigningRoom, served: Served, tmp_path: Path
) -> None:
    signing.say(opening(1), *sentences(2, 9))
    await signing.receipted()
    with databases.opened(served.data / "center.db") as database:
        body = database.execute("SELECT body FROM events WHERE room = 'court1/c03' AND number = 5").fetchone()
        database.execute("UPDATE events SET body = '{' WHERE room = 'court1/c03' AND number = 5")
    code = await enrollment(served).new_code("court1/c04")
    key = await asyncio.to_thread(enroll_device, served, tmp_path / "other", code, "court1/c04")
    peer = await RoomPeer(served.broker_port, "court1/c04").start()
    try:
        other = SigningRoom(peer, served, key)
        other.say(opening(1, hearing="h2"), said(2, "别的法庭", hearing="h2"))
        await other.receipted()
        for _ in range(50):
            signing.peer.publish("checkpoints", signing.sign(signing.head()))
        assert "note" in await other.ask(other.head(hearing="h2", room="court1/c04"))
        # Of many of one hearing most have no room and are to be asked again; what is judged is not answered.
        assert [answer for answer in signing.answers() if "again_s" not in answer] == []
    finally:
        peer.stop()
    with databases.opened(served.data / "center.db") as database:
        database.execute("UPDATE events SET body = ? WHERE room = 'court1/c03' AND number = 5", body)
    signing.peer.publish("checkpoints", signing.sign(signing.head()))
    await until(lambda: [answer for answer in signing.answers() if "note" in answer])
    assert signing.is_witnessed(next(answer for answer in signing.answers() if "note" in answer))


async def test_two_processes_witness_one_tree_of_a_size_and_say_the_same(signing: SigningRoom, served: Served) -> None:
    signing.say(opening(1), *sentences(2, 40))
    await signing.receipted()
    said_by_other: list[dict[str, Any]] = []

    class Broker:
        connected = True

        def publish(self, _room: str, _topic: str, payload: bytes, **_how: Any) -> bool:
            said_by_other.append(json.loads(payload))
            return True

    broker: Any = Broker()
    first: Witness = served.center.witness
    second_database = open_database(f"sqlite:///{served.data / 'center.db'}")
    second = Witness(
        second_database,
        first._key,
        served.center.rooms,
        served.center.audit,
        broker,
        SignedPublisher(broker, first._key),
    )
    running_second = asyncio.create_task(second.run())
    try:
        for size in range(2, 41, 2):
            note = signing.sign(signing.head(size))
            first.offer("court1/c03", note)
            second.offer("court1/c03", note)
            await until(lambda count=size // 2: len(said_by_other) == count)  # type: ignore[misc]  # a lambda's default
        await until(lambda: len(said_by_other) == 20 and len(signing.answers()) == 20, 30)
        assert {a["size"]: a["note"] for a in said_by_other} == {a["size"]: a["note"] for a in signing.answers()}
        # Whatever a process took for true, what stands cannot be joined by another tree.
        true = signing.head(40)
        asked = AskedHead("court1/c03", read_note(signing.sign(true).decode()), true)
        other = replace(true, root=bytes(32))
        false = AskedHead("court1/c03", read_note(signing.sign(other).decode()), other)
        signer = Verifier("court1/c03", signing.key.public_key())
        cosigned = second._countersigned(HeadFinding(asked, signer=signer))
        assert await second._cosign(cosigned) == signing.answers(40)[0]["note"]
        with pytest.raises(LedgerError, match="another tree"):
            await second._cosign(second._countersigned(HeadFinding(false, signer=signer)))
        values = second._row(false, "")
        with pytest.raises(StorageError, match="refused a write") as caught:
            await second_database.write(lambda c: c.execute(insert(tables.checkpoints).values(**values)))
        assert "UNIQUE" in str(caught.value.__cause__)
        await second._keep_fork(false)  # the proof of a fork may stand beside it
    finally:
        running_second.cancel()
        await asyncio.gather(running_second, return_exceptions=True)
        await asyncio.to_thread(second_database.close)


def test_the_index_of_witnessed_trees_is_the_same_in_both_databases_and_their_migration() -> None:
    (index,) = tables.checkpoints.indexes
    dialects = postgresql.dialect(), sqlite.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's are not typed
    for dialect in dialects:
        written = StringIO()
        context = MigrationContext.configure(dialect=dialect, opts={"as_sql": True, "output_buffer": written})
        with Operations.context(context):
            importlib.import_module("server.migrations.versions.0003_one_tree_of_a_size").upgrade()
        made = str(CreateIndex(index).compile(dialect=dialect))
        assert made.endswith("(hearing, size) WHERE refused = ''")
        assert made.startswith("CREATE UNIQUE INDEX checkpoints_witnessed")
        assert written.getvalue().strip().rstrip(";") == made


def test_a_center_of_before_gets_the_index_at_its_start(tmp_path: Path) -> None:
    file = tmp_path / "center.db"
    open_database(f"sqlite:///{file}", "0002").close()
    with databases.opened(file) as old:
        for root, why in (("aa", ""), ("bb", "fork")):
            old.execute(
                "INSERT INTO checkpoints VALUES ('h1', 5, ?, 'court1/c03', 5, '', 'note', ?, 0, NULL)", (root, why)
            )
    open_database(f"sqlite:///{file}").close()
    with pytest.raises(sqlite3.IntegrityError), databases.opened(file) as old:
        old.execute("INSERT INTO checkpoints VALUES ('h1', 5, 'cc', 'court1/c03', 5, '', 'note', '', 0, NULL)")


CENTER = "from wutong.cli import main; main()"


def spawn(config: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", CENTER, "server", "--config", str(config)])


async def test_killed_between_storing_and_answering_the_center_says_the_same_again(
    tmp_path: Path, broker_port: int
) -> None:
    data, port = tmp_path / "center", free_port()
    config = tmp_path / "center.toml"
    config.write_text(config_text(data, broker_port, port))
    served = Served(f"http://127.0.0.1:{port}", broker_port, data)
    peer = await RoomPeer(broker_port).start()

    async def start() -> subprocess.Popen[bytes]:
        process = spawn(config)
        async with httpx.AsyncClient() as http, asyncio.timeout(60):
            while True:
                assert process.poll() is None
                try:
                    await http.get(f"{served.url}/api/session")
                    return process
                except httpx.TransportError:
                    await asyncio.sleep(0.05)

    process = await start()
    try:
        code = await new_code(load_config(config), "court1/c03")
        key = await asyncio.to_thread(enroll_device, served, tmp_path / "device", code)
        signing = SigningRoom(peer, served, key)
        signing.say(opening(1), *sentences(2, 200))
        await signing.receipted()
        for size in (120, 200):
            signing.peer.publish("checkpoints", signing.sign(signing.head(size)))
            stored = sqlite3.connect(data / "center.db", timeout=10)
            query = "SELECT note FROM checkpoints WHERE size = ?"
            row = await until(lambda q=query, s=size, db=stored: db.execute(q, (s,)).fetchone(), 30)  # type: ignore[misc]  # a lambda's default
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            stored.close()
            process = await start()
            await until(lambda: peer.ready)
            # The room asks again, as it does after a reconnect: whatever it got, the answer is the stored one.
            answer = await signing.ask(signing.head(size))
            assert answer["note"] == row[0]
            assert {a["note"] for a in signing.answers(size)} == {row[0]}
            assert signing.is_witnessed(answer)
    finally:
        peer.stop()
        process.terminate()
        process.wait(10)
