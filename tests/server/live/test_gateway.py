"""The live gateway: rooms come and go, what is watched flows, and a slow tab loses only its own."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import struct
import time
from pathlib import Path

import pytest
import websockets

from server.config import load_config
from server.running import running
from server.service import build
from sync.media.envelope import Kind
from tests.support.peers.center_peers import RoomPeer, Served, config_text, mosquitto, opening, said, until
from tests.support.peers.live_tab import BENCH, IDLE, INIT, Tab, envelope, tab
from tests.support.ports import free_port

OF_ALL = {"public": True}


async def test_watched_media_flows_from_the_last_key_frame_in_order(served: Served, room: RoomPeer) -> None:
    room.publish("status", IDLE)
    room.publish("live/bench/init", INIT)
    async with served.inspector() as http, tab(served, http) as first, tab(served, http) as second:
        await first.say(watch=[BENCH, "court1/none/bench"])
        await until(lambda: {"tracks": ["bench"], "levels": False} in room.demands())
        for n in range(1, 8):
            room.publish("live/bench/frag", envelope(Kind.FRAGMENT, n, key=n in (2, 5)), qos=0)
        await until(lambda: first.sequences() == [2, 3, 4, 5, 6, 7])
        assert first.media[0][1].kind is Kind.INIT
        await second.say(watch=[BENCH])
        await until(lambda: second.sequences() == [5, 6, 7])
        room.publish("live/bench/frag", envelope(Kind.FRAGMENT, 8), qos=0)
        room.publish("live/bench/frag", envelope(Kind.FRAGMENT, 10), qos=0)  # 9 was lost on the way
        room.publish("live/bench/frag", envelope(Kind.FRAGMENT, 11, key=True), qos=0)
        await until(lambda: second.sequences() == [5, 6, 7, 8, 11])
        assert second.of("lost") == [{"type": "lost", "address": BENCH, "slow": False}]
        await first.say(watch=[])
        await second.say(watch=[])
        await until(lambda: room.demands()[-1] == {"tracks": [], "levels": False})


WANTED = {"tracks": ["bench"], "levels": False}


async def test_a_room_that_comes_back_is_asked_anew_and_at_once(served: Served, room: RoomPeer) -> None:
    room.publish("status", IDLE)
    async with served.inspector() as http, tab(served, http) as one:
        await one.say(watch=[BENCH])
        first = (await until(lambda: room.demands()[-1:] == [WANTED] and room.of("demand")))[-1]
        before = len(room.of("demand"))
        room.publish("status", IDLE | {"online": False})
        room.publish("status", IDLE)
        again = (await until(lambda: room.of("demand")[before:]))[0]
        assert again["tracks"] == first["tracks"] == ["bench"]
        assert again["session"] != first["session"]


async def test_a_beginning_that_was_lost_is_asked_for_once_every_while(served: Served, room: RoomPeer) -> None:
    """Nothing is kept in the broker: an init that did not come must be said again by the room."""
    room.publish("status", IDLE)
    async with served.inspector() as http, tab(served, http) as one:
        await one.say(watch=[BENCH])
        await until(lambda: room.demands()[-1:] == [WANTED])
        before = len(room.of("demand"))
        served.center.live.demands._sessions["court1/c03"] = ("of before", 0.0)
        for n in range(20):
            room.publish("live/bench/frag", envelope(Kind.FRAGMENT, n, key=n == 0), qos=0)
        await until(lambda: len(room.of("demand")) > before)
        room.publish("live/bench/init", INIT, qos=0)
        room.publish("live/bench/frag", envelope(Kind.FRAGMENT, 20, key=True), qos=0)
        await until(lambda: one.sequences() == [20])
        asked = room.of("demand")[before - 1 :]
        assert len({said["session"] for said in asked}) == len(asked) == 2


async def test_a_slow_tab_loses_its_own_media_and_nobody_elses(tmp_path: Path, broker_port: int) -> None:
    config = tmp_path / "center.toml"
    config.write_text(config_text(tmp_path / "center", broker_port))
    center = build(load_config(config), client_bytes=300_000)
    async with running(center, "127.0.0.1", 0) as port:
        await until(lambda: center.broker.connected)
        served = Served(f"http://127.0.0.1:{port}", broker_port, tmp_path / "center", center)
        room = await RoomPeer(broker_port).start()
        slow_socket = socket.socket()
        slow_socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow_socket.connect(("127.0.0.1", port))
        slow_socket.setblocking(False)
        async with served.inspector() as http, tab(served, http) as quick:
            cookie = "; ".join(f"{k}={v}" for k, v in http.cookies.items())
            slow = await websockets.connect(
                f"ws://127.0.0.1:{port}/api/live",
                origin=served.url,  # type: ignore[arg-type]  # its type is a NewType of str
                additional_headers={"Cookie": cookie},
                sock=slow_socket,
                max_queue=1,
            )
            room.publish("status", IDLE)
            room.publish("live/bench/init", INIT)
            await quick.say(watch=[BENCH])
            await slow.send(json.dumps({"watch": [BENCH]}))
            await until(lambda: all(tab.watched for tab in center.live.gateway.tabs))
            payload = b"v" * 40_000
            for n in range(400):
                room.publish("live/bench/frag", envelope(Kind.FRAGMENT, n, key=n % 25 == 0, payload=payload), qos=0)
                await until(lambda n=n: quick.sequences()[-1:] == [n])  # type: ignore[misc]  # a lambda's default
            assert quick.sequences() == list(range(400))
            assert not quick.of("lost")
            assert sum(tab.lost for tab in center.live.gateway.tabs) > 0
            late = Tab(slow)
            reading = asyncio.create_task(late.read())
            await until(lambda: late.of("lost"))
            room.publish("live/bench/frag", envelope(Kind.FRAGMENT, 400, key=True), qos=0)
            await until(lambda: late.sequences()[-1:] == [400])
            got = late.sequences()
            for before, after in itertools.pairwise(got):
                assert after == before + 1 or after % 25 == 0, "after a loss it goes on with a key frame"
            reading.cancel()
            await slow.close()
        room.stop()


async def test_rooms_words_events_and_thumbnails_reach_the_wall(served: Served, room: RoomPeer) -> None:
    room.publish("status", IDLE)
    room.publish("live/bench/thumb", envelope(Kind.THUMBNAIL, payload=b"\xff\xd8jpeg"), qos=0)
    status = {"online": True, "at_utc_ns": 5, "room_ns": 7_000_000_000, "court_name": "法院", "room_name": "第三法庭"}
    status |= {
        "hearing": {"id": "h1", "state": "open", "case": OF_ALL, "opened_utc_ns": 2_000_000},
        "speaking": ["judge"],
    }
    async with served.inspector() as http, tab(served, http) as one, tab(served, http) as other:
        room.publish("status", status)
        shown = (await until(lambda: [r for r in one.of("room") if r["room"]["hearing"]]))[-1]["room"]
        assert shown["hearing"] == {"id": "h1", "state": "open", "case": OF_ALL, "opened_utc_ms": 2.0}
        assert (shown["speaking"], shown["room_name"]) == (["judge"], "第三法庭")
        await one.say(rooms=["court1/c03"])
        await until(lambda: {"tracks": [], "levels": True} in room.demands())
        room.publish("events", opening(1))
        room.publish("events", said(2, "现在开庭"))
        room.publish("caption", {"id": "c", "text": "现在", "start_ns": 3_000_000, "end_ns": 4_000_000}, qos=0)
        room.publish("levels", {"at_ns": 1, "seats": {}}, qos=0)
        await until(lambda: one.of("levels") and len(one.of("event")) == 2)
        assert one.of("event")[1]["value"]["body"]["start_ms"] == 1_000_000
        assert one.of("caption")[0]["value"]["start_ms"] == 3
        await until(lambda: other.of("caption"))
        assert not other.of("event")
        assert not other.of("levels")
        await until(lambda: [name for name, e in other.media if e.kind is Kind.THUMBNAIL] == [BENCH])
        async with tab(served, http) as newcomer:
            await until(lambda: newcomer.media)
        assert (await http.get("/api/hearings/h1")).json()["now_ms"] == pytest.approx(7000, abs=15_000)
        room.crash()
        await until(lambda: not one.of("room")[-1]["room"]["online"])


async def test_a_tab_that_talks_nonsense_is_closed_alone(served: Served, room: RoomPeer) -> None:
    async with served.inspector() as http, tab(served, http) as good:
        for nonsense in ("not json", "[]", json.dumps({"watch": 5, "rooms": [1, {}]}), "{" * 5000):
            async with tab(served, http) as bad:
                await bad.ws.send(nonsense)
        await good.say(watch=[BENCH])
        await until(lambda: room.demands())


async def test_the_broker_goes_and_comes_back(tmp_path: Path) -> None:
    port = free_port()
    config = tmp_path / "center.toml"
    config.write_text(config_text(tmp_path / "center", port))
    center = build(load_config(config))
    async with running(center, "127.0.0.1", 0) as web:
        served = Served(f"http://127.0.0.1:{web}", port, tmp_path / "center", center)
        docket = {"date": "2026-11-22", "hearings": [{"id": "d1", "time": "09:30", "case_no": "(2026)黑05民初1号"}]}
        async with served.inspector() as http, tab(served, http) as one:
            assert one.of("link")[0]["value"] == {"broker": False}
            assert abs(one.of("link")[0]["utc_ms"] - time.time() * 1000) < 60_000
            answer = await http.put("/api/docket/court1/c03", json=docket)
            assert answer.json() == {"published": False}
            with mosquitto(tmp_path, port):
                await until(lambda: one.of("link")[-1]["value"]["broker"])
                room = await RoomPeer(port).start()
                room.publish("status", IDLE)
                got = await until(lambda: room.of("docket"))
                assert got[0]["hearings"][0]["case_no"] == "(2026)黑05民初1号"
                room.publish("status", IDLE)
                room.crash()  # and a docket changes while it is away
                await until(lambda: not center.rooms.states["court1/c03"].online)
                docket["hearings"][0]["case_no"] = "(2026)黑05民初2号"  # type: ignore[index]  # a list of dicts
                assert (await http.put("/api/docket/court1/c03", json=docket)).json() == {"published": True}
                room = await RoomPeer(port).start()
                room.publish("status", IDLE)
                got = await until(lambda: room.of("docket"))
                assert [one["hearings"][0]["case_no"] for one in got] == ["(2026)黑05民初2号"]
                room.stop()
            await until(lambda: not one.of("link")[-1]["value"]["broker"])
            assert (await http.get("/api/rooms")).status_code == 200


def test_the_header_is_as_long_as_the_page_says() -> None:
    assert struct.calcsize(">2sBBBBIIqqI") == 34
