"""Events: everything once, receipts only for what is on disk, nonsense kills nothing."""

from __future__ import annotations

import json
import random

import pytest
from sqlalchemy import func, select

from server.store import tables as t
from sync.ledger.messages.event_batch import pack_batch
from tests.support.peers.center_peers import RoomPeer, Served, event, opening, said, until

pytestmark = pytest.mark.both_databases


async def count(served: Served) -> int:
    query = select(func.count()).select_from(t.events)
    return int(await served.center.database.read(lambda c: c.execute(query).scalar()))


async def test_duplicates_and_any_order_are_stored_once_and_receipted(served: Served, room: RoomPeer) -> None:
    events = [
        opening(1),
        *(said(n, f"第{n}句话说给法庭听", at_ms=n * 1000) for n in range(2, 40)),
        event(40, "close", {}),
    ]
    shuffled = events * 3
    random.Random(5).shuffle(shuffled)
    for one in shuffled:
        room.publish("events", one)
    await until(lambda: room.receipts() == set(range(1, 41)))
    assert await count(served) == 40
    async with served.inspector() as http:
        shown = (await http.get("/api/hearings/h1")).json()
        assert shown["state"] == "closed"
        assert [u["id"] for u in shown["utterances"]] == [f"u{n}" for n in range(2, 40)]
        listed = (await http.get("/api/hearings")).json()
    assert [(h["id"], h["state"], h["case"]["cause"]) for h in listed] == [("h1", "closed", "民间借贷")]


async def test_same_number_with_other_content_is_refused_and_alarmed(served: Served, room: RoomPeer) -> None:
    room.publish("events", opening(1))
    await until(lambda: room.receipts() == {1})
    room.received.clear()
    room.publish("events", said(1, "这不是同一件事"))
    room.publish("events", said(2, "后来的话"))
    await until(lambda: room.receipts() == {2})
    assert served.center.rooms.states["court1/c03"].alarms.keys() == {"conflict"}
    async with served.inspector() as http:
        shown = (await http.get("/api/hearings/h1")).json()
        rooms = (await http.get("/api/rooms")).json()
    assert [u["text"] for u in shown["utterances"]] == ["后来的话"]
    assert "conflict" in str(rooms)
    assert room.refused() == [1]


async def test_a_room_cannot_speak_in_anothers_hearing(served: Served, room: RoomPeer) -> None:
    room.publish("events", opening(1))
    await until(lambda: room.receipts() == {1})
    stranger = await RoomPeer(served.broker_port, "court1/c04").start()
    try:
        stranger.publish("events", said(1, "伪造的一句话"))
        stranger.publish("events", opening(2, hearing="h2"))
        await until(lambda: stranger.receipts() == {2})
        assert "foreign" in served.center.rooms.states["court1/c04"].alarms
    finally:
        stranger.stop()


@pytest.mark.parametrize(
    "body",
    [
        {"number": 1, "hearing": "h1", "kind": "pause", "room_ns": 1, "utc_ns": 1, "body": {}},
        {"number": 1, "hearing": "h1", "kind": "present", "room_ns": 1, "utc_ns": 1, "body": {"exhibit": "e"}},
        {"number": 2**70, "hearing": "h1", "kind": "close", "room_ns": 1, "utc_ns": 1, "body": {}},
        {"number": 1, "hearing": "../../etc", "kind": "close", "room_ns": 1, "utc_ns": 1, "body": {}},
        {"number": 1, "hearing": "h1", "kind": "mark", "room_ns": 1, "utc_ns": 1, "body": {"id": "\ud800"}},
        {"number": 1, "hearing": "h1", "kind": "open", "room_ns": 1, "utc_ns": 1, "body": {"case": "text"}},
        {"number": 1.5, "hearing": "h1", "kind": "close", "room_ns": 1, "utc_ns": 1, "body": {}},
        [],
        "text",
    ],
)
async def test_a_malformed_event_is_refused_and_the_next_is_stored(
    served: Served, room: RoomPeer, body: object
) -> None:
    room.publish("events", pack_batch(room.address, [1], json.dumps([body]), room.key))
    room.publish("events", opening(7))
    await until(lambda: room.receipts() == {7})
    assert await count(served) == 1
    assert "malformed" in served.center.rooms.states["court1/c03"].alarms
    named = isinstance(body, dict) and body["number"] == 1
    assert room.refused() == ([1] if named else [])
    assert bool(room.of("receipts")[0]["batches"]) is not named, "what is no batch of events is refused as a whole"
