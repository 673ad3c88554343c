"""Tabs that are told what is new, over real sockets before a real center, beside tabs of before."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import websockets

from server.access.classification import ARCHIVIST
from sync.http.live.tab import LiveTab
from sync.media.envelope import Kind
from tests.server.live.test_sealed_live import OPENED_MS, live, ready, room_is, seal
from tests.support.peers.center_peers import RoomPeer, Served, until
from tests.support.peers.live_tab import BENCH, IDLE, Tab, envelope, tab
from tests.support.peers.wall_hub import take_all

ROOM, OTHER = "court1/c03", "court1/c04"
ALARM = {"code": "disk", "subject": "", "text": "磁盘空间不足", "since_ns": 1}
OPEN = {**IDLE, "hearing": {"id": "h1", "state": "open", "case": {"public": True}, "opened_utc_ns": 1}}


def stills(one: Tab) -> list[int]:
    return [envelope.sequence for name, envelope in one.media if name == BENCH and envelope.kind is Kind.THUMBNAIL]


def news(one: Tab, address: str = ROOM) -> dict[str, Any]:
    """All that was new of a room so far, the later in the place of the earlier."""
    found: dict[str, Any] = {}
    for message in one.of("changes"):
        for room in message["rooms"]:
            if room["address"] == address:
                found |= room
    return found


async def test_a_wall_gets_pictures_and_words_of_what_it_shows_and_alarms_of_all(
    served: Served, room: RoomPeer
) -> None:
    room.publish("status", OPEN)
    room.publish("live/bench/thumb", envelope(Kind.THUMBNAIL, 1))
    async with (
        served.inspector() as http,
        tab(served, http, by_changes=True) as wall,
        tab(served, http, by_changes=True) as elsewhere,
        tab(served, http) as before,
    ):
        assert [one["number"] for one in wall.of("rooms")] == [0]
        assert wall.of("link")
        await wall.say(sight=[ROOM])
        await elsewhere.say(sight=[OTHER])
        await until(lambda: stills(wall) == [1] and stills(before) == [1])
        room.publish("live/bench/thumb", envelope(Kind.THUMBNAIL, 2))
        room.publish("caption", {"id": "c", "text": "现在", "start_ns": 3, "end_ns": 4})
        await until(lambda: stills(wall) == [1, 2] and wall.of("caption") and before.of("caption"))
        room.publish("status", {**OPEN, "speaking": ["judge"], "alarms": [ALARM]})
        for one in (wall, elsewhere):
            await until(lambda one=one: news(one).get("alarms"))  # type: ignore[misc]  # a lambda's default
        assert news(wall)["speaking"] == ["judge"]
        assert "speaking" not in news(elsewhere)
        await until(lambda: before.of("room")[-1]["room"]["alarms"])
        room.crash()
        for one in (wall, elsewhere):
            await until(lambda one=one: news(one).get("online") is False)  # type: ignore[misc]  # a lambda's default
            numbers = [message["number"] for message in one.of("changes")]
            assert numbers == list(range(1, len(numbers) + 1))
        assert (stills(elsewhere), elsewhere.of("caption"), elsewhere.of("room")) == ([], [], [])
        await elsewhere.say(sight=[OTHER, ROOM])
        await until(lambda: stills(elsewhere) == [2], 15)


async def test_who_follows_a_room_has_it_in_sight(served: Served, room: RoomPeer) -> None:
    room.publish("status", OPEN)
    async with served.inspector() as http, tab(served, http, by_changes=True) as page:
        await page.say(rooms=[ROOM])
        await until(lambda: {"tracks": [], "levels": True} in room.demands())
        room.publish("caption", {"id": "c", "text": "现在", "start_ns": 3, "end_ns": 4})
        await until(lambda: page.of("caption"))


async def test_who_missed_something_gets_the_whole(served: Served, room: RoomPeer) -> None:
    room.publish("status", OPEN)
    async with served.inspector() as http, tab(served, http, by_changes=True) as one:
        await one.say(whole=True)
        await until(lambda: len(one.of("rooms")) == 2)
        assert one.of("rooms")[1]["number"] == 0


async def test_a_sight_of_a_million_rooms_ends_the_tab_that_says_it_and_no_other(
    served: Served, room: RoomPeer
) -> None:
    room.publish("status", IDLE)
    async with served.inspector() as http, tab(served, http, by_changes=True) as good:
        async with tab(served, http, by_changes=True) as greedy:
            with contextlib.suppress(websockets.ConnectionClosed):  # it may be ended before all of it is sent
                await greedy.say(sight=["a/1"] * 1_000_000)
            await greedy.ws.wait_closed()
        await good.say(sight=[ROOM])
        room.publish("live/bench/thumb", envelope(Kind.THUMBNAIL, 1))
        await until(lambda: stills(good) == [1])


async def test_a_sight_that_toggles_without_end_is_the_end_of_its_tab_alone(served: Served, room: RoomPeer) -> None:
    room.publish("status", OPEN)
    room.publish("live/bench/thumb", envelope(Kind.THUMBNAIL, 1))
    async with served.inspector() as http, tab(served, http, by_changes=True) as good:
        await good.say(sight=[ROOM])
        await until(lambda: stills(good) == [1])
        async with tab(served, http, by_changes=True) as restless:
            with contextlib.suppress(websockets.ConnectionClosed):
                for turn in range(1000):
                    await restless.say(sight=[ROOM] if turn % 2 else [])
            await restless.ws.wait_closed()
            assert len(stills(restless)) <= 1
        room.publish("live/bench/thumb", envelope(Kind.THUMBNAIL, 2))
        await until(lambda: stills(good) == [1, 2])
        await until(lambda: len(served.center.live.gateway.tabs) == 1)


def wall_tab(served: Served, role: str) -> LiveTab:
    """A tab that is told what is new, has the room in sight and takes nothing by itself."""
    hub, levels, sealing = served.center.live, served.center.classifications, served.center.sealing
    made = LiveTab(
        may_see=lambda hearing: levels.lets(role, hearing),
        may_see_span=lambda hearing, start, end: not sealing.unseen(role, hearing).touches(start, end),
    )
    hub.gateway.join(made, [])
    hub.joined(made)
    hub.gateway.hear(made, {"sight": [ROOM], "rooms": [ROOM]})
    return made


async def room_told(one: LiveTab) -> dict[str, Any]:
    """What was told of the room, all of it together."""
    found: dict[str, Any] = {}
    for message in await take_all(one):
        if isinstance(message, dict) and message["type"] in ("rooms", "changes"):
            for said in message["rooms"]:
                if said["address"] == ROOM:
                    found |= said
    return found


async def test_a_part_that_begins_by_the_time_alone_is_told_to_who_may_not_see_it(served: Served) -> None:
    await ready(served)
    inspector, archivist = wall_tab(served, "inspector"), wall_tab(served, ARCHIVIST)
    await seal(served, 61_000, 90_000)
    served.center.live.wall.tell()
    assert (await room_told(inspector))["speaking"] == ["judge"]
    await room_told(archivist)
    room_is(served, 62_000)
    served.center.live.poll()
    served.center.live.wall.tell()
    told = await room_told(inspector)
    assert (told["hearing"]["part_sealed"], told["speaking"]) == (True, [])
    assert await room_told(archivist) == {}, "for the archivist nothing is new"
    live(served, 63_000, 1)
    assert not [one for one in await take_all(inspector) if isinstance(one, bytes) or one["type"] == "caption"]
    room_is(served, 91_000)
    served.center.live.poll()
    served.center.live.wall.tell()
    told = await room_told(inspector)
    assert ("part_sealed" in told["hearing"], told["speaking"]) == (False, ["judge"])


async def test_what_waits_of_a_room_whose_part_is_sealed_meanwhile_is_told_without_it(served: Served) -> None:
    await ready(served)
    inspector = wall_tab(served, "inspector")
    await take_all(inspector)
    said = {"online": True, "at_utc_ns": 1, "room_ns": (OPENED_MS + 62_000) * 10**6, "speaking": ["plaintiff"]}
    hearing = {"id": "h1", "state": "open", "case": {"case_no": "公开案", "public": True}}
    served.center.rooms.status(ROOM, json.dumps({**said, "hearing": hearing}).encode())
    served.center.live.wall.tell()
    await seal(served, 61_000, None)
    told = await room_told(inspector)
    assert "plaintiff" not in json.dumps(told)
    assert told["hearing"]["part_sealed"]


async def test_a_hearing_that_is_withdrawn_meanwhile_is_told_without_its_case(served: Served) -> None:
    await ready(served)
    inspector = wall_tab(served, "inspector")
    async with served.inspector() as http:
        answer = await http.put("/api/hearings/h1/access", json={"level": "withdrawn", "reason": "涉及隐私"})
        assert answer.status_code == 200, answer.text
    served.center.live.wall.tell()
    told = await room_told(inspector)
    assert told["hearing"]["hidden"]
    assert "公开案" not in json.dumps(told, ensure_ascii=False)
