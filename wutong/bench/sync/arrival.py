"""`wutong bench sync --cameras`: how late the record says that a network camera's pictures were taken.

A recorder of its own reads cameras that send few pictures a second, each at a moment that is noted, while its profile
says 25. `late_ms` is the moment that a fragment says of its first picture minus that at which the nearest picture was
sent: what the recorder adds by not knowing the camera's rate, and the machine by being late. The path from a lens to a
camera's network is not in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress

from hardware.profile import load_profile
from sync.errors import ConfigError
from sync.media.envelope import Envelope
from sync.room.clock import RoomClock
from sync.room.feed import FeedClient
from sync.room.paths import RoomPaths
from wutong.bench.record.cameras import Film, Viewer
from wutong.bench.sync.live import all_run, until

RATES = (5, 10, 15)
"""Pictures a second: so few that the nearest picture is the right one, whatever a machine is late by."""
SETTLE_S = 5.0
FILM_S = 4


class TimedCamera:
    """A camera that notes when it sends."""

    def __init__(self, folder: Path, fps: int) -> None:
        path = folder / f"{fps}.h264"
        source = f"testsrc2=s=320x180:r={fps}"
        coding = f"-t {FILM_S} -c:v libx264 -preset veryfast -g {2 * fps} -bf 0 -f h264"
        command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, *coding.split(), str(path)]
        if subprocess.run(command, check=False).returncode:
            raise ConfigError("ffmpeg cannot make the benchmark's pictures; run `wutong doctor`")
        self.name = f"fps{fps}"
        self.sent_ns: list[int] = []
        """Monotonic."""
        self._film = Film(path.read_bytes(), fps)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        """Serve while the block runs; its port."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await Viewer(self._film, reader, writer, self.sent_ns.append).serve()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()


def profile_text(ports: dict[str, int]) -> str:
    """A room with these cameras."""
    cameras = "".join(
        f'[[cameras]]\nid = "{name}"\nname = "{name}"\ndriver = "rtsp"\nurl = "rtsp://127.0.0.1:{port}/0"\nfps = 25\n'
        for name, port in ports.items()
    )
    return (
        '[room]\ncourt = "bench"\nroom = "sync"\ncourt_name = "测试法院"\nroom_name = "测试法庭"\n'
        '[[seats]]\nid = "judge"\nroles = ["审判长"]\nchannel = 0\n[microphones]\ndriver = "simulated"\nchannels = 1\n'
        f'{cameras}[storage]\ndata = "data"\nreserve_gib = 0\n[transcriber]\nengine = "off"\n'
    )


async def measure(folder: Path, seconds: float, console: Console) -> dict[str, Any]:
    """Record for `seconds` and compare; `folder` is filled."""
    cameras = await asyncio.to_thread(lambda: [TimedCamera(folder, fps) for fps in RATES])
    async with contextlib.AsyncExitStack() as running:
        ports = {camera.name: await running.enter_async_context(camera.running()) for camera in cameras}
        profile = folder / "room.toml"
        profile.write_text(profile_text(ports), encoding="utf-8")
        layout = RoomPaths(load_profile(profile).storage.data)
        clock = RoomClock.open(layout.clock)
        with Progress(console=console, transient=True) as progress:
            progress.add_task("cameras are recorded, in real time", total=None)
            said = await _said(folder, profile, layout, list(ports), seconds)
        figures: dict[str, Any] = {}
        for camera in cameras:
            sent = np.array([clock.from_monotonic_ns(at) for at in camera.sent_ns])
            late = np.array([(at - sent[np.abs(sent - at).argmin()]) / 1e6 for at in said[camera.name]])
            figures[f"late_ms_median_{camera.name}"] = round(float(np.median(late)), 1)
            figures[f"late_ms_p99_{camera.name}"] = round(float(np.percentile(np.abs(late), 99)), 1)
        return figures | {"seconds": seconds, "fragments": {name: len(found) for name, found in said.items()}}


async def _said(
    folder: Path, profile: Path, layout: RoomPaths, cameras: list[str], seconds: float
) -> dict[str, list[int]]:
    """Of each camera, the moments (room time) that its fragments say, once all run and their clocks are known."""
    command = [sys.executable, "-m", "wutong", "room", "recorder", "--profile", str(profile)]
    with (folder / "recorder.log").open("wb") as errors:
        recorder = await asyncio.create_subprocess_exec(*command, stderr=errors)
    said: dict[str, list[int]] = {name: [] for name in cameras}

    async def listen() -> None:
        topics = {f"frag/{name}": name for name in cameras}
        async for topic, payload in FeedClient(layout.feed("recorder"), list(topics)).messages():
            said[topics[topic]].append(Envelope.unpack(payload).room_ns)

    try:
        await until(recorder, layout, all_run)
        await asyncio.sleep(SETTLE_S)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(listen(), seconds)
        return said
    finally:
        with contextlib.suppress(ProcessLookupError):
            recorder.terminate()
        await recorder.wait()
