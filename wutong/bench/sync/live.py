"""`wutong bench sync --live`: a flash and a tone of one moment through real workers, scored from the recorded files.

A recorder of its own records a simulated camera and simulated microphones, worker processes and ffmpeg included, in
which a clapperboard goes off about once a second (`hardware.simulation.cue`). Afterwards ffmpeg reads the files
(`wutong.bench.sync.score`): `av_offset_ms` is the time of a flash in the camera's file minus that of its tone in the
microphones' file, and in the mix's; positive when the picture is late. `utc_error_ms` is the UTC of a flash by its
file's own `prft` boxes minus the system clock's when it went off. What a real camera or sound card delays by itself
before its driver hands over is not in it: no recorder can know that (docs/time.md, Limits).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress

from hardware.profile import load_profile
from hardware.simulation.cue import Clapper, announce
from sync.errors import WutongError
from sync.media.fmp4 import index_file
from sync.media.tracks import MICROPHONES, MIX
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.feed import FeedClient
from sync.room.paths import RoomPaths
from wutong.bench.sync.score import beeps, flashes, offsets_ms, pictures, sound

HEARING = "bench"
CAMERA = "view"
SOUNDS = (MICROPHONES, MIX)
EVERY_NS = 1_013_000_000
"""Not a whole number of frames: each flash meets another part of an exposure."""
FLASH_NS = 160_000_000
LEAD_NS = 1_000_000_000
PATIENCE_S = 60

_PROFILE = """
[room]
court = "bench"
room = "sync"
court_name = "测试法院"
room_name = "测试法庭"
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
id = "view"
name = "全景"
driver = "simulated"
width = 640
height = 360
[storage]
data = "data"
reserve_gib = 0
segment_s = 20
[transcriber]
engine = "off"
"""


async def measure(folder: Path, seconds: float, console: Console) -> dict[str, Any]:
    """Record, then score; `folder` is filled."""
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("starting the recorder", total=None)
        layout, start_utc_ns = await record(folder, seconds, lambda text: progress.update(bar, description=text))
        progress.update(bar, description="ffmpeg reads the files")
        scored = await asyncio.to_thread(score, layout.data / "hearings" / HEARING, start_utc_ns)
    return scored | {"seconds": seconds}


async def record(folder: Path, seconds: float, say: Callable[[str], object]) -> tuple[RoomPaths, int]:
    """Record `seconds` of flashes and tones; where, and the UTC of the first."""
    profile = folder / "room.toml"
    profile.write_text(_PROFILE, encoding="utf-8")
    layout = RoomPaths(load_profile(profile).storage.data)
    clock = RoomClock.open(layout.clock)
    log = RoomLog(layout.log)
    command = [sys.executable, "-m", "wutong", "room", "recorder", "--profile", str(profile)]
    with (folder / "recorder.log").open("wb") as errors:
        recorder = await asyncio.create_subprocess_exec(*command, stderr=errors)
    try:
        await until(recorder, layout, all_run)
        _event(log, clock, "open", {"case": {}, "seats": [], "tracks": []})
        start_ns = time.monotonic_ns() + LEAD_NS
        start_utc_ns = time.time_ns() + start_ns - time.monotonic_ns()
        announce(layout.stage, Clapper(start_ns, EVERY_NS, FLASH_NS))
        say("flash and tone, in real time")
        await asyncio.sleep(LEAD_NS / 1e9 + seconds)
        _event(log, clock, "close", {})
        closed_ns = clock.now_ns()
        say("the last files are closed")
        await until(recorder, layout, lambda _: _kept_to(log) >= closed_ns - EVERY_NS)
        return layout, start_utc_ns
    finally:
        with contextlib.suppress(ProcessLookupError):
            recorder.terminate()
        await recorder.wait()
        log.close()


def _event(log: RoomLog, clock: RoomClock, kind: str, body: dict[str, Any]) -> None:
    log.append(kind, body, hearing=HEARING, room_ns=clock.now_ns(), utc_ns=clock.utc_now_ns())


def _kept_to(log: RoomLog) -> int:
    """Up to when all tracks are in closed files."""
    ends = dict.fromkeys((CAMERA, *SOUNDS), 0)
    for event in log.of_hearing(HEARING):
        if event.kind == "segment":
            track = event.body["track"]
            ends[track] = max(ends.get(track, 0), int(event.body["to_ns"]))
    return min(ends.values())


def all_run(status: dict[str, Any]) -> bool:
    """Whether a recorder's status says that every device runs."""
    tracks = status.get("tracks", [])
    return bool(tracks) and all(track["state"] == "running" for track in tracks)


async def until(
    recorder: asyncio.subprocess.Process, layout: RoomPaths, fits: Callable[[dict[str, Any]], bool]
) -> None:
    """The recorder says how it is once a second; wait until that fits."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            async for _, payload in FeedClient(layout.feed("recorder"), ["status"]).messages():
                if recorder.returncode is not None:
                    break
                if fits(json.loads(payload)):
                    return
    raise WutongError("the recorder did not record; run `wutong doctor`")


def score(hearing: Path, start_utc_ns: int) -> dict[str, Any]:
    """The figures of a hearing's folder; `start_utc_ns`: when the first flash was."""
    files = {track: sorted((hearing / track).glob("*.mp4")) for track in (CAMERA, *SOUNDS)}
    seen = flashes(*pictures(files[CAMERA]))
    heard = {track: beeps(sound(files[track])) for track in SOUNDS}
    offsets = {track: offsets_ms(seen, heard[track], EVERY_NS / 1e9) for track in SOUNDS}
    every = np.concatenate(list(offsets.values()))
    if not len(every):
        raise WutongError("no flash has its tone in the files")
    utc = _utc_errors_ms(files[CAMERA], seen, start_utc_ns)
    return {
        "av_offset_ms_median": _median(every),
        "av_offset_ms_p99": _p99(every),
        **{f"av_offset_ms_median_{CAMERA}_{track}": _median(values) for track, values in offsets.items()},
        **{f"av_offset_ms_p99_{CAMERA}_{track}": _p99(values) for track, values in offsets.items()},
        "utc_error_ms_p99": _p99(utc),
        "flashes": len(seen),
        "tones": {track: len(values) for track, values in heard.items()},
        "files": {track: len(found) for track, found in files.items()},
    }


def _utc_errors_ms(files: list[Path], seen: list[float], start_utc_ns: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    found = [f for file in files for f in index_file(file).fragments]
    if any(f.utc_ns is None for f in found):
        raise WutongError("a fragment does not say its UTC; this is an error in the recorder")
    from_s = [f.from_ns / 1e9 for f in found]
    errors = []
    for flash in seen:
        fragment = found[max(int(np.searchsorted(from_s, flash)) - 1, 0)]
        assert fragment.utc_ns is not None
        since_ns = fragment.utc_ns - start_utc_ns + round(flash * 1e9) - fragment.from_ns
        errors.append((since_ns + EVERY_NS // 2) % EVERY_NS - EVERY_NS // 2)
    return np.array(errors) / 1e6


def _median(values: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    return round(float(np.median(values)), 2)


def _p99(values: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    return round(float(np.percentile(np.abs(values), 99)), 2)
