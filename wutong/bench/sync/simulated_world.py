"""Simulated cameras and microphones with clocks of their own, and what of them arrives when: hours in seconds.

Time is simulated, everything else is not: the devices' fragments are bytes of MP4 and go through the recorder's own
`TrackRun`, `ClockFit` and `Track`; the system clock is read by `sync.room.clock.ClockMap`. True time is nanoseconds
since the beginning.

A device's clock is `ppm` too fast and wanders by a few ppm over an hour. What it sends arrives late: always by a little
(exponential), sometimes by much (Pareto), and now and then everything for some seconds by 50-400 ms. Nothing arrives
early, and nothing overtakes.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from sync.media.access_unit import DELTA_FLAGS, KEY_FLAGS, SampleRow, WorkerStamps, pack_fragment
from sync.runtime.units import NS_PER_S

EPOCH_UTC_NS = 1_795_300_000 * NS_PER_S
WANDER_PPM = 8.0
WANDER_S = 3600.0


class World:
    """The machine's clocks; the system clock is set by `step_ns` at `step_at_ns`."""

    def __init__(self, step_at_ns: int, step_ns: int) -> None:
        self.now_ns = 0
        self._step_at_ns = step_at_ns
        self._step_ns = step_ns

    def monotonic_ns(self) -> int:
        """As `sync.room.clock.Clock`."""
        return self.now_ns

    def utc_ns(self) -> int:
        """As `sync.room.clock.Clock`."""
        return self.utc_at(self.now_ns)

    def utc_at(self, true_ns: float) -> int:
        """What the system clock showed at a moment."""
        return EPOCH_UTC_NS + round(true_ns) + (self._step_ns if true_ns >= self._step_at_ns else 0)


@dataclass
class Late:
    """How late things arrive; `mean_ms` always, `tail_ms` in one of `tail_every`, bursts every `burst_every_s`."""

    mean_ms: float
    tail_ms: float
    tail_every: int
    tail_most_ms: float
    burst_every_s: float
    burst_mean_s: float
    burst_ms: tuple[float, float]
    chance: np.random.Generator
    _from_ns: float = 0.0
    _until_ns: float = -1.0
    _by_ms: float = 0.0

    def delay_ns(self, true_ns: float) -> float:
        """Of something that was sent at `true_ns`; ask in the order of time."""
        chance = self.chance
        if true_ns > self._until_ns:
            self._from_ns = true_ns + chance.exponential(self.burst_every_s) * NS_PER_S
            self._until_ns = self._from_ns + min(chance.exponential(self.burst_mean_s), 45.0) * NS_PER_S
            self._by_ms = chance.uniform(*self.burst_ms)
        delay_ms = chance.exponential(self.mean_ms)
        if chance.integers(self.tail_every) == 0:
            delay_ms += min((1 + chance.pareto(1.3)) * self.tail_ms, self.tail_most_ms)
        if self._from_ns <= true_ns <= self._until_ns:
            delay_ms += self._by_ms
        return delay_ms * 1e6


