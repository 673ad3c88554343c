"""A whole room for self-tests: real recorder, edge and uplink as processes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import httpx

from sync.room.paths import RoomPaths
from tests.support.ports import free_port
from tests.support.rooms.edge_room import CASE

PATIENCE_S = 90.0
SEATS = [("judge", "审判长"), ("plaintiff", "原告"), ("defendant", "被告")]
CAMERA = '[[cameras]]\nid = "{id}"\nname = "{name}"\n{more}\nwidth = 320\nheight = 180\n'
SIMULATED = 'driver = "simulated"'


def profile_text(
    port: int, *, cameras: str, mics: str, selftest: str, center: str = "", storage: str = "", court: str = "court1"
) -> str:
    seats = "".join(f'[[seats]]\nid = "{s}"\nroles = ["{r}"]\nchannel = {i}\n' for i, (s, r) in enumerate(SEATS))
    return (
        f'[room]\ncourt = "{court}"\nroom = "c03"\ncourt_name = "尖山区人民法院"\nroom_name = "第三法庭"\n'
        f'{seats}{cameras}[microphones]\n{mics}\nchannels = 3\n[storage]\ndata = "data"\nreserve_gib = 0\n{storage}\n'
        f'[selftest]\n{selftest}\n[transcriber]\nengine = "off"\n[panel]\nport = {port}\n[center]\n{center}\n'
    )


class TestedRoom:
    """`async with TestedRoom(folder, …) as room`: signed in, with all devices that can run running."""

    __test__ = False

    def __init__(self, folder: Path, *services: str, **profile: Any) -> None:
        self.folder = folder
        self.port = free_port()
        profile.setdefault("cameras", CAMERA.format(id="bench", name="审判席", more=SIMULATED))
        profile.setdefault("mics", 'driver = "simulated"')
        profile.setdefault("selftest", 'loudspeaker = "simulated"\nopening = "required"')
        self.profile = folder / "room.toml"
        self.profile.write_text(profile_text(self.port, **profile), encoding="utf-8")
        self.layout = RoomPaths(folder / "data")
        self.http = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}", headers={"X-Wutong": "1"}, trust_env=False, timeout=30
        )
        self._services = services or ("recorder", "edge")
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.environment: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        for service in self._services:
            self.start(service)
        await self.until(self._signed_in, "the panel")
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                await asyncio.to_thread(process.wait, 15)
            except subprocess.TimeoutExpired:
                process.kill()
        await self.http.aclose()

    def start(self, service: str) -> None:
        command = [sys.executable, "-m", "wutong", "room", service, "--profile", str(self.profile)]
        with (self.folder / f"{service}.log").open("ab") as log:
            environment = {**os.environ, **self.environment}
            self.processes[service] = subprocess.Popen(command, stderr=log, env=environment)

    async def end(self, service: str) -> None:
        process = self.processes.pop(service)
        process.terminate()
        await asyncio.to_thread(process.wait, 20)

    async def _signed_in(self) -> bool:
        with contextlib.suppress(httpx.HTTPError, OSError, ValueError):
            code = json.loads((self.layout.data / "codes.json").read_text())["clerk"]
            return (await self.http.post("/api/session", json={"code": code})).is_success
        return False

    async def until(self, true: Callable[[], Any], what: str) -> Any:
        end = time.monotonic() + PATIENCE_S
        while not (value := await true()):
            assert time.monotonic() < end, f"waited too long: {what}\n{self.words()}"
            await asyncio.sleep(0.1)
        return value

    def words(self) -> str:
        return "\n".join(p.read_text(encoding="utf-8")[-3000:] for p in sorted(self.folder.glob("*.log")))

    async def state(self) -> dict[str, Any]:
        return dict((await self.http.get("/api/state")).json())

    async def until_running(self, *tracks: str) -> None:
        """Wait for tracks (all, if none is named)."""

        async def running() -> bool:
            recorder = (await self.state())["recorder"] or {"tracks": []}
            found = {t["id"]: t["state"] for t in recorder["tracks"]}
            return bool(found) and all(found.get(t) == "running" for t in tracks or found)

        await self.until(running, "running tracks")

    async def test(self, **body: Any) -> dict[str, Any]:
        """Make a self-test; its result."""
        answer = await self.http.post("/api/selftest", json=body)
        assert answer.status_code == 200, answer.text

        async def over() -> Any:
            value = (await self.state())["selftest"]
            return value if value["state"] != "running" else None

        return dict(await self.until(over, "the end of the self-test"))

    async def open(self, **more: Any) -> httpx.Response:
        return await self.http.post("/api/hearing", json={**CASE, **more})

    def media(self) -> list[str]:
        """Every file of media below the data folder."""
        data = self.layout.data
        return sorted(
            str(p.relative_to(data)) for p in data.rglob("*") if p.suffix in (".mp4", ".m4s", ".flac", ".aac")
        )
