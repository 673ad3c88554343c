"""Rooms are told what is not for everybody's sight of their hearings, at each act and whenever they come back."""

from __future__ import annotations

from typing import Any

from server.config import load_config
from server.notices import Notices
from server.running import running
from server.service import build
from tests.support.peers.center_peers import ROOM_NS, RoomPeer, Served, event, opening, until

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
        assert await told(1) == {"hearing": "h1", "level": "open", "parts": [said], "lifted": []}
        await http.post(f"/api/hearings/h1/sealed-parts/{part}/end")
        assert (await told(2))["parts"][0]["to_ns"] >= STATUS["room_ns"]
        await http.put("/api/hearings/h1/access", json={"level": "withdrawn", "reason": "涉及国家秘密"})
        assert (await told(3))["level"] == "withdrawn"
        await http.post(f"/api/hearings/h1/sealed-parts/{part}/lift", json={"reason": "批"})
        assert await told(4) == {"hearing": "h1", "level": "withdrawn", "parts": [], "lifted": []}
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


def sealed_by_room(number: int, name: str) -> dict[str, Any]:
    body = {"id": name, "from_ns": ROOM_NS, "to_ns": ROOM_NS + 10**9, "level": "restricted", "by": "书记员"}
    return event(number, "sealed_part", {**body, "reason": "涉及个人隐私"}, at_ms=2000)


async def test_what_the_archivist_lifts_of_a_rooms_own_parts_is_told_also_to_a_room_that_was_away(
    served: Served, room: RoomPeer
) -> None:
    for one in (opening(1), sealed_by_room(2, "a"), sealed_by_room(3, "b")):
        room.publish("events", one)
    await until(lambda: {1, 2, 3} <= room.receipts())

    async def told() -> Any:
        count = len(room.of("notices"))
        room.publish("status", {"online": False})
        await until(lambda: not served.center.rooms.states["court1/c03"].online)
        room.publish("status", STATUS)
        return (await until(lambda: len(room.of("notices")) > count and room.of("notices")))[-1]

    room.publish("status", STATUS)
    await until(lambda: served.center.rooms.states["court1/c03"].online)
    assert (await told())["parts"] == [], "a room knows by itself what it has sealed"
    async with served.inspector("archivist") as http:
        for name in ("a", "b"):
            lifting = f"/api/hearings/h1/sealed-parts/room:{name}/lift"
            assert (await http.post(lifting, json={"reason": "申请获批"})).status_code == 200
    # A room that is there is told of each of them; those have come before it is away.
    await until(lambda: room.of("notices")[-1]["lifted"] == ["a", "b"])
    assert await told() == {"hearing": "h1", "level": "open", "parts": [], "lifted": ["a", "b"]}
    again = build(load_config(served.data.parent / "center.toml"))
    async with running(again, "127.0.0.1", 0):
        assert again.sealing.lifted("h1") == ["room:a", "room:b"], "also after a restart of the center"


async def test_a_room_that_comes_back_hears_of_the_hearing_that_it_tells_of_even_when_nothing_is_withheld(
    served: Served, room: RoomPeer
) -> None:
    room.publish("events", opening(1))
    await until(lambda: 1 in room.receipts())
    room.publish("status", {**STATUS, "hearing": {"id": "h1", "state": "open"}})
    said = (await until(lambda: room.of("notices")))[-1]
    assert said == {"hearing": "h1", "level": "open", "parts": [], "lifted": []}
    count = len(room.of("notices"))
    room.publish("status", {"online": False})
    await until(lambda: not served.center.rooms.states["court1/c03"].online)
    room.publish("status", {**STATUS, "hearing": {"id": "of-another-room", "state": "open"}})
    await until(lambda: served.center.rooms.states["court1/c03"].online)
    assert len(room.of("notices")) == count, "nothing is said of a hearing that is not this room's"


async def test_where_the_broker_is_several_machines_a_room_is_told_again_for_as_long_as_it_is_there(
    served: Served, room: RoomPeer
) -> None:
    """What one machine did not hand to another is lost, and neither the room nor the center hears of it."""
    said: list[str] = []

    class Losing:
        def tell(self, address: str, topic: str, text: str, **_: Any) -> bool:
            said.append(f"{address} {topic}")
            return True

    center = served.center
    notices = Notices(center.archive, center.classifications, center.sealing, Losing(), again_s=0.05)  # type: ignore[arg-type]
    room.publish("events", opening(1))
    room.publish("status", STATUS)
    await until(lambda: 1 in room.receipts())
    state = center.rooms.states["court1/c03"]
    await until(lambda: state.online)
    async with served.inspector() as http:
        assert (await http.put("/api/hearings/h1/sealed-parts", json=PART)).status_code == 200
    said.clear()
    notices.came_back(state)
    notices.came_back(state)  # twice at once is no more often afterwards
    await until(lambda: len(said) >= 5)
    assert set(said) == {"court1/c03 notices"}
    assert len(notices._timers) == 1
    room.publish("status", {"online": False})
    await until(lambda: not state.online and not notices._timers)
