"""设备自检 with real devices, files and a real center: who has proven itself, who has not, and what that does."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.selftest.result import SelfTestResult
from edge.selftest.runner import SelfTestRunner
from edge.state.room_state import RoomState
from hardware.profile import load_profile
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.runtime.process.service import die_with_parent
from tests.support.ports import free_port
from tests.support.rooms.selftest_room import CAMERA, SIMULATED, TestedRoom

pytestmark = pytest.mark.timeout(300)
TOKEN = "token-of-room-c03-0123456789abcdef"
FILE = 'driver = "file"\nfile = "{file}"'


def ffmpeg(*arguments: str, pcm: bytes | None = None) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments], input=pcm, check=True, timeout=60)


def events(room: TestedRoom, *kinds: str) -> list[Any]:
    log = RoomLog(room.layout.log)
    try:
        return [event for event in log.since(0) if event.kind in kinds]
    finally:
        log.close()


class Center:
    """A center as a process, with this room's token; its broker is away, which no test of the way minds."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.data = folder / "center"
        self.token = folder / "room.token"
        self.token.write_text(TOKEN)
        self.token.chmod(0o600)
        self._folder = folder
        (folder / "center.toml").write_text(
            f'[web]\nport = {self.port}\n[mqtt]\nport = 9\n[storage]\ndata = "center"\nreserve_gib = 0\n'
            f'[[rooms]]\ncourt = "court1"\nroom = "c03"\nroom_name = "第三法庭"\ntoken_file = "{self.token}"\n'
        )

    @property
    def profile(self) -> str:
        return f'url = "http://127.0.0.1:{self.port}"\ntoken_file = "{self.token}"\nmqtt_port = 9'

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "wutong", "server", "--config", str(self._folder / "center.toml")]
        with (self._folder / "center.log").open("ab") as log:
            return subprocess.Popen(command, stderr=log, preexec_fn=die_with_parent)


async def test_a_tone_goes_through_every_microphone_into_files_to_the_center_and_back(tmp_path: Path) -> None:
    center = Center(tmp_path)
    process = center.start()
    room = TestedRoom(tmp_path, "recorder", "edge", "uplink", center=center.profile)
    try:
        async with room:
            await room.until_running()

            async def reachable() -> Any:
                return ((await room.state())["link"] or {}).get("center")

            await room.until(reachable, "the center")
            before = (await room.state())["selftest"]
            assert (before["state"], before["hindrances"]) == ("none", ["selftest"])
            refused = await room.open()
            assert (refused.status_code, refused.json()["code"]) == (409, "selftest")
            assert "没有有效的设备自检" in refused.json()["message"]

            result = await room.test()
            assert (result["state"], result["mode"]) == ("passed", "tone"), result
            assert result["hindrances"] == []
            findings = [*result["seats"].values(), *result["cameras"].values(), result["mix"], result["server"]]
            assert all(f == {"state": "ok", "why": ""} for f in findings), result
            assert room.media() == [], "a test that passed leaves nothing behind"
            assert [p for p in (center.data / "selftests").rglob("*") if p.is_file()] == []
            [event] = events(room, "selftest")
            assert event.hearing is None
            assert event.body["passed"] is True
            assert event.body["seats"] == {s: {"ok": True, "why": ""} for s in ("judge", "plaintiff", "defendant")}
            assert event.body["server"] == {"ok": True, "why": ""}

            await room.end("edge")
            room.start("edge")
            await room.until(room._signed_in, "the panel again")
            assert (await room.state())["selftest"]["state"] == "passed", "it counts across a restart"

            process.terminate()
            await asyncio.to_thread(process.wait, 20)
            result = await room.test()
            assert result["state"] == "passed", "a center that is away keeps nobody from opening"
            assert result["server"] == {"state": "warn", "why": "中心不可达，庭审可照常录制"}
            await room.until_running()
            opened = await room.open()
            assert opened.status_code == 200, opened.text
            assert opened.json()["marks"] == []
            assert "selftest" not in [alarm["code"] for alarm in opened.json()["alarms"]]
            assert events(room, "open")[0].body["selftest"]["passed"] is True
            assert (await room.http.post("/api/selftest")).json()["code"] == "already-open"
    finally:
        process.kill()
        process.wait()


