"""The whole uplink as its own process: killed without warning, started again, and nothing is lost or said wrongly."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync import topics
from sync.http.serve import serving
from sync.media.envelope import Envelope, Kind, pack_init
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.feed import FeedClient, FeedServer
from sync.room.paths import RoomPaths
from tests.support.peers.uplink_peers import ADDRESS, CenterPeer, Mosquitto, UploadPeer, until
from tests.support.rooms.signer_peer import signing

COURT, ROOM = ADDRESS.split("/")
HEARING = "20261122-093000-00c0ffee"


def profile(folder: Path, center: str) -> Path:
    path = folder / "room.toml"
    path.write_text(
        f"""
seats = [{{ id = "judge", roles = ["审判长"], channel = 0 }}]
cameras = [{{ id = "bench", name = "审判席", driver = "simulated" }}]
[room]
court = "{COURT}"
room = "{ROOM}"
court_name = "尖山区人民法院"
room_name = "第三法庭"
[microphones]
driver = "simulated"
channels = 1
[storage]
data = "data"
{center}
""",
        encoding="utf-8",
    )
    return path


RUNNING: list[Process] = []


@pytest.fixture(autouse=True)
def leave_nothing_behind() -> Iterator[None]:
    yield
    while RUNNING:
        RUNNING.pop().kill()


class Process:
    """`wutong room uplink`, as systemd would start it."""

    def __init__(self, path: Path) -> None:
        command = [sys.executable, "-m", "wutong", "room", "uplink", "--profile", str(path)]
        self._process = subprocess.Popen(command)
        RUNNING.append(self)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        self._process.terminate()
        return self._process.wait(10)


class Link:
    """Listens to the uplink's feed."""

    def __init__(self, layout: RoomPaths) -> None:
        self.last: dict[str, Any] = {}
        self.docket: dict[str, Any] = {}
        self._client = FeedClient(layout.feed("uplink"), ["link", "docket"], retry_s=0.05)
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async for topic, payload in self._client.messages():
            if topic == "link":
                self.last = json.loads(payload)
            else:
                self.docket = json.loads(payload)

    async def stop(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task


@pytest.fixture
def connected(tmp_path: Path, broker: Mosquitto, layout: RoomPaths) -> Iterator[str]:
    (tmp_path / "token").write_text("room-token")
    (tmp_path / "token").chmod(0o600)
    settings = f"""
[center]
url = "http://127.0.0.1:%d"
token_file = "token"
mqtt_port = {broker.port}
mqtt_username = "{broker.room.username}"
mqtt_password_file = "{broker.room.password_file}"
"""
    with signing(layout, ADDRESS):
        yield settings


def record(layout: RoomPaths, log: RoomLog, index: int) -> str:
    data = os.urandom(200_000)
    file = layout.track(HEARING, "bench") / f"{index:05}.mp4"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    sha256 = hashlib.sha256(data).hexdigest()
    body = {"track": "bench", "index": index, "file": f"bench/{index:05}.mp4", "bytes": len(data), "sha256": sha256}
    log.append("segment", body, hearing=HEARING, room_ns=1, utc_ns=1)
    return sha256


async def test_killed_again_and_again_everything_arrives(
    tmp_path: Path, connected: str, layout: RoomPaths, room_log: RoomLog, center: CenterPeer
) -> None:
    (tmp_path / "tus").mkdir()
    peer = UploadPeer(tmp_path / "tus")
    link = Link(layout)
    segments: set[str] = set()
    async with serving(peer.app, "127.0.0.1", 0) as port:
        path = profile(tmp_path, connected % port)
        for turn in range(3):
            process = Process(path)
            for i in range(30):
                room_log.append("mark", {"id": f"{turn}-{i}"}, hearing=HEARING, room_ns=1, utc_ns=1)
            segments.add(record(layout, room_log, turn))
            heard = len(center.events)
            await until(lambda before=heard: len(center.events) > before)  # type: ignore[misc]  # a lambda's default
            process.kill()
        process = Process(path)
        await until(lambda: room_log.pending_count() == 0)
        await until(lambda: set(peer.objects) == segments)
        await until(lambda: link.last.get("pending_events") == 0 and link.last.get("pending_bytes") == 0)
        assert link.last["broker"]
        assert link.last["center"]
        assert link.last["last_receipt_utc_ns"]
        assert process.stop() == 0
    await link.stop()
    assert sorted(center.events) == [e.number for e in room_log.since(0)]
    assert len({e["body"].get("id") for e in center.events.values() if e["kind"] == "mark"}) == 90


async def test_live_media_captions_status_and_docket_find_their_way(
    tmp_path: Path, connected: str, layout: RoomPaths, room_log: RoomLog, clock: RoomClock, center: CenterPeer
) -> None:
    recorder = FeedServer(layout.feed("recorder"))
    await recorder.start()
    recorder.publish("init/bench", Envelope(Kind.INIT, 1, 0, 0, 0, 0, pack_init("video/mp4", b"i")).pack(), retain=True)
    recorder.publish_json("status", {"at_ns": 1, "tracks": [], "hearing": None}, retain=True)
    room_log.append("open", {"case": {"case_no": "1"}}, hearing=HEARING, room_ns=1, utc_ns=77)
    process = Process(profile(tmp_path, connected % 9))
    link = Link(layout)
    await until(lambda: json.loads((center.on("status") or [b"{}"])[-1]).get("recorder"))
    status = json.loads(center.on("status")[-1])
    assert status["hearing"]["id"] == HEARING
    assert status["online"]
    assert status["room_name"] == "第三法庭"
    assert status["hearing"]["opened_utc_ns"] == 77
    assert status["recorder"]["tracks"] == []

    center.say("demand", {"tracks": ["bench"], "levels": False})
    await until(lambda: link.last.get("watched") == ["bench"])
    recorder.publish("frag/bench", Envelope(Kind.FRAGMENT, 1, 5, 0, 0, 0, b"m", key_frame=True).pack())
    await until(lambda: center.on("live/bench/frag"))
    assert len(center.on("live/bench/init")) == 1
    assert not link.last["center"], "nobody listens there"

    docket = {"date": "2026-11-22", "hearings": [{"id": "d1", "time": "09:30", "case_no": "1"}]}
    center.say_plain("docket", {"date": "2026-11-23", "hearings": []})  # signed by nobody
    center.say("docket", {"date": "tomorrow"})
    center.say("docket", docket)
    await until(lambda: link.docket.get("date") == "2026-11-22")
    assert link.docket["hearings"][0]["public"] is True
    session = json.loads(center.on("status")[-1])["session"]
    process.stop()
    await until(lambda: center.on("status")[-1] == topics.offline(session))
    await link.stop()
    await recorder.stop()


async def test_a_room_without_a_center_says_so_and_waits(tmp_path: Path, layout: RoomPaths, room_log: RoomLog) -> None:
    room_log.append("open", {}, hearing=HEARING, room_ns=1, utc_ns=1)
    process = Process(profile(tmp_path, ""))
    link = Link(layout)
    await until(lambda: link.last)
    assert link.last["pending_events"] == 1
    assert (link.last["broker"], link.last["center"]) == (False, False)
    assert process.stop() == 0
    await link.stop()


def test_a_missing_token_file_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    path = profile(tmp_path, '[center]\nurl = "http://127.0.0.1:9"\ntoken_file = "nowhere"\n')
    command = [sys.executable, "-m", "wutong", "room", "uplink", "--profile", str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 2
    assert "nowhere" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_another_rooms_topics_are_closed_by_the_brokers_access_list(broker: Mosquitto, center: CenterPeer) -> None:
    import paho.mqtt.publish as once

    def say(topic: str, text: str) -> None:
        auth = {"username": broker.other.username, "password": broker.other.password_file.read_text()}
        once.single(topic, text, qos=1, port=broker.port, auth=auth)  # type: ignore[arg-type]

    say(f"court/v1/{ADDRESS}/events", "forged")
    say("court/v1/jianshan/c04/caption", "own")
    asyncio.run(until(lambda: any(topic.endswith("c04/caption") for topic, _ in center.messages)))
    assert center.on("events") == []
