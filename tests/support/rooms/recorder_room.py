"""A real recorder in a process of its own, and a test that plays the edge beside it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hardware.simulation.cue import Play, announce
from sync.media.envelope import Envelope
from sync.media.fmp4 import index_file
from sync.record.hearing import Hearing
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.feed import FeedClient
from sync.room.paths import RoomPaths

SEATS = [("judge", ["审判长"]), ("plaintiff", ["原告", "原告代理人"]), ("defendant", ["被告"]), ("clerk", ["书记员"])]
SIMULATED_MICS = 'driver = "simulated"\nchannels = 4\n'
SIMULATED_CAMERA = '[[cameras]]\nid = "bench"\nname = "审判席"\ndriver = "simulated"\nwidth = 640\nheight = 360\n'
PATIENCE_S = 60


def profile_text(
    mics: str = SIMULATED_MICS, cameras: str = SIMULATED_CAMERA, segment_s: int = 4, seats: int = 4
) -> str:
    chairs = "".join(
        f'[[seats]]\nid = "{name}"\nroles = {json.dumps(roles, ensure_ascii=False)}\nchannel = {i}\n'
        for i, (name, roles) in enumerate(SEATS[:seats])
    )
    return (
        '[room]\ncourt = "jianshan"\nroom = "3"\ncourt_name = "尖山区人民法院"\nroom_name = "第三法庭"\n'
        f'{chairs}[microphones]\n{mics}{cameras}[storage]\ndata = "data"\nreserve_gib = 0.0\nsegment_s = {segment_s}\n'
    )


class RecorderRoom:
    """`status` is the recorder's last, `fragments` counts those of each track."""

    def __init__(self, folder: Path, text: str, environment: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.profile = folder / "room.toml"
        self.profile.write_text(text, encoding="utf-8")
        self.layout = RoomPaths(folder / "data")
        self.clock = RoomClock.open(self.layout.clock)
        self.log = RoomLog(self.layout.log)
        self.status: dict[str, Any] = {}
        self.fragments: dict[str, list[Envelope]] = {}
        self.inits: dict[str, list[Envelope]] = {}
        self.thumbs: dict[str, Envelope] = {}
        self.levels: dict[str, Any] = {}
        self.hearing = "h-1"
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        command = [sys.executable, "-c", "from wutong.cli import main; main()", "room", "recorder"]
        with (self.folder / "recorder.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--profile", str(self.profile)], stderr=log, env=self._environment
            )
        if not self._tasks:
            self._tasks.append(asyncio.create_task(self._listen()))

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        process = self._process
        assert process is not None
        process.send_signal(number)
        self.status = {}
        return await asyncio.to_thread(process.wait, 20)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self.log.close()

    async def _listen(self) -> None:
        async for topic, payload in FeedClient(self.layout.feed("recorder"), [""]).messages():
            kind, _, track = topic.partition("/")
            if kind == "status":
                self.status = json.loads(payload)
            elif kind == "frag":
                self.fragments.setdefault(track, []).append(Envelope.unpack(payload))
            elif kind == "init":
                self.inits.setdefault(track, []).append(Envelope.unpack(payload))
            elif kind == "thumb":
                self.thumbs[track] = Envelope.unpack(payload)
            elif kind == "levels":
                self.levels = json.loads(payload)

    async def until(self, true: Callable[[], object], what: str = "") -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            if time.monotonic() > deadline:
                log = (self.folder / "recorder.log").read_text(encoding="utf-8")[-4000:]
                raise AssertionError(f"waited too long: {what}\n{self.status}\n{log}")
            await asyncio.sleep(0.05)

    def track(self, name: str) -> dict[str, Any]:
        return next((t for t in self.status.get("tracks", []) if t["id"] == name), {})

    def running(self) -> bool:
        tracks = self.status.get("tracks", [])
        return bool(tracks) and all(t["state"] == "running" for t in tracks)

    def say(self, kind: str, **body: Any) -> int:
        now_ns = self.clock.now_ns()
        self.log.append(kind, body, hearing=self.hearing, room_ns=now_ns, utc_ns=time.time_ns())
        return now_ns

    def view(self) -> Hearing:
        return Hearing.of(self.hearing, self.log.of_hearing(self.hearing))

    async def record(self, until_bytes: int = 1, *tracks: str) -> None:
        """Wait until each of the tracks has that much on disk beyond what it has now."""
        before = {t: self.track(t).get("kept_bytes", 0) for t in tracks}
        await self.until(
            lambda: all(self.track(t).get("kept_bytes", 0) >= before[t] + until_bytes for t in tracks), "kept bytes"
        )

    async def pass_media(self, track: str, seconds: float) -> None:
        """Wait until the track's media has advanced that far."""
        start_ns = self.clock.now_ns()
        await self.until(
            lambda: (f := self.fragments.get(track)) and f[-1].room_ns > start_ns + seconds * 1e9, f"media of {track}"
        )

    async def closed(self, *tracks: str) -> Hearing:
        """Wait until everything of the closed hearing is said: each track's segments and gaps reach its end."""

        def reaches(view: Hearing, track: str) -> bool:
            ends = [s.to_ns for s in view.segments if s.track == track]
            ends += [g.to_ns or 0 for g in view.gaps if g.track == track]
            return view.closed_ns is not None and max(ends, default=0) >= view.closed_ns - 20_000_000

        await self.until(lambda: all(reaches(self.view(), t) for t in tracks), "segments up to the end")
        return self.view()

    def files(self, track: str) -> list[Path]:
        return sorted(self.layout.track(self.hearing, track).glob("*.mp4"))

    def play(self, folder: Path, in_s: float = 0.5) -> int:
        """Have the simulated devices act a hearing; room time of its beginning."""
        start_ns = time.monotonic_ns() + int(in_s * 1e9)
        announce(self.layout.stage, Play(start_ns, folder))
        return self.clock.from_monotonic_ns(start_ns)

    def workers(self, word: str) -> list[int]:
        """Process numbers of this recorder's children whose command line has the word."""
        found = []
        for path in Path("/proc").iterdir():
            if path.name.isdigit():
                with contextlib.suppress(OSError):
                    parent = (path / "stat").read_text().rpartition(")")[2].split()[1]
                    if int(parent) == self.pid and word in (path / "cmdline").read_text():
                        found.append(int(path.name))
        return found


