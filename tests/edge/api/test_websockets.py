"""The panel's WebSocket: the whole state, then every change, and live pictures that begin with a key frame."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
import websockets

from sync.media.envelope import Envelope, Kind
from sync.room.event_log import RoomLog
from tests.support.rooms.edge_room import Room


async def receive(ws: Any, kind: str) -> Any:
    """The next text message of this type."""
    async with asyncio.timeout(10):
        while True:
            message = await ws.recv()
            if isinstance(message, str) and json.loads(message)["type"] == kind:
                return json.loads(message)


async def pictures(ws: Any, count: int) -> list[tuple[str, Envelope]]:
    """The next binary messages."""
    found: list[tuple[str, Envelope]] = []
    async with asyncio.timeout(10):
        while len(found) < count:
            message = await ws.recv()
            if isinstance(message, bytes):
                split = 1 + message[0]
                found.append((message[1:split].decode(), Envelope.unpack(message[split:])))
    return found


async def test_the_state_comes_first_and_then_every_event(room: Room) -> None:
    async with room.socket("/api/live") as ws:
        state = await receive(ws, "state")
        same = ("room", "seats", "cameras", "hearing", "docket", "transcriber", "link", "captions", "speaking")
        now = await room.state()
        assert {key: state[key] for key in same} == {key: now[key] for key in same}
        assert set(state) - {"type"} == set(now)
        await room.open()
        event = (await receive(ws, "event"))["event"]
        assert (event["kind"], event["body"]["case"]["case_no"]) == ("open", "(2026)黑05民初123号")
        await room.clerk.post("/api/marks", json={"kind": "举证", "text": ""})
        assert (await receive(ws, "event"))["event"]["kind"] == "mark"


async def test_facts_of_other_services_are_told(room: Room) -> None:
    hearing = await room.open()
    async with room.socket("/api/live") as ws:
        await receive(ws, "state")
        said = {
            "id": "u1",
            "seat": "judge",
            "role": "审判长",
            "start_ns": 10**9,
            "end_ns": 2 * 10**9,
            "text": "现在开庭",
        }
        room.transcriber.publish_json("caption", {**said, "stable": 2})
        assert (await receive(ws, "caption"))["value"]["start_ms"] == 1000
        assert [c["id"] for c in (await room.state())["captions"]] == ["u1"]
        room.transcriber.publish_json("speaking", {"at_ns": 1, "seats": ["judge"]})
        assert (await receive(ws, "speaking"))["value"]["seats"] == ["judge"]
        log = RoomLog(room.layout.log)
        log.append("utterance", {**said, "words": []}, hearing=hearing["id"], room_ns=1, utc_ns=1)
        log.close()
        assert (await receive(ws, "event"))["event"]["kind"] == "utterance"
        state = await room.state()
        assert state["captions"] == []
        assert state["speaking"] == ["judge"]
        room.transcriber.publish_json("caption", {**said, "stable": 2})
        room.recorder.feed.publish_json("levels", {"at_ns": 10**6, "seats": {}})
        assert (await receive(ws, "levels"))["value"]["at_ms"] == 1
        assert (await room.state())["captions"] == [], "a late caption does not bring committed words back"


async def test_a_watcher_sees_a_picture_at_once(room: Room) -> None:
    room.recorder.init()
    for sequence in range(1, 6):
        room.recorder.fragment(sequence, key=sequence in (1, 3))
    async with room.socket("/api/live") as ws:
        await receive(ws, "recorder")
        await asyncio.sleep(0)
        await ws.send(json.dumps({"watch": ["bench", "nothing"]}))
        first = await pictures(ws, 4)
        assert [(t, e.kind, e.sequence) for t, e in first] == [
            ("bench", Kind.INIT, 0),
            ("bench", Kind.FRAGMENT, 3),
            ("bench", Kind.FRAGMENT, 4),
            ("bench", Kind.FRAGMENT, 5),
        ]
        room.recorder.fragment(6)
        assert (await pictures(ws, 1))[0][1].sequence == 6
        await ws.send(json.dumps({"watch": []}))
        await ws.send(json.dumps({"watch": ["bench"]}))
        assert [e.sequence for _, e in await pictures(ws, 5)] == [0, 3, 4, 5, 6]


async def test_a_client_that_talks_nonsense_is_shown_the_door(room: Room) -> None:
    for nonsense in ("", "[]", '{"watch":"bench"}', '{"watch":[1]}', '{"watch":["' + "x" * 65 + '"]}'):
        async with room.socket("/api/live") as ws:
            await ws.send(nonsense)
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await pictures(ws, 1)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008


async def test_signing_out_closes_the_socket(room: Room) -> None:
    await room.stranger.post("/api/session", json={"code": room.code})
    room.clerk.cookies = room.stranger.cookies
    async with room.socket("/api/live") as ws:
        await receive(ws, "state")
        await room.stranger.delete("/api/session")
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await pictures(ws, 1)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401
