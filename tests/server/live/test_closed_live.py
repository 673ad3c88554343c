"""Nothing live of a closed trial reaches who may not see it: not before the room says that it runs, nor after."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from server.config import load_config
from server.running import running
from server.service import build
from sync.media.envelope import Kind
from tests.support.peers.center_peers import RoomPeer, Served, config_text, event, opening, until
from tests.support.peers.device_signatures import enroll_devices
from tests.support.peers.live_tab import BENCH, IDLE, INIT, Tab, envelope, tab

FRAME, THUMB = Kind.FRAGMENT, Kind.THUMBNAIL
SECRET = {"id": "c1", "text": "秘密", "start_ns": 1, "end_ns": 2}
CASE = {"case_no": "9", "public": False}
OPEN = {**IDLE, "room_ns": 10**9, "hearing": {"id": "h1", "state": "open", "case": CASE}}


def closed_opening() -> dict[str, Any]:
    first = opening(1)
    first["body"]["case"]["public"] = False
    return first


def everything(room: RoomPeer, number: int, *, kept: bool) -> None:
    """All that a room says live: one picture, one thumbnail, words and levels."""
    room.publish("live/bench/frag", envelope(FRAME, number, key=True, kept=kept))
    room.publish("live/bench/thumb", envelope(THUMB, number, kept=kept))
    room.publish("caption", SECRET)
    room.publish("caption", {**SECRET, "hearing": "h1"})
    room.publish("levels", {"at_ns": number, "seats": {}})


def thumbnails(one: Tab) -> list[int]:
    return [e.sequence for _, e in one.media if e.kind is THUMB]


def levels(one: Tab) -> list[int]:
    return [text["value"]["at_ms"] for text in one.of("levels")]


async def said_again(room: RoomPeer, status: dict[str, Any], *tabs: Tab) -> None:
    """All that was said before has been judged when every tab has this."""
    room.publish("status", {**status, "speaking": [], "court_name": "好了"})
    for one in tabs:
        await until(lambda one=one: [t for t in one.of("room") if t["room"]["court_name"] == "好了"])  # type: ignore[misc]  # a lambda's default


async def test_between_an_opening_and_the_first_status_of_it(served: Served, room: RoomPeer) -> None:
    room.publish("status", IDLE)
    room.publish("live/bench/init", INIT)
    async with (
        served.inspector() as inspector,
        served.inspector("archivist") as archivist,
        tab(served, inspector) as one,
        tab(served, archivist) as other,
    ):
        for screen in (one, other):
            await screen.say(watch=[BENCH], rooms=["court1/c03"])
        await until(lambda: {"tracks": ["bench"], "levels": True} in room.demands())
        everything(room, 1, kept=False)  # the empty room
        everything(room, 2, kept=True)  # a hearing has begun; nobody has said which
        room.publish("events", closed_opening())
        await until(lambda: 1 in room.receipts())
        everything(room, 3, kept=False)  # the opening is stored; neither status nor recorder know of it yet
        await until(lambda: other.sequences() == [1, 3])
        room.publish("status", OPEN)
        everything(room, 14, kept=True)
        await until(lambda: other.sequences() == [1, 3, 14] and levels(other) and levels(other)[-1])
        await one.say(watch=[BENCH], rooms=["court1/c03"])  # asking again does not help
        await said_again(room, OPEN, one, other)
        assert (one.sequences(), thumbnails(one), one.of("caption"), one.of("levels")) == ([1], [1], [], [])
        assert "秘密" not in json.dumps(one.texts, ensure_ascii=False)
        assert thumbnails(other) == [1, 3, 14]
        assert len(other.of("caption")) == 4  # of 3 and 14

        # It ends. What was taken before may still be on its way.
        over = {**IDLE, "room_ns": 2 * 10**9, "hearing": {**OPEN["hearing"], "state": "closed"}}  # type: ignore[dict-item]  # a dict
        room.publish("status", over)
        everything(room, 15, kept=False)
        everything(room, 16, kept=True)
        await one.say(watch=[BENCH])
        await until(lambda: any("bench" in d["tracks"] for d in room.demands()[-1:]))
        room.publish("live/bench/frag", envelope(FRAME, 25, key=True))
        await until(lambda: other.sequences() == [1, 3, 14, 25])
        async with tab(served, inspector) as late:
            await said_again(room, over | {"room_name": "x"}, late)
            assert not [e for _, e in late.media if e.sequence in (3, 14, 15, 16)]
        assert not {3, 14, 15, 16} & {e.sequence for _, e in one.media}
        assert one.of("caption") == []


async def test_after_a_restart_of_the_center_before_the_room_has_said_its_status(
    tmp_path: Path, broker_port: int
) -> None:
    file = tmp_path / "center.toml"
    file.write_text(config_text(tmp_path / "center", broker_port))
    first = build(load_config(file))
    async with running(first, "127.0.0.1", 0):
        await enroll_devices(first.enrollment, ["court1/c03"])
        room = await RoomPeer(broker_port).start()
        room.publish("live/bench/init", INIT)
        room.publish("events", closed_opening())
        room.publish("events", event(2, "pause", {"reason": "recess"}, at_ms=5))
        await until(lambda: {1, 2} <= room.receipts())
    try:
        again = build(load_config(file))
        async with running(again, "127.0.0.1", 0) as port:
            served = Served(f"http://127.0.0.1:{port}", broker_port, tmp_path / "center", again)
            async with (
                served.inspector() as inspector,
                served.inspector("archivist") as archivist,
                tab(served, inspector) as one,
                tab(served, archivist) as other,
            ):
                await until(lambda: other.of("link")[-1]["value"]["broker"])
                for screen in (one, other):
                    await screen.say(watch=[BENCH], rooms=["court1/c03"])
                await until(lambda: {"tracks": ["bench"], "levels": True} in room.demands())
                room.publish("live/bench/init", INIT)
                everything(room, 1, kept=False)  # pictures leave a room in a recess
                everything(room, 2, kept=True)
                paused = OPEN | {"hearing": {"id": "h1", "state": "paused", "case": CASE}}
                room.publish("status", paused)
                everything(room, 13, kept=False)
                await until(lambda: other.sequences() == [13] and thumbnails(other) == [13])
                await said_again(room, paused, one, other)
                assert {e.kind for _, e in one.media} <= {Kind.INIT}  # no picture is in it
                assert (one.of("caption"), one.of("levels")) == ([], [])
                assert len(other.of("levels")) == 1
    finally:
        room.stop()


async def test_while_the_way_to_the_room_was_broken_its_last_status_says_nothing(
    served: Served, room: RoomPeer
) -> None:
    room.publish("status", IDLE)
    room.publish("live/bench/init", INIT)
    async with served.inspector() as http, tab(served, http) as one:
        await one.say(watch=[BENCH])
        room.publish("live/bench/frag", envelope(FRAME, 1, key=True))
        await until(lambda: one.sequences() == [1])
        served.center.live.link(False)
        room.publish("live/bench/frag", envelope(FRAME, 2, key=True))
        await said_again(room, IDLE, one)
        room.publish("live/bench/frag", envelope(FRAME, 3, key=True))
        await until(lambda: one.sequences() == [1, 3])
