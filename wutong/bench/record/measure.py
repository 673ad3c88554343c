"""`wutong bench record`: what one room costs that keeps four cameras of 1080p and eight microphones.

The recorder runs as a service runs it, with all its workers, its picture checks and its read-back
(`longest_readback_s`: from the close of a file until it was found right). The cameras are an RTSP server that sends
H.264 which was encoded before, so the cameras' work is not in the figures; their streams are copied, not encoded. The
microphones are a file of eight voices, encoded as those of a room are. Processor time is what the kernel counted for
the recorder and all its descendants, those that ended included. A run in which anything was restarted or a gap was
declared is no measurement: it ends with an error.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from rich.console import Console
from rich.progress import track

from sync.errors import ConfigError, DeviceError, WutongError
from sync.record.hearing import Hearing
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.feed import FeedClient
from sync.room.paths import RoomPaths
from wutong.bench.live.measure import machine
from wutong.demo.processes import DemoProcesses

CAMERAS = 4
CHANNELS = 8
FPS = 25
FILM_S = 10
RATE_HZ = 16_000
HEARING = "20260101-090000-bench"
SETTLE_S = 12.0
"""After everything runs: starting costs more than going on."""
PATIENCE_S = 60.0
MIB = 1 << 20


def make_film(path: Path) -> None:
    """Ten seconds of a noisy, moving 1080p picture at 4 Mbit/s, a key frame every two seconds."""
    source = f"testsrc2=s=1920x1080:r={FPS},noise=alls=6:allf=t"
    coding = f"-t {FILM_S} -c:v libx264 -preset veryfast -b:v 4M -maxrate 4M -bufsize 4M -g {FPS * 2} -bf 0 -f h264"
    _ffmpeg(["-f", "lavfi", "-i", source, *coding.split(), str(path)])


def make_voices(path: Path) -> None:
    """A minute of eight seats: one speaks (noise with a voice's loudness) while the others' microphones hiss."""
    rng = np.random.default_rng(11)
    pcm = rng.normal(0, 20, (RATE_HZ * 60, CHANNELS))
    for second in range(60):
        pcm[second * RATE_HZ : (second + 1) * RATE_HZ, second // 3 % CHANNELS] *= 100
    samples = np.clip(pcm, -32_768, 32_767).astype("<i2").tobytes()
    layout = ["-f", "s16le", "-ar", str(RATE_HZ), "-ch_layout", "7.1", "-i", "pipe:0"]
    _ffmpeg([*layout, str(path)], samples)


def _ffmpeg(arguments: list[str], data: bytes | None = None) -> None:
    done = subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments], input=data, capture_output=True)
    if done.returncode:
        raise ConfigError(
            f"ffmpeg cannot make the benchmark's sources: {done.stderr.decode('utf-8', 'replace')[-300:]}"
        )


def profile_text(port: int, voices: Path) -> str:
    """A room of the size that the figures are about."""
    seats = "".join(f'[[seats]]\nid = "seat{c}"\nroles = ["席位{c}"]\nchannel = {c}\n' for c in range(CHANNELS))
    cameras = "".join(
        f'[[cameras]]\nid = "cam{n}"\nname = "摄像机{n}"\ndriver = "rtsp"\nurl = "rtsp://127.0.0.1:{port}/{n}"\n'
        f"width = 1920\nheight = 1080\nfps = {FPS}\n"
        for n in range(CAMERAS)
    )
    return (
        '[room]\ncourt = "bench"\nroom = "01"\ncourt_name = "测试法院"\nroom_name = "第一法庭"\n'
        f'{seats}[microphones]\ndriver = "file"\nfile = "{voices.name}"\nchannels = {CHANNELS}\nrate_hz = {RATE_HZ}\n'
        f'{cameras}[storage]\ndata = "data"\nreserve_gib = 0.0\nsegment_s = 30\n[transcriber]\nengine = "off"\n'
    )


class _Room:
    """The recorder and what it says."""

    def __init__(self, folder: Path, port: int) -> None:
        profile = folder / "room.toml"
        profile.write_text(profile_text(port, folder / "voices.flac"), encoding="utf-8")
        self.layout = RoomPaths(folder / "data")
        self.clock = RoomClock.open(self.layout.clock)
        self.log = RoomLog(self.layout.log)
        self.processes = DemoProcesses(folder / "logs")
        self.child = self.processes.start(
            "recorder", [sys.executable, "-m", "wutong", "room", "recorder", "--profile", str(profile)]
        )
        self.status: dict[str, Any] = {}
        self.longest_wait_ms = 0.0

    async def listen(self) -> None:
        """For ever."""
        async for _, payload in FeedClient(self.layout.feed("recorder"), ["status"]).messages():
            self.status = json.loads(payload)
            self.longest_wait_ms = max(self.longest_wait_ms, self.status["disk"]["longest_wait_ms"])

    def tracks(self, key: str) -> list[Any]:
        return [one[key] for one in self.status.get("tracks", [])]

    async def until(self, what: str, true: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            if time.monotonic() > deadline or self.child.pid is None:
                raise DeviceError(f"waited too long until {what}: {self.child.last_words(10)}")
            await asyncio.sleep(0.1)

    def say(self, kind: str) -> None:
        self.log.append(kind, {}, hearing=HEARING, room_ns=self.clock.now_ns(), utc_ns=self.clock.utc_now_ns())

    def view(self) -> Hearing:
        return Hearing.of(HEARING, self.log.of_hearing(HEARING))

    def family(self) -> list[psutil.Process]:
        """The recorder and all its living descendants."""
        assert self.child.pid is not None
        recorder = psutil.Process(self.child.pid)
        return [recorder, *recorder.children(recursive=True)]

    def cpu_s(self) -> dict[str, float]:
        """Processor seconds so far by kind of process, those of ended children with their parents."""
        used: dict[str, float] = {}
        for process in self.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total = times.user + times.system + times.children_user + times.children_system
                used[kind_of(process)] = used.get(kind_of(process), 0.0) + total
        return used

    def memory_mib(self) -> tuple[float, float]:
        """(resident, shared pages counted once) of all together."""
        infos = []
        for process in self.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                infos.append(process.memory_full_info())
        return sum(i.rss for i in infos) / MIB, sum(i.pss for i in infos) / MIB


def kind_of(process: psutil.Process) -> str:
    """What a process of the recorder is."""
    command = " ".join(process.cmdline())
    if "hardware.workers.microphones" in command:
        return "microphones"
    if "hardware.workers.network_camera" in command:
        return "cameras"
    if "recorder.readback.worker" in command:
        return "readback"
    if "ffmpeg" in command.split(" ")[0]:
        return "sound_ffmpeg"
    return "recorder" if "recorder" in command else "other"


async def measure(folder: Path, seconds: float, console: Console) -> dict[str, Any]:
    """Run the whole and return the figures; `folder` may be filled."""
    console.print("making the sources …")
    await asyncio.to_thread(make_film, folder / "film.h264")
    await asyncio.to_thread(make_voices, folder / "voices.flac")
    cameras = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "wutong.bench.record.cameras", str(folder / "film.h264"), str(FPS), stdout=subprocess.PIPE
    )
    assert cameras.stdout is not None
    room: _Room | None = None
    tasks: list[asyncio.Task[None]] = []
    try:
        room = _Room(folder, int(await cameras.stdout.readline()))
        tasks = [asyncio.create_task(room.listen()), asyncio.create_task(room.processes.watch())]
        return await _measure(room, seconds, console)
    finally:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, WutongError):
                await task
        if room is not None:
            await room.processes.stop()
            room.log.close()
        with contextlib.suppress(ProcessLookupError):
            cameras.kill()
        await cameras.wait()


async def _measure(room: _Room, seconds: float, console: Console) -> dict[str, Any]:
    await room.until("all devices run", lambda: room.tracks("state") == ["running"] * (CAMERAS + 2))
    room.say("open")
    await room.until("everything is kept", lambda: all(room.tracks("kept")))
    await asyncio.sleep(SETTLE_S)
    room.longest_wait_ms = 0.0
    restarts, kept_bytes, before = sum(room.tracks("restarts")), sum(room.tracks("kept_bytes")), room.cpu_s()
    began = time.monotonic()
    for _ in track(range(int(seconds)), "recording", console=console, transient=True):
        await asyncio.sleep(1)
    lasted_s = time.monotonic() - began
    used = room.cpu_s()
    rss_mib, pss_mib = room.memory_mib()
    grown = sum(room.tracks("kept_bytes")) - kept_bytes
    wait_ms = room.longest_wait_ms
    restarted = sum(room.tracks("restarts")) - restarts
    room.say("close")
    await room.until("the hearing is complete", lambda: _complete(room.view()))
    view = room.view()
    if restarted or view.gaps:
        whys = "; ".join(gap.why for gap in view.gaps) or "a source was restarted"
        raise DeviceError(f"this run is no measurement ({restarted} restarts, {len(view.gaps)} gaps): {whys}")
    cost = {kind: round((used[kind] - before.get(kind, 0.0)) / lasted_s, 3) for kind in sorted(used)}
    return {
        "cpu_cores_mean": round(sum(cost.values()), 3),
        "cpu_cores_by_process": cost,
        "rss_mib": round(rss_mib, 1),
        "pss_mib": round(pss_mib, 1),
        "bytes_per_hour": round(grown / lasted_s * 3600),
        "longest_disk_wait_ms": wait_ms,
        "longest_readback_s": room.status["readback"]["longest_s"],
        "cameras": CAMERAS,
        "microphones": CHANNELS,
        "segments": len(view.segments),
        "gaps": 0,
        "restarts": 0,
        "alarms": sorted({alarm.code for alarm in view.alarms}),
        "seconds": round(lasted_s, 1),
        "machine": machine(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _complete(view: Hearing) -> bool:
    ends: dict[str, int] = {}
    for segment in view.segments:
        ends[segment.track] = max(ends.get(segment.track, 0), segment.to_ns)
    for gap in view.gaps:
        ends[gap.track] = max(ends.get(gap.track, 0), gap.to_ns or 0)
    closed_ns = view.closed_ns or 0
    return len(ends) == CAMERAS + 2 and min(ends.values()) >= closed_ns - 20_000_000
