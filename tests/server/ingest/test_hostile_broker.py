"""A hostile broker between both ends: the center has what the device signed and no more, and no outbox is emptied."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.config import RoomEntry
from server.ingest.mishaps import Mishaps
from server.ingest.receipts import Ingest
from server.ingest.signed_publisher import SignedPublisher
from server.rooms import Rooms
from server.store.database import open_database
from server.store.writer import RecordWriter
from sync.broker_address import BrokerAddress
from sync.errors import CenterError
from sync.ledger import note as notes
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.keys import certificate_request
from sync.ledger.messages.event_batch import pack_batch
from sync.ledger.messages.object_claim import sign_claim
from sync.ledger.note import Verifier
from sync.mqtt import MqttConnection
from sync.record.event import Event, event_digest
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from sync.uplink.events import outbox as outbox_module
from sync.uplink.events.outbox import Outbox
from sync.uplink.trust.trusted_center import TrustedCenter
from tests.support.files import databases
from tests.support.peers.center_peers import RoomPeer, Served, event, opening, said, until
from tests.support.peers.device_signatures import (
    CENTER_KEY,
    batch_of,
    center_says,
    device_key,
    know_center,
    signed_batch,
)

ADDRESS, OTHER = "court1/c03", "court1/c04"
STRANGER = Ed25519PrivateKey.generate()


def stored_at(data: Path) -> dict[int, str]:
    """What the center has of the room: number -> digest."""
    return dict(databases.rows(data / "center.db", f"SELECT number, sha256 FROM events WHERE room = '{ADDRESS}'"))


class Hostile:
    """Carries messages between an outbox and an ingest, and does to them whatever it likes."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.connected = True
        self.up: list[bytes] = []
        self.down: list[bytes] = []
        self.old: list[bytes] = []
        self.old_down: list[bytes] = []
        self.room: Callable[[bytes], None] = lambda payload: None
        self.center: Callable[[str, bytes], None] = lambda room, payload: None

    # As the room's connection.

    def subscribe(self, topic: str, qos: int, handler: Callable[[bytes], None]) -> None:
        self.room = handler

    def on_connected(self, callback: Callable[[], None]) -> None:
        pass

    def publish(self, topic: str, *arguments: Any, **how: Any) -> bool:
        # The room publishes (topic, payload), the center (room, topic, payload).
        (self.down if len(arguments) == 2 else self.up).append(arguments[-1])
        return True

    # What it does.

    def step(self, *, honest: bool) -> None:
        self._carry(self.up, self.old, self._to_center, honest=honest)
        self._carry(self.down, self.old_down, self.room, honest=honest)

    def _to_center(self, payload: bytes) -> None:
        with contextlib.suppress(CenterError):
            self.center(ADDRESS, payload)

    def _carry(self, line: list[bytes], old: list[bytes], give: Callable[[bytes], None], *, honest: bool) -> None:
        waiting, line[:] = list(line), []
        old += waiting
        if honest:
            for message in waiting:
                give(message)
            return
        self.random.shuffle(waiting)  # reordered
        for message in waiting:
            act = self.random.choice(["give", "drop", "delay", "cut", "flip", "mix", "replay", "plain", "forge"])
            if act == "give":
                give(message)
            elif act == "delay":
                line.append(message)
            elif act == "cut":
                give(message[: self.random.randrange(len(message))])
            elif act == "flip":
                at = self.random.randrange(len(message))
                give(message[:at] + bytes([message[at] ^ 1]) + message[at + 1 :])
            elif act in ("mix", "replay"):
                give(self.random.choice(old) if act == "replay" else self._mixed(message, self.random.choice(old)))
            elif act == "plain":
                self._plain(give)
            elif act == "forge":
                self._forge(give)

    @staticmethod
    def _mixed(one: bytes, other: bytes) -> bytes:
        first, second = json.loads(one), json.loads(other)
        return json.dumps({**second, "note": first["note"]}).encode()

    def _plain(self, give: Callable[[bytes], None]) -> None:
        number = self.random.randrange(1, 60)
        give(json.dumps(said(number, "伪造的陈述：我承认全部指控", hearing="h")).encode())
        give(json.dumps({"numbers": list(range(1, 60)), "refused": []}).encode())

    def _forge(self, give: Callable[[bytes], None]) -> None:
        forged = said(self.random.randrange(1, 60), "伪造的陈述：我承认全部指控", hearing="h")
        give(signed_batch(ADDRESS, forged, key=STRANGER))
        give(signed_batch(OTHER, forged))  # a true signature of another room
        everything = {"stored": [{"number": n, "sha256": "0" * 64} for n in range(1, 60)]}
        give(center_says("receipts", ADDRESS, everything, 1, STRANGER))
        give(center_says("receipts", OTHER, everything, 1))


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_the_broker_does_the_center_has_the_rooms_events_and_no_others(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "RESEND_S", 0.0)
    layout = RoomPaths(tmp_path / "room")
    know_center(layout)
    room_log = RoomLog(layout.log)
    database = open_database(f"sqlite:///{tmp_path / 'center.db'}")
    entries = [RoomEntry(court="court1", room=r, token_sha256=d * 64) for r, d in (("c03", "0"), ("c04", "1"))]
    hostile = Hostile(seed)
    publisher = SignedPublisher(hostile, CENTER_KEY)  # type: ignore[arg-type]  # it has all that is used
    keys = {room: [Verifier(room, device_key(room).public_key())] for room in (ADDRESS, OTHER)}
    rooms = Rooms(entries)
    ingest = Ingest(RecordWriter(database), rooms, publisher, lambda room: keys[room], Mishaps(rooms))
    hostile.center = ingest.offer
    trusted = TrustedCenter(layout, ADDRESS)
    outbox = Outbox(room_log, hostile, "p", trusted, device_key(ADDRESS))  # type: ignore[arg-type]  # likewise
    tasks = [asyncio.create_task(outbox.run()), asyncio.create_task(ingest.run())]
    try:
        for turn in range(60):
            if turn < 40:
                body = {"id": f"m{turn}", "kind": "note", "text": "标记"}
                room_log.append("mark", body, hearing="h", room_ns=turn, utc_ns=turn)
            outbox.kick()
            hostile.step(honest=turn % 4 == 3)
            for _ in range(5):
                await asyncio.sleep(0)
            _nothing_is_false(room_log, tmp_path)
        async with asyncio.timeout(60):
            while room_log.pending_count():
                outbox.kick()
                hostile.step(honest=True)
                await asyncio.sleep(0.01)
        _nothing_is_false(room_log, tmp_path)
        assert len(stored_at(tmp_path)) == 40
        assert not any(task.done() for task in tasks)
        assert outbox.failed == 0
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        room_log.close()
        database.close()