def spans(view: Hearing, track: str) -> list[tuple[int, int]]:
    """What is kept or declared missing of a track, merged."""
    parts = [(s.from_ns, s.to_ns) for s in view.segments if s.track == track]
    parts += [(g.from_ns, g.to_ns or 0) for g in view.gaps if g.track == track]
    merged: list[tuple[int, int]] = []
    for from_ns, to_ns in sorted(parts):
        if merged and from_ns <= merged[-1][1] + 20_000_000:
            merged[-1] = (merged[-1][0], max(merged[-1][1], to_ns))
        else:
            merged.append((from_ns, to_ns))
    return merged


def whole(path: Path) -> bool:
    """The file ends with a whole fragment."""
    return index_file(path).end == path.stat().st_size


def hearing_folder(folder: Path, seconds: int = 30) -> tuple[Path, np.ndarray]:
    """A hearing whose sound is known sample by sample: each seat has a voice (noise) of its own, second by second."""
    folder.mkdir()
    rng = np.random.default_rng(3)
    pcm = np.zeros((16_000 * seconds, 4), np.int16)
    utterances = []
    for second in range(1, seconds - 1, 2):
        channel = second // 2 % 4
        pcm[second * 16_000 : (second + 1) * 16_000, channel] = rng.integers(-9_000, 9_000, 16_000)
        role = SEATS[channel][1][0]
        utterances.append({"channel": channel, "role": role, "start": second, "end": second + 1, "text": "好"})
    pcm += rng.integers(-3, 4, pcm.shape, np.int16)
    command = ["ffmpeg", "-v", "error", "-f", "s16le", "-ar", "16000", "-ch_layout", "quad", "-i", "pipe:0"]
    subprocess.run([*command, str(folder / "microphones.flac")], input=pcm.tobytes(), check=True)
    channels = {str(i): roles for i, (_, roles) in enumerate(SEATS)}
    reference = {"sample_rate": 16_000, "channels": channels, "utterances": utterances}
    (folder / "reference.json").write_text(json.dumps(reference), encoding="utf-8")
    return folder, pcm
