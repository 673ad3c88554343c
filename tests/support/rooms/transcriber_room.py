"""A room whose microphones were recorded, or play, without a recorder: what the transcriber sees is the same."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from hardware.simulation.hearing_folder import decode_audio
from sync.media.envelope import Envelope, Kind, pack_init
from sync.media.fmp4 import BoxReader, Fragment, Init, retime, to_ns, to_ticks
from sync.record.event import Event
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.feed import FeedClient, FeedServer
from sync.room.paths import RoomPaths
from tests.support.paths import SHARED

HEARING = "h-1"
RATE_HZ = 16_000
S = 1_000_000_000

Pcm = NDArray[np.int16]


def speech(name: str) -> Pcm:
    """One of the real recordings, mono."""
    return decode_audio(SHARED / "speech" / name, RATE_HZ)


def hearing_civil(from_s: float, to_s: float) -> Pcm:
    """A part of the mock hearing, four channels."""
    return _hearing_civil()[int(from_s * RATE_HZ) : int(to_s * RATE_HZ)]


@cache
def _hearing_civil() -> Pcm:
    return decode_audio(SHARED / "hearing-civil" / "microphones.flac", RATE_HZ)


def flac_track(pcm: Pcm) -> tuple[Init, list[Fragment]]:
    """The sound as a recorder's worker writes it."""
    layout = ("mono", "stereo", "3.0", "quad")[pcm.shape[1] - 1]
    command = ["ffmpeg", "-v", "error", "-f", "s16le", "-ar", str(RATE_HZ), "-ch_layout", layout, "-i", "pipe:0"]
    command += ["-c:a", "flac", "-strict", "-2", "-frame_size", "800", "-f", "mp4", "-frag_duration", "120000"]
    command += ["-movflags", "empty_moov+default_base_moof+frag_keyframe+skip_trailer", "pipe:1"]
    data = subprocess.run(command, input=pcm.tobytes(), capture_output=True, check=True).stdout
    reader = BoxReader()
    fragments = [found for found in reader.feed(data) if isinstance(found, Fragment)]
    assert reader.init is not None
    return reader.init, fragments


def stamped(pcm: Pcm, from_ns: int) -> tuple[Init, list[Fragment]]:
    """`flac_track` on the room's time line."""
    init, fragments = flac_track(pcm)
    base = to_ticks(from_ns, init.timescale)
    return init, [retime(f, init, base + f.decode_time, i) for i, f in enumerate(fragments)]


@dataclass
class TranscriberRoom:
    """Folders, log and clock of a room with one seat a channel, and its transcriber when it runs."""

    folder: Path
    channels: int
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        seats = "".join(
            f'[[seats]]\nid = "seat-{c}"\nroles = ["角色{c}"]\nchannel = {c}\n' for c in range(self.channels)
        )
        self.profile = self.folder / "room.toml"
        self.profile.write_text(
            '[room]\ncourt = "c"\nroom = "r"\ncourt_name = "法院"\nroom_name = "法庭"\n'
            + seats
            + f'[microphones]\ndriver = "pyaudio"\ndevice = "x"\nchannels = {self.channels}\n'
            + '[[cameras]]\nid = "view"\nname = "全景"\ndriver = "v4l2"\ndevice = "/dev/none"\n'
            + '[storage]\ndata = "data"\n',
            encoding="utf-8",
        )
        self.layout = RoomPaths(self.folder / "data")
        self.layout.data.mkdir()
        # The room is an hour old, so that a hearing may lie in its past.
        epoch = {"epoch_utc_ns": time.time_ns() - 3600 * S, "boots": {}, "last_room_ns": 0}
        self.layout.clock.write_text(json.dumps(epoch), encoding="utf-8")
        self.clock = RoomClock.open(self.layout.clock)
        self.log = RoomLog(self.layout.log)

    def say(self, kind: str, room_ns: int, **body: Any) -> Event:
        """Append an event of the hearing."""
        return self.log.append(kind, body, hearing=HEARING, room_ns=room_ns, utc_ns=self.clock.utc_now_ns())

    def keep(self, pcm: Pcm, from_ns: int, segment_s: float = 10) -> None:
        """Put sound on disk as the recorder's segments of the hearing."""
        init, fragments = stamped(pcm, from_ns)
        folder = self.layout.track(HEARING, "mics")
        folder.mkdir(parents=True, exist_ok=True)
        segments: dict[int, bytes] = {}
        first = len(list(folder.glob("*.mp4")))
        for fragment in fragments:
            index = first + int((to_ns(fragment.decode_time, init.timescale) - from_ns) / S / segment_s)
            segments[index] = segments.get(index, init.data) + fragment.data
        for index, data in segments.items():
            (folder / f"{index:05}.mp4").write_bytes(data)

    def start(self) -> None:
        """Run the real service."""
        command = [sys.executable, "-m", "wutong", "room", "transcriber", "--profile", str(self.profile)]
        self.process = subprocess.Popen(command)

    def stop(self) -> None:
        """End it, if it runs."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def model_pid(self) -> int | None:
        """The process that owns the model."""
        assert self.process is not None
        return next((child.pid for child in psutil.Process(self.process.pid).children()), None)

    def utterances(self) -> list[Event]:
        """What is in the record."""
        return [e for e in self.log.of_hearing(HEARING) if e.kind == "utterance"]

    def text(self) -> str:
        """All words, in the order in which they were begun."""
        ordered = sorted(self.utterances(), key=lambda e: e.body["start_ns"])
        return "".join(e.body["text"] for e in ordered)

    def done(self) -> int:
        """Up to which event the transcriber has dealt with everything."""
        try:
            return int(json.loads((self.layout.data / "transcriber.json").read_text(encoding="utf-8"))["number"])
        except FileNotFoundError:
            return 0

    async def messages(self, *topics: str) -> AsyncIterator[tuple[str, Any]]:
        """The transcriber's feed."""
        async for topic, payload in FeedClient(self.layout.feed("transcriber"), topics).messages():
            yield topic, json.loads(payload)


async def until(true: Callable[[], object], timeout_s: float = 120) -> None:
    """Wait for something that becomes true in another process."""
    async with asyncio.timeout(timeout_s):
        while not true():
            await asyncio.sleep(0.05)


async def play(feed: FeedServer, pcm: Pcm, from_ns: int, clock: RoomClock) -> None:
    """Publish sound in real time as the recorder does."""
    init, fragments = stamped(pcm, from_ns)
    start = Envelope(Kind.INIT, 1, 0, from_ns, 0, 0, pack_init(init.mime, init.data))
    feed.publish("init/mics", start.pack(), retain=True)
    for number, fragment in enumerate(fragments):
        at_ns = to_ns(fragment.decode_time, init.timescale)
        length_ns = to_ns(fragment.duration, init.timescale)
        await asyncio.sleep(max(at_ns + length_ns - clock.now_ns(), 0) / S)
        message = Envelope(Kind.FRAGMENT, 1, number, at_ns, 0, length_ns // 1000, fragment.data, key_frame=True)
        feed.publish("frag/mics", message.pack())
