"""Rooms that are added and retired while tabs are open: each tab is told, and nothing is left of one that is gone."""

from __future__ import annotations

from tests.support.peers.wall_hub import WallHub, address, take_all, texts

NEW = "court9/c01"


async def test_a_tab_is_told_of_a_room_that_is_added_before_anything_of_it() -> None:
    hub = WallHub(2)
    tab = hub.tab()
    await take_all(tab)
    hub.rooms.enlist(NEW, "九法院", "第一法庭", named=True)
    hub.rooms.status(NEW, b'{"online":true,"room_name":"x"}')
    hub.hub.wall.tell()
    told = [one for one in await take_all(tab) if isinstance(one, dict)]
    assert [one["type"] for one in told] == ["rooms"]
    rooms = {one["address"]: one for one in told[0]["rooms"]}
    assert (rooms[NEW]["room_name"], rooms[NEW]["online"]) == ("第一法庭", True)


async def test_a_retired_room_is_told_to_nobody_and_what_it_still_says_is_nothing() -> None:
    hub = WallHub(3)
    hub.status(1)
    tab = hub.tab([0, 1, 2])
    await take_all(tab)
    hub.rooms.alarm(address(1), "conflict", "x")
    hub.rooms.strike(address(1))
    hub.rooms.alarm(address(1), "conflict", "what was under way")
    hub.hub.wall.tell()
    told = await texts(tab, "rooms")
    assert [one["address"] for one in told[0]["rooms"]] == [address(0), address(2)]
    assert not hub.rooms.states[address(1)].alarms
    hub.status(2, speaking=["judge"])
    hub.rooms.poll()
    hub.hub.wall.tell()
    assert [one["rooms"][0]["address"] for one in await texts(tab, "changes")] == [address(2)]


async def test_a_room_that_comes_back_is_as_new() -> None:
    hub = WallHub(1)
    hub.status(0)
    hub.rooms.strike(address(0))
    hub.rooms.enlist(address(0), "", "又一庭", named=True)
    room = hub.rooms.states[address(0)]
    assert (room.online, room.status, room.live_id, room.room_name) == (False, None, None, "又一庭")
    assert room.known, "where one process hears all rooms it is away"
    hub.status(0)
    assert room.online
