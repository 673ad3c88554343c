"""A camera of a room as the center hears it live: real fragments, over and over, at the pace of the clock."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from sync.media.access_unit import SampleRow, pack_fragment
from sync.media.envelope import Envelope, Kind, pack_init
from sync.media.fmp4 import BoxReader, Fragment, Init, retime, to_ns, to_ticks
from sync.media.fragment_rows import sample_bytes
from tests.support.peers.center_peers import ROOM_NS, RoomPeer
from tests.support.peers.live_tab import IDLE

INIT_ID = 7


def unit_mp4(path: Path, coding: str, *, size: str = "320x240", seconds: float = 4, rate: int = 25) -> bytes:
    """A fragmented file whose fragments are one picture each, as a recorder publishes them; `coding`: of ffmpeg."""
    command = (
        f"ffmpeg -v error -y -f lavfi -i testsrc2=size={size}:rate={rate} -t {seconds} {coding} -pix_fmt yuv420p "
        "-movflags empty_moov+default_base_moof+frag_every_frame -f mp4"
    )
    subprocess.run([*command.split(), str(path)], check=True, timeout=60)
    return path.read_bytes()


def noisy_mp4(path: Path, *, seconds: float = 4, rate: str = "3M", key_s: int = 1, fragment_ms: int = 160) -> bytes:
    """A fragmented H.264 file that needs its bit rate; a fragment has one picture at least."""
    command = (
        f"ffmpeg -v error -y -f lavfi -i testsrc2=size=320x240:rate=25,noise=alls=60:allf=t -t {seconds} -c:v libx264 "
        f"-preset ultrafast -b:v {rate} -minrate {rate} -maxrate {rate} -bufsize {rate} -nal-hrd cbr -bf 0 "
        f"-g {25 * key_s} -keyint_min {25 * key_s} -sc_threshold 0 -pix_fmt yuv420p "
        f"-movflags empty_moov+default_base_moof+frag_keyframe -frag_duration {fragment_ms * 1000} -f mp4"
    )
    subprocess.run([*command.split(), str(path)], check=True, timeout=60)
    return path.read_bytes()


def parts_of(data: bytes) -> tuple[Init, list[Fragment]]:
    """The init segment and the fragments of a file."""
    init, *fragments = BoxReader().feed(data)
    assert isinstance(init, Init)
    return init, [one for one in fragments if isinstance(one, Fragment)]


def tone_mp4(path: Path, *, seconds: float = 4, fragment_ms: int = 60) -> bytes:
    """A fragmented AAC file of a tone."""
    command = (
        f"ffmpeg -v error -y -f lavfi -i sine=frequency=440:sample_rate=48000:duration={seconds} -c:a aac -b:a 96k "
        f"-movflags empty_moov+default_base_moof -frag_duration {fragment_ms * 1000} -f mp4"
    )
    subprocess.run([*command.split(), str(path)], check=True, timeout=60)
    return path.read_bytes()


class CameraPeer:
    """A track of a room, `bench` unless another is named."""

    def __init__(
        self,
        room: RoomPeer,
        data: bytes,
        *,
        track: str = "bench",
        beside: CameraPeer | None = None,
        tile: CameraPeer | None = None,
    ) -> None:
        """`beside`: another track, which the room tells of as well; `tile`: its small picture for walls."""
        self._track = track
        self._beside, self._tile = beside, tile
        self._tells = True
        for other in (beside, tile):
            if other is not None:
                other._tells = False
        self.may_begin = asyncio.Event()
        """Set from the beginning; while it is not, the room tells of the track and sends nothing of it."""
        self.may_begin.set()
        self.init, self._fragments = parts_of(data)
        self._room = room
        self.sent = 0
        """Fragments so far."""
        self.key_frames = 0
        """Fragments that began with one."""
        self.end_s = ROOM_NS / 1e9
        """Where its media ends, room time."""
        self.lead_s = 0.0
        """How far its media may be ahead of the clock: what is more than before is sent at once."""
        self.only_keys = False
        """Only fragments with a key frame leave: so a group of pictures that is too long is begun."""
        self.long_keys_s: int | None = None
        """What its room says of key frames that are far apart."""
        self._init_id = INIT_ID
        self._next: bytes | None = None
        self.spoiled = 0
        """So many of the next fragments cannot be read by a browser."""
        self.garbled = 0
        """So many of the next fragments hold what no decoder takes for pictures."""
        self.said_ms: int | None = None
        """How long each fragment says that its one picture lasts, whatever comes behind it."""
        self.hearing: dict[str, Any] | None = None
        """What the room says of the hearing that it has."""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send while the block runs."""
        task = asyncio.create_task(self._send())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def go_on_with(self, data: bytes) -> None:
        """Send these pictures from the next beginning of the old ones on, behind an init of their own."""
        self._next = data

    def _told(self) -> list[dict[str, Any]]:
        of_track = {"id": self._track, "kind": self.init.kind, "name": "审判席", "state": "running", "kept": False}
        of_track |= {} if self.long_keys_s is None else {"long_keys_s": self.long_keys_s}
        return [{**of_track, "mime": self.init.mime}, *(self._beside._told() if self._beside else [])]

    def _begin(self) -> None:
        if not self._tells:
            return
        recorder = {"at_ns": 1, "tracks": self._told(), "hearing": None, "alarms": []}
        if self._tile is not None:
            recorder["tile"] = {"of": self._track, "why": None}
        self._room.publish("status", {**IDLE, "hearing": self.hearing, "recorder": recorder, "seats": []})

    async def _send(self) -> None:
        while not self.may_begin.is_set():
            self._begin()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.may_begin.wait(), 1)
        begun_s = time.monotonic()
        at_ns = ROOM_NS
        self._begin()
        self._send_init()
        while True:
            if self._next is not None:
                self.init, self._fragments = parts_of(self._next)
                self._next = None
                self._init_id += 1
                self._send_init()
            self._begin()  # a room that is silent for seconds counts as gone
            for one in self._fragments:
                at_ns += self._send_one(one, at_ns)
                due_s = begun_s + (at_ns - ROOM_NS) / 1e9 - self.lead_s
                await asyncio.sleep(max(0.0, due_s - time.monotonic()))  # a camera has the clock's pace

    def _send_init(self) -> None:
        init = Envelope(Kind.INIT, self._init_id, 0, 0, 0, 0, pack_init(self.init.mime, self.init.data))
        self._room.publish(f"live/{self._track}/init", init.pack())

    def _saying(self, one: Fragment, said_ms: int) -> bytes:
        """As a recorder publishes it, with a length that was expected."""
        flags = 0x2000000 if one.key_frame else 0x10000
        data = sample_bytes(one)
        row = SampleRow(to_ticks(said_ms * 10**6, self.init.timescale), len(data), flags, one.offset)
        return pack_fragment(self.init.table.track_id, self.sent, one.decode_time, [row], data)

    def _send_one(self, one: Fragment, at_ns: int) -> int:
        """How long it is, nanoseconds."""
        one = retime(one, self.init, to_ticks(at_ns, self.init.timescale), self.sent)
        data = one.data if self.said_ms is None else self._saying(one, self.said_ms)
        if self.spoiled > 0:
            self.spoiled -= 1
            data = data[:-1000].replace(b"moof", b"moov") + bytes(1000)
        if self.garbled > 0:
            self.garbled -= 1
            data = data[: one.first_sample] + b"\xff" * (len(data) - one.first_sample)
        length_ns = to_ns(one.duration, self.init.timescale)
        at = (self._init_id, self.sent, at_ns, time.time_ns(), length_ns // 1000)
        envelope = Envelope(Kind.FRAGMENT, *at, data, key_frame=one.key_frame)
        if one.key_frame or not self.only_keys:
            self._room.publish(f"live/{self._track}/frag", envelope.pack(), qos=0)
        self.sent += 1
        self.key_frames += one.key_frame
        self.end_s = (at_ns + length_ns) / 1e9
        return length_ns
