"""What is live of a sealed part goes to who may see it, by the time that it is of; what waits is judged again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from server.access.classification import ARCHIVIST
from server.events.admission import read_event
from server.events.moments import spans_of
from sync.errors import CenterError
from sync.http.live.tab import LiveTab
from sync.media.envelope import Envelope, Kind
from sync.record.sealed_parts import EVER
from tests.server.live.test_queued import ROOM, SECRET, secrets, taken
from tests.support.peers.center_peers import RoomPeer, Served, event, opening, said, until
from tests.support.peers.live_tab import BENCH, INIT, tab

OPENED_MS = 1_000_000
"""Room time of the opening, as the events of `center_peers` have it."""
CASE = {"case_no": "公开案", "public": True}


def room_is(served: Served, at_ms: int, hearing: str | None = "h1") -> None:
    """The room says what runs, and that it is so many milliseconds after the opening."""
    told = None if hearing is None else {"id": hearing, "state": "open", "case": CASE}
    now = {"online": True, "at_utc_ns": 1, "room_ns": (OPENED_MS + at_ms) * 10**6, "hearing": told}
    served.center.rooms.status(ROOM, json.dumps({**now, "speaking": ["judge"]}).encode())


def fragment(at_ms: int, sequence: int, *, key: bool = True, kind: Kind = Kind.FRAGMENT) -> bytes:
    at_ns = (OPENED_MS + at_ms) * 10**6
    return Envelope(kind, 1, sequence, at_ns, at_ns, 100_000, SECRET.encode(), key_frame=key, kept=True).pack()


def slow_tab(served: Served, role: str) -> LiveTab:
    """A tab that is connected, watches everything and takes nothing."""
    hub, levels, sealing = served.center.live, served.center.classifications, served.center.sealing
    made = LiveTab(
        may_see=lambda hearing: levels.lets(role, hearing),
        may_see_span=lambda hearing, start, end: not sealing.unseen(role, hearing).touches(start, end),
    )
    for value in hub.first(made.may_see, made.may_see_span):
        made.text(value)
    hub.gateway.join(made, [ROOM])
    hub.wall.join_of_before(made)
    hub.gateway.hear(made, {"watch": [BENCH], "rooms": [ROOM]})
    return made


async def store(served: Served, *events: dict[str, Any]) -> None:
    """As if the room had sent them: stored, and told to who watches."""
    batch = [read_event(ROOM, json.dumps(one).encode()) for one in events]
    ingest = served.center.ingest
    outcome = await ingest._record.store_events(batch)
    ingest.sealed.notify(outcome.sealed, outcome.version)
    ingest.stored.notify(outcome.fresh)


def live(served: Served, at_ms: int, number: int, *, key: bool = True) -> None:
    """A caption, levels, a fragment and a thumbnail of a moment."""
    hub = served.center.live
    start = (OPENED_MS + at_ms) * 10**6
    caption = {"id": f"c{number}", "text": SECRET, "hearing": "h1", "start_ns": start, "end_ns": start + 10**8}
    hub.caption(ROOM, json.dumps(caption).encode())
    hub.levels(ROOM, json.dumps({"at_ns": start, "seats": {SECRET: {}}}).encode())
    hub.media(ROOM, "bench", "frag", fragment(at_ms, number, key=key))
    hub.media(ROOM, "bench", "thumb", fragment(at_ms, number, kind=Kind.THUMBNAIL))


async def seal(served: Served, from_ms: int, to_ms: int | None, level: str = "restricted") -> None:
    body = {"from_ms": OPENED_MS + from_ms, "level": level, "reason": "涉及个人隐私"}
    async with served.inspector() as http:
        body["to_ms"] = None if to_ms is None else OPENED_MS + to_ms
        answer = await http.put("/api/hearings/h1/sealed-parts", json=body)
        assert answer.status_code == 200, answer.text


async def ready(served: Served) -> None:
    served.center.live.media(ROOM, "bench", "init", INIT)
    await store(served, opening(1))
    room_is(served, 0)


def fragments(got: list[str | bytes]) -> list[int]:
    sent = [Envelope.unpack(one[1 + one[0] :]) for one in got if isinstance(one, bytes)]
    return [one.sequence for one in sent if one.kind is Kind.FRAGMENT]


def events_of(got: list[str | bytes]) -> list[int]:
    texts = [json.loads(one) for one in got if isinstance(one, str)]
    return [one["value"]["number"] for one in texts if one["type"] == "event"]


@pytest.mark.parametrize("level", ["restricted", "withdrawn"])
async def test_of_600_items_that_wait_for_a_slow_tab_those_of_the_sealed_part_never_leave(
    served: Served, level: str
) -> None:
    await ready(served)
    inspector, archivist = slow_tab(served, "inspector"), slow_tab(served, ARCHIVIST)
    for n in range(200):  # a fifth of a second each: 40 s, of which those from 10 s to 20 s are sealed
        live(served, n * 200, n)
        await store(served, said(100 + n, SECRET, at_ms=n * 200))
    assert len(inspector._texts) + len(inspector._media) >= 600
    await seal(served, 10_000, 20_000, level)
    inside = set(range(50, 100))
    got = await taken(inspector)
    # A line lasts for a second, so those that begin within the second before are of the part, too.
    assert events_of(got) == [100 + n for n in range(200) if n < 46 or n >= 100]
    captions = {json.loads(one)["value"]["id"] for one in got if isinstance(one, str) and '"caption"' in one}
    assert captions == {f"c{n}" for n in range(200) if n not in inside}
    assert not set(fragments(got)) & inside
    rest = await taken(archivist)
    assert (len(events_of(rest)) == 200) is (level == "restricted")
    live(served, 15_000, 300)
    assert secrets(await taken(inspector)) == 0


async def test_while_the_part_goes_on_nothing_comes_and_the_room_says_why(served: Served) -> None:
    await ready(served)
    await seal(served, 61_000, None)  # so far ahead that no machine is so slow as to be there by itself
    inspector, archivist = slow_tab(served, "inspector"), slow_tab(served, ARCHIVIST)
    room_is(served, 62_000)
    served.center.live.poll()
    for n in range(20, 30):
        live(served, 60_000 + n * 100, n)
        await store(served, said(n, SECRET, at_ms=60_000 + n * 100))
    mark = {"id": "m", "kind": "举证", "text": SECRET}
    await store(served, event(40, "mark", mark, at_ms=63_000), event(41, "close", {}, at_ms=63_100))
    got = await taken(inspector)
    assert secrets(got) == 0
    assert events_of(got) == [41], "that it is closed is of no part"
    rooms = [json.loads(one)["room"] for one in got if isinstance(one, str) and json.loads(one)["type"] == "room"]
    assert (rooms[-1]["hearing"]["part_sealed"], rooms[-1]["speaking"]) == (True, [])
    assert rooms[-1]["hearing"]["case"]["case_no"] == CASE["case_no"], "which case it is, is no secret"
    allowed = await taken(archivist)
    assert secrets(allowed) > 20
    assert "part_sealed" not in json.dumps([one for one in allowed if isinstance(one, str)])
    newcomer = slow_tab(served, "inspector")
    assert secrets(await taken(newcomer)) == 0


async def test_after_the_part_a_track_goes_on_with_its_next_key_frame(served: Served) -> None:
    await ready(served)
    await seal(served, 1000, 2000)
    watching = slow_tab(served, "inspector")
    for n in range(8, 25):
        live(served, n * 100, n, key=n in (8, 15))
    assert fragments(await taken(watching)) == [8, 9]
    for n in range(25, 30):
        live(served, n * 100, n, key=n == 25)
    assert fragments(await taken(watching)) == [25, 26, 27, 28, 29]
    newcomer = slow_tab(served, "inspector")
    assert fragments(await taken(newcomer)) == [25, 26, 27, 28, 29]


async def test_who_begins_to_watch_gets_nothing_that_hangs_on_a_key_frame_of_the_part(served: Served) -> None:
    await ready(served)
    for n in range(10, 25):
        live(served, n * 100, n, key=n == 15)
    await seal(served, 1000, 2000)
    newcomer = slow_tab(served, "inspector")
    live(served, 2500, 25, key=False)
    live(served, 2600, 26, key=True)
    assert fragments(await taken(newcomer)) == [26]


async def test_a_part_that_begins_and_ends_by_the_time_alone_is_told(served: Served) -> None:
    await ready(served)
    watching = slow_tab(served, "inspector")
    await seal(served, 5000, 6000)
    said_now: list[bool] = []
    for at_ms in (0, 5500, 6500):
        room_is(served, at_ms)
        served.center.live.poll()
        texts = [json.loads(one) for one in await taken(watching) if isinstance(one, str)]
        said_now.append(bool([t for t in texts if t["type"] == "room"][-1]["room"]["hearing"].get("part_sealed")))
    assert said_now == [False, True, False]


async def test_a_change_of_a_line_of_the_part_is_of_the_part_however_late_it_comes(served: Served) -> None:
    await ready(served)
    await store(served, said(2, SECRET, at_ms=1500), said(3, "公开", at_ms=5000))
    await seal(served, 1000, 2000)
    watching = slow_tab(served, "inspector")

    def revision(number: int, line: str, base: int) -> dict[str, Any]:
        changes = [{"line": line, "base": base, "set": {"text": SECRET + str(number)}}]
        return event(
            number, "revision", {"id": f"r{number}", "act": "edit", "by": "clerk", "changes": changes}, at_ms=9000
        )

    objection = {"id": "o", "line": "u2", "text": SECRET, "by": {"role": "证人"}, "outcome": "refused"}
    await store(served, revision(10, "u2", 2), revision(11, "u3", 3), event(12, "objection", objection, at_ms=9100))
    unknown = revision(13, "nobody-knows", 1)
    await store(served, unknown)
    assert events_of(await taken(watching)) == [11]


async def test_a_caption_that_does_not_say_when_goes_to_nobody_who_may_not_see_all(served: Served) -> None:
    await ready(served)
    await seal(served, 1000, 2000)
    inspector, archivist = slow_tab(served, "inspector"), slow_tab(served, ARCHIVIST)
    for value in ({}, {"start_ns": None, "end_ns": 1}, {"start_ns": "1", "end_ns": "2"}):
        caption = {"id": "c", "text": SECRET, "hearing": "h1", **value}
        served.center.live.caption(ROOM, json.dumps(caption).encode())
    wrong = {"id": "c", "text": SECRET, "hearing": "h1", "start_ns": 10**400, "end_ns": 1}
    with pytest.raises(CenterError):
        served.center.live.caption(ROOM, json.dumps(wrong).encode())
    assert secrets(await taken(inspector)) == 0
    assert secrets(await taken(archivist)) == 3


async def test_over_a_real_socket_the_picture_stops_and_the_page_is_told_to_ask_again(
    served: Served, room: RoomPeer
) -> None:
    room.publish("events", opening(1))
    room.publish("live/bench/init", INIT)
    now = {"online": True, "at_utc_ns": 1, "room_ns": (OPENED_MS + 1000) * 10**6}
    status = {**now, "hearing": {"id": "h1", "state": "open", "case": CASE}}
    async with served.inspector() as http, tab(served, http) as one:
        room.publish("status", status)
        await until(lambda: [t for t in one.of("room") if t["room"]["hearing"]])
        await one.say(watch=[BENCH], rooms=[ROOM])
        await until(lambda: {"tracks": ["bench"], "levels": True} in room.demands())
        room.publish("live/bench/frag", fragment(900, 1))
        await until(lambda: one.sequences() == [1])
        act = {"id": "p1", "from_ns": (OPENED_MS + 1000) * 10**6, "to_ns": None, "level": "restricted"}
        room.publish("events", event(2, "sealed_part", {**act, "by": "书记员", "reason": SECRET}, at_ms=1000))
        await until(lambda: one.of("sealed"))
        room.publish("live/bench/frag", fragment(1100, 2))
        room.publish("events", said(3, SECRET, at_ms=1200))
        await until(lambda: 3 in room.receipts())
        await until(lambda: one.of("room")[-1]["room"]["hearing"].get("part_sealed"))
        assert one.sequences() == [1]
        assert SECRET not in json.dumps(one.texts, ensure_ascii=False)
        assert [t["value"]["kind"] for t in one.of("event")][-1] == "sealed_part"


def test_what_nobody_can_tell_a_time_of_is_of_every_time() -> None:
    body = {"id": "r", "act": "a", "by": "clerk", "changes": []}
    one = read_event(ROOM, json.dumps(event(1, "revision", body)).encode())
    assert spans_of(one) == EVER
