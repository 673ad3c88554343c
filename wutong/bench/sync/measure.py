"""`wutong bench sync`: hours of cameras and microphones that drift, in seconds, through the recorder's own time line.

Two cameras, of which only the arrival of pictures tells the time, and the microphones with their mix run on clocks
of their own, up to `ppm` too fast or too slow; what they send arrives late by a heavy-tailed jitter with bursts; in
the middle the system clock is set by an hour (`wutong.bench.sync.simulated_world`). Their bytes go through `TrackRun`,
`ClockFit`, `Track` and `ClockMap`, and what is scored are the bytes that come out: decode time and `prft`.

* A fragment's error is where the record puts its first sample minus when that was really captured.
* `av_offset_ms` is, for each fragment of a camera, its error minus the error of the sound of that very moment:
  positive when the record shows the picture late. `median` is signed; `p99` is of the size, from the first fragment on.
* `utc_error_ms` is the fragment's UTC minus what the system clock showed when it was captured, p99 of the size.
* `clock_step_noticed_ms`: for how long after the step the map still gave the old time (it looks once a second).
* `uncorrected_ms_max` is what the offset would be had media time only been counted from the beginning.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from hardware.drivers.ffmpeg_arguments import AAC_PRIMING_SAMPLES, MIX_RATE_HZ
from hardware.sources import TrackInfo
from recorder.capture.clock_fit import ClockFit
from recorder.capture.fragment import StampedFragment, WorkerRun
from recorder.capture.track import Track, TrackRun
from sync.errors import WutongError
from sync.media.fmp4 import parse_fragment, to_ns
from sync.media.tracks import MICROPHONES, MIX
from sync.room.clock import ClockMap, RoomClock
from sync.runtime.units import NS_PER_S
from wutong.bench.sync.simulated_world import Arrival, DeviceClock, Late, World, camera, microphones

STEP_NS = 3600 * NS_PER_S
LOOK_NS = NS_PER_S

Numbers = NDArray[np.float64]


@dataclass
class Trace:
    """One track: when its fragments really began, and what the record says of it."""

    id: str
    kind: Literal["video", "audio"]
    true_ns: list[float] = field(default_factory=list)
    media_ns: list[int] = field(default_factory=list)
    room_ns: list[int] = field(default_factory=list)
    utc_ns: list[int] = field(default_factory=list)

    def began(self, run: WorkerRun) -> None:
        """As `recorder.capture.track.TrackOutlet`; nothing of it is scored."""

    def announce(self, run: WorkerRun, init: bytes) -> None:
        """Likewise."""

    def publish(self, fragment: StampedFragment) -> None:
        """Likewise: what is scored is what is kept."""

    def keep(self, stamped: StampedFragment) -> None:
        """A fragment came out of the recorder; what counts are its bytes."""
        fragment = parse_fragment(stamped.data, stamped.run.init)
        number = len(self.room_ns)
        first, *others = fragment.samples()
        if int.from_bytes(first) != number or any(map(any, others)) or fragment.utc_ns is None:
            raise WutongError(f"fragment {number} of {self.id} was lost or altered; this is an error in the recorder")
        self.media_ns.append(number * to_ns(fragment.duration, stamped.run.init.timescale))
        self.room_ns.append(to_ns(fragment.decode_time, stamped.run.init.timescale))
        self.utc_ns.append(fragment.utc_ns)

    def errors_ms(self) -> Numbers:
        """Of each fragment."""
        return (np.array(self.room_ns, np.float64) - self.when_ns()) / 1e6

    def when_ns(self) -> Numbers:
        """The true beginnings of what came out."""
        return np.array(self.true_ns[: len(self.room_ns)])


class _Device:
    """A source as the recorder has it, and what is still to arrive."""

    def __init__(self, tracks: list[TrackInfo], clock: RoomClock, clock_map: ClockMap, *, by_arrival: bool) -> None:
        self.traces = [Trace(info.id, info.kind) for info in tracks]
        self.fit = ClockFit()
        self.runs = []
        for info, trace in zip(tracks, self.traces, strict=True):
            track = Track(info, clock, clock_map.utc_ns, trace)
            self.runs.append(TrackRun(track, 1, self.fit, by_arrival=by_arrival))

    def take(self, arrival: Arrival, now_ns: int) -> None:
        """What `recorder.capture.supervisor` does with it."""
        if arrival.track < 0:
            self.fit.observe(arrival.media_ns, now_ns)
            return
        if arrival.true_ns is not None:
            self.traces[arrival.track].true_ns.append(arrival.true_ns)
        self.runs[arrival.track].feed(arrival.data)


async def measure(_: Path, hours: float, ppm: float, console: Console) -> dict[str, Any]:
    """The figures, with progress on `console`."""
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task(f"{hours:g} h of cameras and microphones", total=hours * 3600)
        return await asyncio.to_thread(simulate, hours, ppm, advanced=lambda s: progress.update(bar, completed=s))


def simulate(
    hours: float, ppm: float, seed: int = 1, advanced: Callable[[float], object] | None = None
) -> dict[str, Any]:
    """Run the world and score it; `advanced(seconds)` is told every minute of it how far it is."""
    until_ns = round(hours * 3600 * NS_PER_S)
    world = World(until_ns // 2, STEP_NS)
    clock = RoomClock(0, world)
    clock_map = ClockMap(clock)
    cameras = [_Device([TrackInfo(f"camera-{n}", "video", "", 0)], clock, clock_map, by_arrival=True) for n in (1, 2)]
    priming_ns = AAC_PRIMING_SAMPLES * NS_PER_S // MIX_RATE_HZ
    sound = [TrackInfo(MICROPHONES, "audio", "", 0), TrackInfo(MIX, "audio", "", priming_ns)]
    devices = [*cameras, _Device(sound, clock, clock_map, by_arrival=False)]
    noticed_ns: int | None = None
    look_ns = LOOK_NS * 5 // 8
    for arrival, index in heapq.merge(*_arrivals(ppm, until_ns, seed), key=lambda pair: pair[0].at_ns):
        while look_ns <= arrival.at_ns:
            world.now_ns = look_ns
            if clock_map.poll() is not None and noticed_ns is None:
                noticed_ns = look_ns
            look_ns += LOOK_NS
            if advanced is not None and look_ns // LOOK_NS % 60 == 0:
                advanced(look_ns / NS_PER_S)
        world.now_ns = arrival.at_ns
        devices[index].take(arrival, arrival.at_ns)
    for device in devices:
        for run in device.runs:
            run.end()
    traces = [trace for device in devices for trace in device.traces]
    step_ms = None if noticed_ns is None else round((noticed_ns - until_ns // 2) / 1e6)
    return figures(traces, world) | {"clock_step_noticed_ms": step_ms, "hours": hours, "ppm": ppm}


def _arrivals(ppm: float, until_ns: int, seed: int) -> list[Iterator[tuple[Arrival, int]]]:
    """Of the two cameras and the microphones, which are slow where the first camera is fast."""
    chance = np.random.default_rng(seed)

    def network() -> Late:
        return Late(8, 20, 50, 1500, 300, 6, (50, 400), chance=chance.spawn(1)[0])

    def driver() -> Late:
        return Late(2, 10, 100, 500, 600, 3, (20, 200), chance=chance.spawn(1)[0])

    def clock(share: float) -> DeviceClock:
        return DeviceClock(ppm * share, chance.uniform(0, 2e9), chance.uniform(0, 6))

    streams = [
        camera(clock(1.0), network(), until_ns),
        camera(clock(-0.6), network(), until_ns),
        microphones(clock(-1.0), driver(), until_ns, AAC_PRIMING_SAMPLES),
    ]
    return [_of(stream, index) for index, stream in enumerate(streams)]


def _of(stream: Iterator[Arrival], index: int) -> Iterator[tuple[Arrival, int]]:
    for arrival in stream:
        yield arrival, index


def figures(traces: list[Trace], world: World) -> dict[str, Any]:
    """What the record is worth; every figure also of each track, or of each camera with each sound."""
    offsets, plain, utc = {}, {}, {}
    for trace in traces:
        shown = np.array([world.utc_at(t) for t in trace.when_ns()])
        utc[trace.id] = (np.array(trace.utc_ns) - shown) / 1e6
    for picture in (t for t in traces if t.kind == "video"):
        for sound in (t for t in traces if t.kind == "audio"):
            pair = f"{picture.id}_{sound.id}"
            heard = np.interp(picture.when_ns(), sound.when_ns(), sound.errors_ms())
            offsets[pair] = picture.errors_ms() - heard
            parts = [(np.array(t.media_ns) - (t.when_ns() - t.true_ns[0])) / 1e6 for t in (picture, sound)]
            plain[pair] = parts[0] - np.interp(picture.when_ns(), sound.when_ns(), parts[1])
    every = np.concatenate(list(offsets.values()))
    every_utc = np.concatenate(list(utc.values()))
    return {
        "av_offset_ms_median": _median(every),
        "av_offset_ms_p99": _p99(every),
        "utc_error_ms_p99": _p99(every_utc),
        **{f"av_offset_ms_median_{pair}": _median(values) for pair, values in offsets.items()},
        **{f"av_offset_ms_p99_{pair}": _p99(values) for pair, values in offsets.items()},
        **{f"utc_error_ms_p99_{track}": _p99(values) for track, values in utc.items()},
        "av_offset_ms_max": round(float(np.max(np.abs(every))), 2),
        "uncorrected_ms_max": round(max(float(np.max(np.abs(v))) for v in plain.values()), 1),
        "fragments": {trace.id: len(trace.room_ns) for trace in traces},
        "fragments_lost_or_altered": sum(len(t.true_ns) - len(t.room_ns) for t in traces),
    }


def _median(values: Numbers) -> float:
    return round(float(np.median(values)), 2)


def _p99(values: Numbers) -> float:
    return round(float(np.percentile(np.abs(values), 99)), 2)
