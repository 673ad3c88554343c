"""From the center's code to a live picture at an inspector's tab, through the real parts; nothing is edited by hand."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import websockets
from websockets.typing import Origin

from hardware.profile import load_profile
from server.rooms import KnownRoom
from sync.media.envelope import Kind
from sync.room.paths import RoomPaths
from tests.support.peers.center_peers import until
from tests.support.peers.live_tab import Tab
from tests.support.peers.tls_center import ROOM, served_by_tls
from tests.support.peers.tls_court import shows
from tests.support.ports import free_port
from wutong.enroll import new_code

PATIENCE_S = 150


@pytest.mark.process
async def test_a_code_makes_a_machine_a_room_whose_picture_is_seen_at_the_center(tmp_path: Path) -> None:
    profile, data = tmp_path / "room" / "room.toml", tmp_path / "room" / "data"
    async with served_by_tls(tmp_path) as served:
        code = await new_code(served.config, ROOM)
        setup = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "wutong", "room", "setup", f"{served.url}/#{code}", "--yes", "--simulated"),
            *("--profile", str(profile), "--data", str(data), "--host", "127.0.0.1", "--port", str(free_port())),
            *("--here", str(tmp_path / "logs")),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "WUTONG_LOG": "warning"},
        )
        assert setup.stdout is not None
        try:
            said = b""
            async with asyncio.timeout(PATIENCE_S):
                async for line in setup.stdout:
                    said += line
                    if b"the room is ready" in line:
                        break
            assert b"the room is ready" in said, said.decode()
            assert "已在督查墙上" in said.decode()
            room = served.center.rooms.current[ROOM]
            await until(lambda: _certified(room), 60)  # the room looks at its machine every quarter of a minute
            inspector = json.loads((served.config.storage.data / "codes.json").read_text())["inspector"]
            async with served.http() as http:
                (await http.post("/api/session", json={"code": inspector})).raise_for_status()
                cookie = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
            async with _tab(served.url, cookie, served.broker.authority) as tab:
                await tab.say(watch=[f"{ROOM}/bench"], rooms=[ROOM])
                await until(lambda: any(one.kind is Kind.FRAGMENT for _, one in tab.media), 60)
        finally:
            if setup.returncode is None:
                setup.terminate()
            await asyncio.wait_for(setup.wait(), 60)
    loaded = load_profile(profile)
    assert loaded.address == ROOM
    assert loaded.center.url == served.url
    assert RoomPaths(data).device_certificate.exists()


def _certified(room: KnownRoom) -> bool:
    """Whether a room is online and has told its version and when its certificate ends."""
    facts = None if room.status is None else room.status.facts
    return room.online and facts is not None and facts.version != "" and facts.certificate_until_utc_ms is not None


@contextlib.asynccontextmanager
async def _tab(url: str, cookie: str, authority: Path) -> AsyncIterator[Tab]:
    address = url.replace("https", "wss") + "/api/live"
    async with websockets.connect(
        address, origin=Origin(url), additional_headers={"Cookie": cookie}, ssl=shows(None, authority), max_size=2**24
    ) as ws:
        one = Tab(ws)
        reading = asyncio.create_task(one.read())
        try:
            yield one
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