def defects(folder: Path) -> tuple[str, str]:
    """Microphones of which one gives exact zeros and one only noise, and three cameras of which one is well."""
    rng = np.random.default_rng(4)
    pcm = np.zeros((16_000 * 8, 3), np.int16)
    pcm[:, 0] = rng.normal(0, 3, len(pcm))
    for second in range(8):
        pcm[second * 16_000 : second * 16_000 + 9_000, 0] = rng.normal(0, 1500, 9_000)
    pcm[:, 2] = np.rint(rng.normal(0, 3, len(pcm)))
    sound = folder / "mics.flac"
    ffmpeg("-f", "s16le", "-ar", "16000", "-ch_layout", "3.0", "-i", "pipe:0", str(sound), pcm=pcm.tobytes())
    for name, source in (("black", "color=c=black:"), ("still", "smptebars=")):
        picture = ("-f", "lavfi", "-i", f"{source}size=320x180:rate=25", "-t", "5", "-c:v", "libx264", "-g", "25")
        ffmpeg(*picture, "-preset", "ultrafast", "-qp", "0" if name == "still" else "23", str(folder / f"{name}.mp4"))
    cameras = CAMERA.format(id="bench", name="审判席", more=SIMULATED)
    for name in ("black", "still"):
        cameras += CAMERA.format(id=name, name=name, more=FILE.format(file=folder / f"{name}.mp4"))
    return FILE.format(file=sound), cameras


async def test_each_seat_and_camera_that_fails_is_named_and_a_hearing_opens_only_despite_of_it(tmp_path: Path) -> None:
    mics, cameras = defects(tmp_path)
    room = TestedRoom(tmp_path, mics=mics, cameras=cameras, selftest='opening = "required"')
    async with room:
        await room.until_running("mics", "bench", "black", "still")
        begun = (await room.http.post("/api/selftest")).json()
        assert (begun["state"], begun["mode"]) == ("running", "speech")
        assert (await room.http.post("/api/selftest")).json()["code"] == "selftest-running"

        async def heard() -> Any:
            return (await room.state())["selftest"]["seats"]["judge"]["state"] == "heard"

        await room.until(heard, "the judge")
        assert (await room.state())["selftest"]["stage"] == "speaking"
        assert (await room.http.delete("/api/selftest")).status_code == 200

        async def over() -> Any:
            value = (await room.state())["selftest"]
            return value if value["state"] != "running" else None

        result = await room.until(over, "the end of the self-test")
        assert result["state"] == "failed"
        assert result["hindrances"] == ["seat/plaintiff", "seat/defendant", "camera/black", "camera/still"], result
        assert result["seats"]["judge"]["state"] == "ok"
        assert result["seats"]["plaintiff"]["why"] == "话筒没有任何信号"
        assert result["seats"]["defendant"]["why"] == "没有听到声音"
        assert result["cameras"]["black"]["why"] == "画面全黑"
        assert result["cameras"]["still"]["why"] == "画面静止不动"
        kept = room.media()
        assert {name.split("/")[0] for name in kept} == {"selftest"}, "kept for a technician, apart from hearings"

        refused = await room.open(despite=["seat/plaintiff", "camera/black"])
        assert (refused.status_code, refused.json()["code"]) == (409, "selftest")
        for words in ("被告话筒（没有听到声音）", "摄像机“still”（画面静止不动）"):
            assert words in refused.json()["message"]
        assert "原告话筒" not in refused.json()["message"], "what the clerk has confirmed is not said again"

        # A hearing that begins ends a test that runs.
        assert (await room.http.post("/api/selftest")).status_code == 200
        opened = await room.open(despite=[*result["hindrances"], "selftest"])
        assert opened.status_code == 200, opened.text
        stopped = await room.until(over, "the end of the test")
        assert "庭审" in stopped["failure"]
        hearing = (await room.state())["hearing"]
        assert [m["kind"] for m in hearing["marks"]] == ["设备自检"]
        assert "书记员确认仍然开庭" in hearing["marks"][0]["text"]
        assert ("selftest", "room") in [(a["code"], a["subject"]) for a in hearing["alarms"]]
        [open_event] = events(room, "open")
        assert open_event.body["selftest"]["passed"] is False
        assert open_event.body["selftest"]["despite"]
        assert len(events(room, "selftest")) == 1, "a test that was cut off found nothing"


async def test_a_result_does_not_count_for_ever(tmp_path: Path) -> None:
    seats: dict[str, Any] = {s: {"ok": True, "why": ""} for s in ("judge", "plaintiff", "defendant")}
    fine = {"ok": True, "why": ""}
    body = {"id": "selftest-old", "mode": "tone", "passed": True, "seats": seats, "cameras": {"bench": fine}}
    room = TestedRoom(tmp_path, "edge", selftest='loudspeaker = "simulated"\nvalid_hours = 24')
    log = RoomLog(room.layout.log)
    now_ns = 1_000_000_000 * int(time.time())
    old_ns = now_ns - 25 * 3600 * 1_000_000_000
    log.append("selftest", {**body, "mix": fine, "server": fine}, hearing=None, room_ns=0, utc_ns=old_ns)
    log.close()
    async with room:
        value = (await room.state())["selftest"]
        assert (value["state"], value["hindrances"]) == ("expired", ["selftest"])
        assert (await room.http.post("/api/selftest")).json()["code"] == "recorder", (
            "nothing to test without a recorder"
        )
        assert json.loads(json.dumps(value))["at_utc_ms"] == old_ns / 1e6