def _nothing_is_false(room_log: RoomLog, center: Path) -> None:
    pending = {one.number for one in room_log.pending(limit=1000)}
    own = {one.number: event_digest(one) for one in room_log.since(0)}
    stored = stored_at(center)
    assert stored.items() <= own.items(), "the center has what the device never signed"
    assert own.keys() - pending <= stored.keys(), "the room has forgotten what the center does not have"


async def _refused(served: Served, peer: RoomPeer, count: int, *payloads: bytes) -> None:
    """Publish these; wait until so many were refused."""
    before = sum(served.center.ingest.refused.values())
    for payload in payloads:
        peer.publish("events", payload)
    await until(lambda: sum(served.center.ingest.refused.values()) >= before + count)


async def test_who_has_the_rooms_account_forges_no_event_and_takes_no_number(served: Served, room: RoomPeer) -> None:
    thief = await RoomPeer(served.broker_port).start()  # the room's own account, and no key
    try:
        room.publish("events", opening(1))
        await until(lambda: room.receipts() == {1})
        forged = said(2, "伪造的陈述：我承认全部指控")
        await _refused(
            served,
            thief,
            3,
            json.dumps(forged).encode(),
            signed_batch(ADDRESS, forged, key=STRANGER),
            signed_batch(ADDRESS, forged, key=device_key(OTHER)),
        )
        room.publish("events", said(2, "我从未说过"))
        await until(lambda: 2 in room.receipts())
    finally:
        thief.stop()
    assert room.refused() == []
    assert {"unsigned", "signature"} <= served.center.rooms.states[ADDRESS].alarms.keys()
    async with served.inspector() as http:
        shown = (await http.get("/api/hearings/h1")).json()
    assert [u["text"] for u in shown["utterances"]] == ["我从未说过"]
    assert served.center.ingest.refused == {"unsigned": 1, "signature": 2}