@dataclass
class DeviceClock:
    """`true_ns(media)` of media times that grow: when that moment of the device's own time really was."""

    ppm: float
    start_ns: float
    phase: float
    _media_ns: float = 0.0
    _true_ns: float = field(init=False)

    def __post_init__(self) -> None:
        self._true_ns = self.start_ns

    def forward(self, media_ns: int) -> float:
        """Go on to a media time; the true moment."""
        wander = WANDER_PPM * math.sin(self._true_ns / NS_PER_S / WANDER_S * 2 * math.pi + self.phase)
        self._true_ns += (media_ns - self._media_ns) / (1 + (self.ppm + wander) / 1e6)
        self._media_ns = media_ns
        return self._true_ns


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something that reaches the recorder: bytes of a track, or a report of the clock."""

    at_ns: int
    track: int
    """Which track of the device; -1: a report."""
    data: bytes = b""
    media_ns: int = 0
    """Of a report: what had been captured when it was sent."""
    true_ns: float | None = None
    """Of a fragment: when its first sample was really captured."""


def camera(clock: DeviceClock, late: Late, until_ns: int) -> Iterator[Arrival]:
    """Five pictures a second, of which nothing but their arrival is known: each comes when its time is over."""
    yield Arrival(round(clock.start_ns), 0, init("video", 90_000))
    picture_ns, last_ns, number, true_ns = 200_000_000, 0.0, 0, clock.start_ns
    while true_ns < until_ns:
        end_ns = clock.forward((number + 1) * picture_ns)
        last_ns = max(last_ns, end_ns + late.delay_ns(end_ns))
        came_ns = round(last_ns)
        stamps = WorkerStamps(max(came_ns - picture_ns, 0), came_ns).pack()
        yield Arrival(came_ns, 0, stamps + fragment(number, number * 18_000, 18_000), true_ns=true_ns)
        number, true_ns = number + 1, end_ns


def microphones(clock: DeviceClock, late: Late, until_ns: int, priming: int) -> Iterator[Arrival]:
    """A report every 0.1 s; every 0.5 s a fragment of the microphones (16 kHz) and one of the mix (48 kHz), in which
    everything is `priming` samples later."""
    yield Arrival(round(clock.start_ns), 0, init("audio", 16_000))
    yield Arrival(round(clock.start_ns), 1, init("audio", 48_000))
    begins = {0: clock.start_ns, 1: clock.start_ns - priming * NS_PER_S / 48_000}
    last_ns, number, true_ns = 0.0, 0, clock.start_ns
    while true_ns < until_ns:
        for part in range(1, 6):
            media_ns = (number * 5 + part) * 100_000_000
            true_ns = clock.forward(media_ns)
            last_ns = max(last_ns, true_ns + late.delay_ns(true_ns))
            yield Arrival(round(last_ns), -1, media_ns=media_ns)
        yield Arrival(round(last_ns), 0, fragment(number, number * 8_000, 8_000), true_ns=begins[0])
        yield Arrival(round(last_ns), 1, fragment(number, number * 24_000, 24_000), true_ns=begins[1])
        begins = {0: true_ns, 1: true_ns - priming * NS_PER_S / 48_000}
        number += 1


# The smallest MP4 that there is: one track, and samples of which only the first holds anything.


def _box(name: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack(">I4s", 8 + len(content), name) + content


def init(kind: Literal["video", "audio"], timescale: int, *, width: int = 320, height: int = 180) -> bytes:
    """`ftyp` and `moov` of an H.264 or FLAC track."""
    if kind == "video":
        avcc = _box(b"avcC", bytes([1, 0x42, 0xC0, 0x1E, 0xFF, 0xE0, 0]))
        entry = _box(b"avc1", bytes(24), struct.pack(">HH", width, height), bytes(50), avcc)
    else:
        dfla = _box(b"dfLa", bytes(4), bytes([0x80, 0, 0, 34]), bytes(34))
        entry = _box(b"fLaC", bytes(16), struct.pack(">HHII", 1, 16, 0, timescale << 16), dfla)
    stbl = _box(b"stbl", _box(b"stsd", struct.pack(">II", 0, 1), entry))
    mdhd = _box(b"mdhd", bytes(12), struct.pack(">II", timescale, 0), bytes(4))
    trak = _box(b"trak", _box(b"mdia", mdhd, _box(b"minf", stbl)))
    trex = _box(b"trex", struct.pack(">IIIIII", 0, 1, 1, 0, 0, 0))
    return _box(b"ftyp", b"iso5\0\0\2\0iso5") + _box(b"moov", trak, _box(b"mvex", trex))


def fragment(number: int, decode_time: int, duration: int, *, key_frame: bool = True) -> bytes:
    """`moof` and `mdat` of one sample, which holds the number."""
    row = SampleRow(duration, 4, KEY_FLAGS if key_frame else DELTA_FLAGS, 0)
    return pack_fragment(1, number, decode_time, [row], struct.pack(">I", number))