async def test_a_result_does_not_count_for_a_seat_that_came_after_it(tmp_path: Path) -> None:
    fine = {"ok": True, "why": ""}
    seats: dict[str, Any] = dict.fromkeys(("judge", "plaintiff"), fine)
    body = {"id": "selftest-x", "mode": "tone", "passed": True, "seats": seats, "cameras": {"bench": fine}}
    room = TestedRoom(tmp_path, "edge", selftest='loudspeaker = "simulated"\nvalid_hours = 24')
    log = RoomLog(room.layout.log)
    log.append("selftest", {**body, "mix": fine, "server": fine}, hearing=None, room_ns=0, utc_ns=time.time_ns())
    log.close()
    async with room:
        value = (await room.state())["selftest"]
        assert (value["state"], value["hindrances"]) == ("expired", ["selftest"])


async def test_the_clerk_says_which_seats_a_camera_sees_and_that_lasts(tmp_path: Path) -> None:
    fine = {"ok": True, "why": ""}
    seats: dict[str, Any] = dict.fromkeys(("judge", "plaintiff", "defendant"), fine)
    body = {"id": "selftest-x", "mode": "tone", "passed": True, "seats": seats, "cameras": {"bench": fine}}
    room = TestedRoom(tmp_path, "edge", selftest='loudspeaker = "simulated"\nvalid_hours = 24')
    log = RoomLog(room.layout.log)
    tested_ns = time.time_ns() - 3600 * 1_000_000_000
    log.append("selftest", {**body, "mix": fine, "server": fine}, hearing=None, room_ns=0, utc_ns=tested_ns)
    log.close()
    async with room:
        before = (await room.state())["selftest"]
        assert before["views"] == {}
        for strange in ({"camera": "bench", "seats": ["gallery"]}, {"camera": "roof", "seats": []}):
            assert (await room.http.put("/api/selftest/views", json=strange)).json()["code"] == "not-found"
        answer = await room.http.put("/api/selftest/views", json={"camera": "bench", "seats": ["plaintiff", "judge"]})
        assert answer.status_code == 200, answer.text
        after = (await room.state())["selftest"]
        assert after["views"]["bench"]["seats"] == ["judge", "plaintiff"]
        untouched = ("state", "at_utc_ms", "until_utc_ms", "hindrances")
        # To look at a picture is no test.
        assert [after[key] for key in untouched] == [before[key] for key in untouched]
        assert len(events(room, "selftest")) == 2
    result = SelfTestResult.of_event(events(room, "selftest")[-1])
    profile = load_profile(room.profile)
    again = SelfTestResult.begin("selftest-y", "tone", profile)
    again.keep_views(result, profile)
    assert again.views["bench"]["seats"] == ["judge", "plaintiff"]
    fewer = profile.model_copy(update={"seats": profile.seats[1:]})
    again.keep_views(result, fewer)
    assert again.views == {}, "a seat that is gone is in no picture"


async def test_nothing_is_seen_before_the_first_test(tmp_path: Path) -> None:
    async with TestedRoom(tmp_path, "edge", selftest='loudspeaker = "simulated"') as room:
        answer = await room.http.put("/api/selftest/views", json={"camera": "bench", "seats": []})
        assert answer.json()["code"] == "selftest"


async def test_a_look_at_a_picture_is_kept_when_a_test_begins_while_it_is_written_down(tmp_path: Path) -> None:
    fine = {"ok": True, "why": ""}
    seats: dict[str, Any] = dict.fromkeys(("judge", "plaintiff", "defendant"), fine)
    body = {"id": "selftest-x", "mode": "tone", "passed": True, "seats": seats, "cameras": {"bench": fine}}
    room = TestedRoom(tmp_path, selftest='loudspeaker = "simulated"')
    log = RoomLog(room.layout.log)
    log.append("selftest", {**body, "mix": fine, "server": fine}, hearing=None, room_ns=0, utc_ns=time.time_ns())
    state = RoomState(load_profile(room.profile), room.layout, log, RoomClock.open(room.layout.clock))
    state._recorder_at = time.monotonic()
    try:
        runner = SelfTestRunner(state)
        await runner.load()
        noting = asyncio.create_task(runner.note_view("bench", ["judge"]))
        await asyncio.sleep(0)  # it has begun to write
        shown = runner.start()
        assert (shown["state"], shown["views"]) == ("running", {})
        shown = await noting
        assert (shown["state"], shown["views"]["bench"]["seats"]) == ("running", ["judge"])
        running = runner._running
        assert running is not None
        await runner._finish(running)
        kept = log.last_of_kind("selftest")
        assert kept is not None
        assert kept.body["views"]["bench"]["seats"] == ["judge"]
    finally:
        log.close()
        await room.http.aclose()