async def test_a_signature_of_another_kind_is_none_of_a_batch(served: Served, room: RoomPeer) -> None:
    """A checkpoint, a claim, another room's batch, another batch of this room: true notes, of something else."""
    forged = json.dumps([said(2, "伪造")], ensure_ascii=False)
    mine = json.loads(signed_batch(ADDRESS, said(3, "另一句")))
    checkpoint = Checkpoint(ADDRESS, "h1", 1, bytes(32), 2, 1).to_text()
    claim = {"bytes": 2, "hearing": "h1", "index": 0, "kind": "page", "room": ADDRESS, "sha256": "0" * 64, "track": ""}
    others = [
        notes.sign(checkpoint, ADDRESS, room.key).to_text(),
        notes.sign(f"wutong export\nh1\n{'0' * 64}\n", ADDRESS, room.key).to_text(),
        sign_claim(claim, room.key),
        mine["note"],
        json.loads(signed_batch(OTHER, said(2, "伪造")))["note"],
        mine["note"].replace("3 3 1", "2 2 1"),
    ]
    await _refused(served, room, len(others), *(json.dumps({"note": n, "events": forged}).encode() for n in others))
    room.publish("events", opening(1))
    await until(lambda: room.receipts() == {1})
    assert set(served.center.ingest.refused) == {"signature"}
    assert stored_at(served.data).keys() == {1}


@pytest.mark.parametrize("kind", ["gap", "count", "order", "twice", "many", "none", "object", "deep", "huge"])
async def test_what_the_device_signed_and_is_no_batch_is_refused_whole(
    served: Served, room: RoomPeer, kind: str
) -> None:
    one, two = said(1, "一"), said(2, "二")
    numbers, value = {
        "gap": ([1, 3], [one, two]),
        "count": ([1, 1, 2], [one, two]),
        "order": ([2, 1], [two, one]),
        "twice": ([1, 1], [one, one]),
        "many": (list(range(1, 66)), [said(n, "多") for n in range(1, 66)]),
        "none": ([1], []),
        "object": ([1], one),
        "deep": ([1], "[" * 200 + "]" * 200),
        "huge": ([1], [{**one, "room_ns": 10**400}]),
    }[kind]
    text = value if isinstance(value, str) else json.dumps(value)
    await _refused(served, room, 1, pack_batch(ADDRESS, numbers, text, room.key))
    room.publish("events", opening(7))
    await until(lambda: room.receipts() == {7})
    assert stored_at(served.data).keys() == {7}


async def test_a_room_that_is_not_enrolled_waits_and_one_that_is_revoked_is_heard_no_more(
    served: Served, room: RoomPeer
) -> None:
    room.publish("events", opening(1))
    await until(lambda: room.receipts() == {1})
    await served.center.enrollment.revoke(ADDRESS)
    await _refused(served, room, 1, signed_batch(ADDRESS, said(2, "吊销以后")))
    assert "not-enrolled" in served.center.rooms.states[ADDRESS].alarms
    await until(lambda: [b["why"] for v in room.of("receipts") for b in v["batches"]] == ["not-enrolled"])
    # Another device of the room: what it took over of the old one's outbox it signs with its own key.
    room.key = Ed25519PrivateKey.generate()
    code = await served.center.enrollment.new_code(ADDRESS)
    await served.center.enrollment.redeem(code, certificate_request(room.key, ADDRESS).decode())
    room.publish("events", said(2, "吊销以后"))
    await until(lambda: 2 in room.receipts())
    assert "not-enrolled" not in served.center.rooms.states[ADDRESS].alarms
    await _refused(served, room, 1, signed_batch(ADDRESS, said(3, "旧设备")))
    assert stored_at(served.data).keys() == {1, 2}


