"""Rooms are told what is not for everybody's sight of their hearings, at each act and whenever they come back."""

from __future__ import annotations

from typing import Any

from tests.support.peers.center_peers import ROOM_NS, RoomPeer, Served, opening, until

ROOM_MS = ROOM_NS / 1e6
PART = {"from_ms": ROOM_MS + 1000, "to_ms": None, "level": "restricted", "reason": "涉及个人隐私"}
STATUS = {"online": True, "at_utc_ns": 1, "room_ns": ROOM_NS + 9 * 10**9}


async def test_a_room_hears_of_each_act_and_never_why(served: Served, room: RoomPeer) -> None:
    room.publish("events", opening(1))
    room.publish("status", STATUS)
    await until(lambda: 1 in room.receipts())
    await until(lambda: served.center.rooms.states["court1/c03"].online)
    assert room.of("notices") == [], "of a hearing of which nobody has said anything nothing is told"

    async def told(count: int) -> Any:
        return (await until(lambda: len(room.of("notices")) >= count and room.of("notices")))[-1]

    async with served.inspector("archivist") as http:
        part = (await http.put("/api/hearings/h1/sealed-parts", json=PART)).json()[0]["id"]
        said = {"id": part, "from_ns": ROOM_NS + 10**9, "to_ns": None, "level": "restricted"}
        assert await told(1) == {"hearing": "h1", "level": "open", "parts": [said]}
        await http.post(f"/api/hearings/h1/sealed-parts/{part}/end")
        assert (await told(2))["parts"][0]["to_ns"] >= STATUS["room_ns"]
        await http.put("/api/hearings/h1/access", json={"level": "withdrawn", "reason": "涉及国家秘密"})
        assert (await told(3))["level"] == "withdrawn"
        await http.post(f"/api/hearings/h1/sealed-parts/{part}/lift", json={"reason": "批"})
        assert await told(4) == {"hearing": "h1", "level": "withdrawn", "parts": []}
    assert "隐私" not in str(room.of("notices"))


async def test_a_room_that_was_away_is_told_again_and_no_other_room_hears_it(served: Served, room: RoomPeer) -> None:
    other = await RoomPeer(served.broker_port, "court1/c04").start()
    try:
        room.publish("events", opening(1))
        await until(lambda: 1 in room.receipts())
        async with served.inspector() as http:
            assert (await http.put("/api/hearings/h1/sealed-parts", json=PART)).status_code == 200
        await until(lambda: room.of("notices"))
        room.publish("status", {"online": False})
        count = len(room.of("notices"))
        room.publish("status", STATUS)
        await until(lambda: len(room.of("notices")) > count)
        other.publish("status", STATUS)
        await until(lambda: served.center.rooms.states["court1/c04"].online)
        assert other.of("notices") == []
    finally:
        other.stop()
