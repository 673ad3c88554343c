"""What waits for a tab that takes nothing is judged when it is sent, not when it was put into the queue."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from server.access.classification import ARCHIVIST
from server.events.admission import read_event
from sync.http.live.tab import LiveTab
from sync.media.envelope import Kind
from tests.support.peers.center_peers import Served, event, opening, said
from tests.support.peers.live_tab import BENCH, INIT, envelope

ROOM = "court1/c03"
SECRET = "秘密"
CASE = {"case_no": f"{SECRET}案", "public": True}


def status(served: Served, hearing: str | None = "h1", *, state: str = "open", case: Any = CASE) -> None:
    told = None if hearing is None else {"id": hearing, "state": state, "case": case}
    said_now = {"online": True, "at_utc_ns": 1, "room_ns": 1, "hearing": told}
    served.center.rooms.status(ROOM, json.dumps(said_now).encode())


def stalled(served: Served, role: str) -> LiveTab:
    """A tab that is connected, watches everything and takes nothing."""
    hub, levels = served.center.live, served.center.classifications

    def may_watch(name: str) -> bool:
        room = served.center.rooms.states.get(name.rpartition("/")[0])
        return room is not None and levels.lets(role, room.live_id)

    tab = LiveTab(may_watch=may_watch, may_see=lambda hearing: levels.lets(role, hearing))
    for value in hub.first(tab.may_see):
        tab.text(value)
    hub.gateway.join(tab, [ROOM])
    hub.wall.join_of_before(tab)
    hub.gateway.hear(tab, {"watch": [BENCH], "rooms": [ROOM]})
    return tab


def fill(served: Served, hearing: str = "h1", *, first: int = 1) -> None:
    """600 texts and pictures of a hearing, and a thumbnail."""
    hub = served.center.live
    for number in range(first, first + 200):
        one = said(number, SECRET, hearing=hearing)
        hub.stored([read_event(ROOM, json.dumps(one).encode())])
        caption = {"id": f"c{number}", "text": SECRET, "hearing": hearing}
        hub.caption(ROOM, json.dumps(caption).encode())
        hub.levels(ROOM, json.dumps({"at_ns": number, "seats": {SECRET: {}}}).encode())
        hub.media(ROOM, "bench", "frag", envelope(Kind.FRAGMENT, number, key=number == first, payload=SECRET.encode()))
    hub.media(ROOM, "bench", "thumb", envelope(Kind.THUMBNAIL, first, payload=SECRET.encode()))


async def taken(tab: LiveTab) -> list[str | bytes]:
    """All that leaves for a tab that takes everything now."""
    tab.text({"type": "end"})
    got: list[str | bytes] = []
    while tab._texts or tab._media:
        if not tab._texts and not any(tab._may_send(item) for item in tab._media):
            break
        got.append(await tab.next())
    return got


def secrets(got: list[str | bytes]) -> int:
    return sum(SECRET.encode() in (one if isinstance(one, bytes) else one.encode()) for one in got)


async def seal(http: httpx.AsyncClient, level: str) -> None:
    answer = await http.put("/api/hearings/h1/access", json={"level": level, "reason": "涉及隐私"})
    assert answer.status_code == 200, answer.text


async def ready(served: Served) -> None:
    hub = served.center.live
    hub.media(ROOM, "bench", "init", INIT)
    await served.center.database.write(lambda connection: None)
    batch = [read_event(ROOM, json.dumps(opening(900)).encode())]
    await served.center.ingest._record.store_events(batch)
    status(served)


@pytest.mark.parametrize("level", ["restricted", "withdrawn"])
async def test_after_a_seal_nothing_of_it_leaves_whatever_waits(served: Served, level: str) -> None:
    await ready(served)
    inspector, archivist = stalled(served, "inspector"), stalled(served, ARCHIVIST)
    fill(served)
    assert secrets([str(m.data) for m in inspector._texts]) > 400, "the queues are full"
    async with served.inspector() as http:
        await seal(http, level)
    assert secrets(await taken(inspector)) == 0
    rest = await taken(archivist)
    assert (secrets(rest) > 600) is (level == "restricted")
    fill(served, first=300)
    assert secrets(await taken(inspector)) == 0


async def test_without_being_told_of_the_change_the_queue_asks_again(served: Served) -> None:
    await ready(served)
    tab = stalled(served, "inspector")
    fill(served)
    served.center.classifications._not_public.add("h1")  # and nobody is told
    assert secrets(await taken(tab)) == 0


async def test_pictures_of_a_hearing_that_is_over_and_then_sealed_do_not_leave_with_the_next_one(
    served: Served,
) -> None:
    await ready(served)
    tab = stalled(served, "inspector")
    fill(served)
    status(served, None)
    async with served.inspector() as http:
        await seal(http, "withdrawn")
    got = await taken(tab)
    assert secrets(got) == 0
    late = stalled(served, "inspector")
    assert secrets(await taken(late)) == 0


async def test_a_room_whose_next_case_is_closed_shows_no_thumbnail_to_who_was_there_before(served: Served) -> None:
    await ready(served)
    tab = stalled(served, "inspector")
    closed = event(901, "open", {"case": {"case_no": SECRET, "public": False}}, hearing="h2")
    status(served, "h2", case={"case_no": SECRET, "public": False})
    served.center.live.stored([read_event(ROOM, json.dumps(closed).encode())])
    fill(served, "h2")
    assert secrets(await taken(tab)) == 0
    newcomer = stalled(served, "inspector")
    assert secrets(await taken(newcomer)) == 0


async def test_what_is_open_still_comes_whole_and_in_order(served: Served) -> None:
    await ready(served)
    tab = stalled(served, "inspector")
    fill(served)
    got = await taken(tab)
    words = [json.loads(one) for one in got if isinstance(one, str)]
    assert [w["value"]["number"] for w in words if w["type"] == "event"] == list(range(1, 201))
    assert [w["type"] for w in words][:2] == ["rooms", "link"]
    assert words[0]["rooms"][0]["hearing"]["case"]["case_no"] == CASE["case_no"]
    assert sum(isinstance(one, bytes) for one in got) == 202
