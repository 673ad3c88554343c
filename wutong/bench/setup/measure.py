"""`wutong bench setup`: from the center's code to a live picture of the room at an inspector's tab.

Broker and center run, and know a room of which nothing is there. Then `wutong room setup CODE --yes` begins, as a
person would have it done: it asks the center which room it is, looks at its cameras, writes the profile, starts the
services and enrolls. *Picture*: until the first fragment of the room's first camera comes to an inspector who has
asked for it all the time. A person's touches and words are not in it. `load`: of the machine in that minute.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import websockets
from rich.console import Console
from websockets.typing import Origin

from hardware.simulation.scenario import BUNDLED_HEARING
from server.config import load_config
from sync.errors import ConfigError
from sync.media.envelope import Envelope, Kind
from wutong.bench.live.measure import machine
from wutong.bench.record.measure import FPS, make_film
from wutong.demo.rooms import RoomPlan
from wutong.demo.stack import Stack, start_stack
from wutong.enroll import new_code

CAMERAS = 2
MOST_S = 180.0


async def measure(folder: Path, devices: str, port_base: int, console: Console) -> dict[str, Any]:
    """Run it once with `simulated` devices or cameras by `rtsp`; `folder` may be filled.

    `ConfigError` says what kept the room from its wall.
    """
    async with contextlib.AsyncExitStack() as running:
        cameras: list[str] = []
        if devices == "rtsp":
            cameras = await running.enter_async_context(_network_cameras(folder, console))
        say = console.print
        stack = await start_stack(
            folder / "data", BUNDLED_HEARING, rooms=0, planned=1, port_base=port_base, tls=True, say=say
        )
        running.push_async_callback(stack.processes.stop)
        plan = stack.planned[0]
        code = await new_code(load_config(stack.center_data / "center.toml"), plan.address)
        console.print("the clock runs")
        async with asyncio.timeout(MOST_S):
            return await _set_up(stack, plan, f"{stack.center_url}/#{code}", cameras, devices)


async def _set_up(stack: Stack, plan: RoomPlan, carried: str, cameras: list[str], devices: str) -> dict[str, Any]:
    words = [sys.executable, "-m", "wutong", "room", "setup", carried, "--yes", "--simulated"]
    words += ["--profile", str(plan.profile), "--data", str(plan.data), "--host", "127.0.0.1", "--port", str(plan.port)]
    words += ["--here", str(plan.data.parent / "logs")]
    for url in cameras:
        words += ["--camera", url]
    began_s = time.monotonic()
    picture = asyncio.create_task(_first_picture(stack, f"{plan.address}/bench"))
    log = plan.data.parent / "setup.log"
    with log.open("wb") as errors:
        setup = await asyncio.create_subprocess_exec(*words, stdout=subprocess.PIPE, stderr=errors)
    steps: dict[str, float] = {}
    try:
        assert setup.stdout is not None
        said = ""
        async for line in setup.stdout:
            said = line.decode("utf-8", "replace").strip()
            step, _, state = said.partition(": ")
            if state.startswith(("done", "note")):
                steps[f"{step}_s"] = round(time.monotonic() - began_s, 1)
            if "(the room is ready)" in said:
                break
        else:
            last = log.read_text(encoding="utf-8", errors="replace").strip()[-500:]
            raise ConfigError(f"the room was not set up: {said}; {last}")
        ready_s = time.monotonic() - began_s
        picture_s = await picture - began_s
    finally:
        picture.cancel()
        await asyncio.gather(picture, return_exceptions=True)
        if setup.returncode is None:
            setup.terminate()
            await setup.wait()
    return {
        "devices": devices,
        **steps,
        "picture_s": round(picture_s, 1),
        "ready_s": round(ready_s, 1),
        "machine": machine(),
        "load": round(os.getloadavg()[0], 1),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


async def _first_picture(stack: Stack, track: str) -> float:
    """When (monotonic, seconds) the first fragment of a track came to an inspector's tab."""
    context = stack.trusted()
    async with httpx.AsyncClient(base_url=stack.center_url, verify=context, trust_env=False) as http:
        answer = await http.post("/api/session", json={"code": stack.inspector_code()}, headers={"X-Wutong": "1"})
        answer.raise_for_status()
        cookie = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
    address = stack.center_url.replace("http", "ws", 1) + "/api/live"
    async with websockets.connect(
        address,
        origin=Origin(stack.center_url),
        additional_headers={"Cookie": cookie},
        ssl=context,
        proxy=None,
        max_size=2**24,
    ) as page:
        await page.send(json.dumps({"watch": [track], "rooms": []}))
        async for message in page:
            if isinstance(message, bytes):
                head = 1 + message[0]
                if Envelope.unpack(message[head:]).kind is Kind.FRAGMENT:
                    return time.monotonic()
    raise ConnectionError("the center has ended an inspector's connection")


@contextlib.asynccontextmanager
async def _network_cameras(folder: Path, console: Console) -> AsyncIterator[list[str]]:
    """The addresses of cameras that send what was encoded before."""
    console.print("making the cameras' pictures …")
    await asyncio.to_thread(make_film, folder / "film.h264")
    peer = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "wutong.bench.record.cameras", str(folder / "film.h264"), str(FPS), stdout=subprocess.PIPE
    )
    assert peer.stdout is not None
    try:
        port = int(await peer.stdout.readline())
        yield [f"rtsp://127.0.0.1:{port}/{number}" for number in range(CAMERAS)]
    finally:
        with contextlib.suppress(ProcessLookupError):
            peer.kill()
        await peer.wait()