@contextlib.asynccontextmanager
async def sending(served: Served, folder: Path) -> AsyncIterator[RoomLog]:
    """The room's own outbox at the real broker, enrolled at the real center."""
    layout = RoomPaths(folder)
    layout.keys.mkdir(parents=True)
    layout.center_key.write_bytes((served.data / "keys" / "center.pem").read_bytes())
    room_log = RoomLog(layout.log)
    line = MqttConnection(BrokerAddress("127.0.0.1", served.broker_port, "the-room"))
    outbox = Outbox(room_log, line, f"court/v1/{ADDRESS}", TrustedCenter(layout, ADDRESS), device_key(ADDRESS))
    line.start()
    task = asyncio.create_task(outbox.run())
    try:
        yield room_log
    finally:
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await line.stop()
        room_log.close()


async def test_beside_a_thief_at_the_real_broker_the_record_is_the_rooms_own(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "RESEND_S", 0.3)
    thief = await RoomPeer(served.broker_port).start()
    try:
        async with sending(served, tmp_path / "room") as room_log:
            for turn in range(20):
                body = {"id": f"m{turn}", "kind": "note", "text": "标记"}
                room_log.append("mark", body, hearing="h", room_ns=turn, utc_ns=turn)
                forged = event(turn + 1, "mark", {"id": "x", "kind": "note", "text": "伪造"}, hearing="h")
                thief.publish("events", json.dumps(forged).encode())
                thief.publish("events", signed_batch(ADDRESS, forged, key=STRANGER))
                thief.publish("receipts", json.dumps({"numbers": list(range(1, 9999))}).encode())
                thief.publish("receipts", b'{"numbers":[9223372036854775808]}')
                thief.publish("receipts", center_says("receipts", ADDRESS, {"stored": []}, turn + 1, STRANGER))
                await asyncio.sleep(0)
                _nothing_is_false(room_log, served.data)
            await until(lambda: room_log.pending_count() == 0)
            _nothing_is_false(room_log, served.data)
            assert len(stored_at(served.data)) == 20
    finally:
        thief.stop()
    assert served.center.ingest.refused["signature"] == 20


async def test_the_plain_way_takes_a_room_of_before_in_red_until_its_device_has_signed(
    tmp_path: Path,
) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'center.db'}")
    rooms = Rooms([RoomEntry(court="court1", room="c03", token_sha256="0" * 64)])
    hostile, is_open = Hostile(1), [True]
    publisher = SignedPublisher(hostile, CENTER_KEY, accept_unsigned=lambda: is_open[0])  # type: ignore[arg-type]
    key = Verifier(ADDRESS, device_key(ADDRESS).public_key())
    mishaps = Mishaps(rooms)
    ingest = Ingest(
        RecordWriter(database), rooms, publisher, lambda room: [key], mishaps, accept_unsigned=lambda: is_open[0]
    )
    task = asyncio.create_task(ingest.run())
    try:
        ingest.offer(ADDRESS, json.dumps(opening(1)).encode())
        await until(lambda: hostile.down)
        before = json.loads(hostile.down.pop())
        assert (before["numbers"], before["refused"]) == ([1], []), "as rooms of before read it"
        assert rooms.states[ADDRESS].alarms.keys() == {"plain"}
        ingest.offer(ADDRESS, batch_of(ADDRESS, [Event.from_json(said(2, "已签名"))]))
        await until(lambda: hostile.down)
        assert rooms.states[ADDRESS].alarms.keys() == set()
        ingest.offer(ADDRESS, json.dumps(said(3, "又未签名")).encode())
        await until(lambda: ingest.refused["unsigned"])
        is_open[0] = False
        assert "unsigned" in rooms.states[ADDRESS].alarms
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        database.close()
    assert stored_at(tmp_path).keys() == {1, 2}
