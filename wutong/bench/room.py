"""One courtroom without a center for the benchmarks: simulated devices, real services, restarted as systemd would."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import psutil

from sync.errors import WutongError
from sync.media.tracks import MICROPHONES, MIX
from sync.record.hearing import Hearing
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.feed import FeedClient
from sync.room.paths import RoomPaths
from sync.runtime.process.order import PLACES, Service
from wutong.demo.processes import Child, DemoProcesses

PATIENCE_S = 60.0
SERVICES: tuple[Service, ...] = ("recorder", "signer", "edge", "uplink", "transcriber")
HEARING = "20260101-090000-bench"
TRACKS = ("bench", MICROPHONES, MIX)

_PROFILE = """
[room]
court = "bench"
room = "01"
court_name = "测试法院"
room_name = "第一法庭"
[[seats]]
id = "judge"
roles = ["审判长"]
channel = 0
[[seats]]
id = "clerk"
roles = ["书记员"]
channel = 1
[microphones]
driver = "simulated"
channels = 2
[[cameras]]
id = "bench"
name = "审判席"
driver = "simulated"
width = 320
height = 180
fps = 25
[storage]
data = "data"
reserve_gib = 0.0
segment_s = {segment_s}
[transcriber]
engine = "off"
[panel]
port = 0
"""


class BenchRoom:
    """Made by `running`. `status` is the recorder's last word; None after `forget_status` until the next."""

    def __init__(self, folder: Path, segment_s: int) -> None:
        self.profile = folder / "room.toml"
        self.profile.write_text(_PROFILE.format(segment_s=segment_s), encoding="utf-8")
        self.layout = RoomPaths(folder / "data")
        self.clock = RoomClock.open(self.layout.clock)
        self.log = RoomLog(self.layout.log)
        self.processes = DemoProcesses(folder / "logs")
        self.status: dict[str, Any] | None = None

    @classmethod
    @contextlib.asynccontextmanager
    async def running(
        cls, folder: Path, services: Sequence[Service] = SERVICES, segment_s: int = 4
    ) -> AsyncIterator[BenchRoom]:
        """Start the services, and stop them at the end, by their process ids."""
        room = cls(folder, segment_s)
        for service in services:
            command = [sys.executable, "-m", "wutong", "room", service, "--profile", str(room.profile)]
            room.processes.start(service, command, PLACES[service].niceness)
        tasks = [asyncio.create_task(room.processes.watch()), asyncio.create_task(room._listen())]
        try:
            await room.until(room.runs, "all devices run")
            yield room
        finally:
            for task in tasks:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            await room.processes.stop()
            room.log.close()

    async def _listen(self) -> None:
        async for _, payload in FeedClient(self.layout.feed("recorder"), ["status"], retry_s=0.05).messages():
            self.status = json.loads(payload)

    async def until(self, true: Callable[[], object], what: str) -> None:
        """Wait; a `WutongError` with the recorder's last words when it takes too long."""
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            if time.monotonic() > deadline:
                raise WutongError(f"waited too long until {what}: {self.child('recorder').last_words(10)}")
            await asyncio.sleep(0.05)

    def child(self, service: str) -> Child:
        """One of the services."""
        return next(child for child in self.processes.children if child.name == service)

    def runs(self) -> bool:
        """Every track gives media."""
        tracks = [] if self.status is None else self.status["tracks"]
        return bool(tracks) and all(track["state"] == "running" for track in tracks)

    def keeps(self) -> bool:
        """Every track goes to disk."""
        return self.runs() and self.status is not None and all(track["kept"] for track in self.status["tracks"])

    def say(self, kind: str, hearing: str = HEARING, /, **body: Any) -> int:
        """Play the edge; returns the moment in room time."""
        now_ns = self.clock.now_ns()
        self.log.append(kind, body, hearing=hearing, room_ns=now_ns, utc_ns=self.clock.utc_now_ns())
        return now_ns

    def view(self) -> Hearing:
        """The hearing as the log has it."""
        return Hearing.of(HEARING, self.log.of_hearing(HEARING))

    async def close_hearing(self) -> Hearing:
        """Close it and wait until each track is kept or declared missing up to the end."""
        self.say("close")

        def done() -> bool:
            view = self.view()
            reach = dict.fromkeys(TRACKS, 0)
            ends = [(s.track, s.to_ns) for s in view.segments] + [(g.track, g.to_ns or 0) for g in view.gaps]
            for track, to_ns in ends:
                reach[track] = max(reach.get(track, 0), to_ns)
            return view.closed_ns is not None and min(reach.values()) >= view.closed_ns - 20_000_000

        await self.until(done, "the hearing is complete on disk")
        return self.view()

    def workers(self) -> dict[str, psutil.Process]:
        """The recorder's workers by what they are: `camera`, `microphones`, and the `encoder` of those."""
        found: dict[str, psutil.Process] = {}
        pid = self.child("recorder").pid
        if pid is None:
            return found
        with contextlib.suppress(psutil.Error):
            for worker in psutil.Process(pid).children():
                with contextlib.suppress(psutil.Error):
                    command = " ".join(worker.cmdline())
                    if "hardware.workers.simulated_camera" in command:
                        found["camera"] = worker
                    elif "hardware.workers.microphones" in command:
                        found["microphones"] = worker
                        for child in worker.children():
                            found["encoder"] = child
        return found

    def kill_all(self) -> None:
        """Every process of the room at once."""
        for child in self.processes.children:
            child.signal_group(signal.SIGKILL)

    def kill(self, service: str) -> None:
        """One service; what it started must die with it."""
        pid = self.child(service).pid
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
