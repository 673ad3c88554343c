"""Fault 36: the panel's browser crashes: every process of Chromium is killed at once in the middle of a hearing.

Nothing stops, and the next browser shows the same hearing in the same state. Lost: nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import httpx
import psutil
import pytest
from playwright.async_api import Error, expect

from tests.faults.fault_tools import gaps
from tests.support.peers.uplink_peers import until
from tests.support.ports import free_port
from tests.support.rooms.recorder_room import RecorderRoom, profile_text
from wutong.bench.browser import chromium, sign_in

CASE_NO = "（2026）黑0302民初36号"
CASE = {"id": "c-36", "case_no": CASE_NO, "cause": "民间借贷纠纷", "title": "张某诉李某", "parties": {}, "public": True}


def chromium_processes() -> list[psutil.Process]:
    return [p for p in psutil.Process().children(recursive=True) if "chrom" in p.name()]


@pytest.mark.browser
@pytest.mark.alone
async def test_a_crashed_browser_comes_back_to_the_same_hearing(room_of: Callable[..., RecorderRoom]) -> None:
    port = free_port()
    text = profile_text(segment_s=60) + f'[panel]\nport = {port}\n[transcriber]\nengine = "off"\n'
    room = room_of(text)
    command = [sys.executable, "-m", "wutong", "room", "edge", "--profile", str(room.profile)]
    edge = await asyncio.create_subprocess_exec(*command, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    codes = room.layout.data / "codes.json"
    try:
        await room.until(room.running, "all sources run")
        await until(codes.exists, 60)
        code = json.loads(codes.read_text())["clerk"]
        seats = [{"id": "judge", "role": "审判长", "roles": ["审判长"], "channel": 0}]
        tracks = [{"id": track, "kind": "video", "name": track} for track in ("bench", "mics", "mix")]
        names = {"court": "jianshan", "room": "3", "court_name": "尖山区人民法院", "room_name": "第三法庭"}
        room.say("open", case=CASE, seats=seats, tracks=tracks, **names)
        mark = {"id": "m-1", "kind": "note", "text": "开庭前核对"}
        room.log.append("mark", mark, hearing=room.hearing, room_ns=room.clock.now_ns(), utc_ns=time.time_ns())

        async def shown() -> dict[str, Any]:
            """What a browser shows, and the state behind it; the browser is killed afterwards."""
            with contextlib.suppress(Error):
                async with chromium() as browser:
                    page = await browser.new_page()
                    await sign_in(page, f"{url}/panel", code)
                    await page.goto(f"{url}/panel")
                    await expect(page.get_by_text("民初36号").first).to_be_visible(timeout=30_000)
                    answer = await page.request.get(f"{url}/api/state")
                    state = await answer.json()
                    killed = chromium_processes()
                    for process in killed:
                        with contextlib.suppress(psutil.NoSuchProcess):
                            process.kill()
                    assert killed
            await asyncio.to_thread(psutil.wait_procs, killed, 10)
            return dict(state["hearing"])

        async with httpx.AsyncClient(trust_env=False) as http:

            async def answers() -> bool:
                with contextlib.suppress(httpx.HTTPError):
                    return (await http.get(f"{url}/api/session")).status_code == 401
                return False

            while not await answers():
                assert edge.returncode is None
                await asyncio.sleep(0.1)
        before = await shown()
        after = await shown()
        for hearing in (before, after):
            assert hearing["case"]["case_no"] == CASE_NO
        assert [before[name] for name in ("id", "state", "opened_ms", "marks")] == [
            after[name] for name in ("id", "state", "opened_ms", "marks")
        ]
        assert {t["restarts"] for t in room.status["tracks"]} == {0}
        room.say("close")
        assert gaps(room, await room.closed("bench", "mics", "mix")) == []
    finally:
        if edge.returncode is None:
            edge.kill()
        await edge.wait()
