"""`wutong bench captions`: how right and how quick the words are, through the real recorder and the real transcriber.

A room of its own is started on a temporary profile: simulated microphones play the hearing in real time, the recorder
keeps and publishes them, the transcriber hears the recorder. What is measured is what a panel would get: the messages
of the transcriber's feed, stamped when they arrive. Afterwards the same model is given the reference's own intervals
(`cer_offline`): what gate, cuts and captions cost is the difference.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import platform
import sys
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from rich.console import Console
from rich.progress import Progress

from hardware.hearing_folder import HearingFolder, Said
from hardware.profile import load_profile
from hardware.stage import Play, announce
from sync.clock import RoomClock
from sync.errors import WutongError
from sync.feed import FeedClient
from sync.layout import RoomLayout
from sync.roomlog import RoomLog
from sync.service import cancel_and_wait
from transcriber.engine import RATE_HZ
from transcriber.model import locate
from transcriber.owner import Owner
from wutong.bench.scoring import (
    Shown,
    cer,
    first_caption_ms,
    growth_per_min,
    in_order,
    percentile,
    seat_accuracy,
    utterance_ms,
)

HEARING = "bench"
_START_TIMEOUT_S = 120
_DRAIN_TIMEOUT_S = 120
_LEAST_LEAD_S = 2.0


@dataclass(slots=True)
class _Heard:
    """What came over the transcriber's feed and log; times in seconds of the recording."""

    captions: list[Shown] = field(default_factory=list)
    utterances: list[Shown] = field(default_factory=list)
    gap_ms: float = 0.0
    """Sound that the recorder declared lost: nobody can hear what was said in it."""


async def measure(folder: Path, hearing: Path, seconds: float | None, console: Console) -> dict[str, Any]:
    """Run the whole and return the figures; `folder` is one that may be filled. `ConfigError` for a bad hearing."""
    source = HearingFolder(hearing)
    plays_s = min(seconds or source.duration_s, source.duration_s)
    said = sorted((s for s in source.reference.utterances if s.end <= plays_s), key=lambda s: s.start)
    if not said:
        raise WutongError(f"nothing is said to its end within {plays_s:.0f} s; measure longer with --seconds")
    model = await asyncio.to_thread(locate, "base")
    with Progress(console=console, transient=True) as progress:
        heard, cpu_cores = await _paced(folder, source, plays_s, progress)
        offline, rtf = await _offline(model, source, said, progress)
    reference = "".join(s.text for s in said)
    last_s = max(s.end for s in said)
    heard.utterances = [u for u in heard.utterances if u.start_s < last_s]  # not the sentence that --seconds cut short
    latencies = utterance_ms(said, heard.utterances)
    firsts = first_caption_ms(said, heard.captions, heard.utterances)
    return {
        "cer": round(cer(reference, in_order(heard.utterances)), 4),
        "cer_offline": round(cer(reference, offline), 4),
        "first_caption_ms_p50": percentile(firsts, 50),
        "first_caption_ms_p95": percentile(firsts, 95),
        "utterance_ms_p50": percentile([ms for _, ms in latencies], 50),
        "utterance_ms_p95": percentile([ms for _, ms in latencies], 95),
        "lag_growth_ms_per_min": round(growth_per_min(latencies), 1),
        "seat_accuracy": round(seat_accuracy(said, heard.utterances), 4),
        "cpu_cores_mean": round(cpu_cores, 2),
        "rtf_offline": round(rtf, 3),
        "captions": len(heard.captions),
        "utterances": len(heard.utterances),
        "utterances_reference": len(said),
        "sound_lost_ms": round(heard.gap_ms, 1),
        "seconds": round(plays_s, 1),
        "utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": _machine(),
    }


def _machine() -> str:
    memory = psutil.virtual_memory().total / 1024**3
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}"


def write_profile(folder: Path, source: HearingFolder) -> Path:
    """A room whose microphones play `source`, with the smallest camera there is."""
    lines = [
        "[room]",
        'court = "bench"',
        'room = "captions"',
        'court_name = "测试法院"',
        'room_name = "测试法庭"',
    ]
    for channel, roles in sorted(source.roles.items()):
        lines += ["[[seats]]", f'id = "seat-{channel}"', f"roles = {_toml(roles)}", f"channel = {channel}"]
    lines += ["[microphones]", 'driver = "simulated"', f"file = {_toml(str(source.path.resolve()))}"]
    lines += [f"channels = {source.channels}", f"rate_hz = {RATE_HZ}"]
    lines += ["[[cameras]]", 'id = "view"', 'name = "全景"', 'driver = "simulated"']
    lines += [f"file = {_toml(str(source.path.resolve()))}", "width = 320", "height = 180", "fps = 5"]
    lines += ["[storage]", 'data = "data"', "reserve_gib = 0"]
    profile = folder / "room.toml"
    text = "\n".join(lines) + "\n"
    tomllib.loads(text)  # roles are words of the hearing's author: say at once if they cannot be written
    profile.write_text(text, encoding="utf-8")
    return profile


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)  # strings and lists of strings look alike in both


async def _paced(folder: Path, source: HearingFolder, plays_s: float, progress: Progress) -> tuple[_Heard, float]:
    profile = write_profile(folder, source)
    layout = RoomLayout(load_profile(profile).storage.data)
    clock = RoomClock.open(layout.clock)
    log = RoomLog(layout.log)
    children: list[asyncio.subprocess.Process] = []
    try:
        bar = progress.add_task("starting recorder and transcriber", total=None)
        for service in ("recorder", "transcriber"):
            children.append(await _start(service, profile, folder))
        await _until(layout, "recorder", _sound_runs, children)
        await _until(layout, "transcriber", lambda status: status.get("state") == "ready", children)
        lead_s = await _lead_s(source)
        start_ns = clock.now_ns() + int(lead_s * 1e9)
        _say(log, clock, "open", {"case": {}, "seats": [], "tracks": []})
        announce(layout.stage, Play(clock.to_monotonic_ns(start_ns), source.path.resolve()))
        heard = _Heard()
        listening = asyncio.create_task(_listen(layout, clock, log, start_ns, heard))
        try:
            await asyncio.sleep(lead_s)
            progress.update(bar, description="the hearing, in real time", total=plays_s)
            before, began = _cpu_s(children[1]), time.monotonic()
            while (clock.now_ns() - start_ns) / 1e9 < plays_s:
                await asyncio.sleep(0.5)
                progress.update(bar, completed=(clock.now_ns() - start_ns) / 1e9)
                _alive(children)
            busy = (_cpu_s(children[1]) - before) / (time.monotonic() - began)
            close = _say(log, clock, "close", {})
            progress.update(bar, description="the last words", total=None)
            await _drained(layout, close, children)
            heard.gap_ms = _gap_ms(log)
        finally:
            await cancel_and_wait(listening)
        return heard, busy
    finally:
        for child in reversed(children):
            with contextlib.suppress(ProcessLookupError):
                child.terminate()
        for child in children:
            await child.wait()
        log.close()


async def _lead_s(source: HearingFolder) -> float:
    """How long before the play it is announced: the simulated microphones decode it first, and may join late."""
    began = time.monotonic()
    await asyncio.to_thread(source.samples, RATE_HZ)
    return max(_LEAST_LEAD_S, 3 * (time.monotonic() - began))


async def _start(service: str, profile: Path, folder: Path) -> asyncio.subprocess.Process:
    with (folder / f"{service}.log").open("wb") as errors:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "wutong", "room", service, "--profile", str(profile)), stderr=errors
        )


def _alive(children: list[asyncio.subprocess.Process]) -> None:
    for name, child in zip(("recorder", "transcriber"), children, strict=True):
        if child.returncode is not None:
            raise WutongError(f"the {name} ended by itself (exit code {child.returncode}); run `wutong doctor`")


def _sound_runs(status: dict[str, Any]) -> bool:
    return any(t["id"] == "mics" and t["state"] == "running" for t in status.get("tracks", []))


async def _until(
    layout: RoomLayout,
    service: str,
    fits: Callable[[dict[str, Any]], bool],
    children: list[asyncio.subprocess.Process],
) -> None:
    async def wait() -> None:
        async for _, payload in FeedClient(layout.feed(service), ["status"]).messages():
            _alive(children)
            if fits(json.loads(payload)):
                return

    try:
        async with asyncio.timeout(_START_TIMEOUT_S):
            await wait()
    except TimeoutError:
        raise WutongError(f"the {service} was not ready within {_START_TIMEOUT_S} s; run `wutong doctor`") from None


def _say(log: RoomLog, clock: RoomClock, kind: str, body: dict[str, Any]) -> int:
    event = log.append(kind, body, hearing=HEARING, room_ns=clock.now_ns(), utc_ns=clock.utc_now_ns())
    return event.number


async def _listen(layout: RoomLayout, clock: RoomClock, log: RoomLog, start_ns: int, heard: _Heard) -> None:
    def shown(value: dict[str, Any], arrived_ns: int) -> Shown:
        return Shown(
            channel=int(str(value["seat"]).removeprefix("seat-")),
            start_s=(value["start_ns"] - start_ns) / 1e9,
            end_s=(value["end_ns"] - start_ns) / 1e9,
            arrived_s=(arrived_ns - start_ns) / 1e9,
            text=value["text"],
        )

    async for topic, payload in FeedClient(layout.feed("transcriber"), ["caption", "log"]).messages():
        arrived_ns = clock.now_ns()
        if topic == "caption":
            heard.captions.append(shown(json.loads(payload), arrived_ns))
        elif (event := log.since(int(json.loads(payload)["number"]) - 1, limit=1)[0]).kind == "utterance":
            heard.utterances.append(shown(dict(event.body), arrived_ns))


async def _drained(layout: RoomLayout, close: int, children: list[asyncio.subprocess.Process]) -> None:
    """Until the transcriber's own note says that everything up to the close is written."""
    note = layout.data / "transcriber.json"
    deadline = time.monotonic() + _DRAIN_TIMEOUT_S
    while time.monotonic() < deadline:
        _alive(children)
        with contextlib.suppress(OSError, ValueError):
            if json.loads(note.read_text(encoding="utf-8"))["number"] >= close:
                await asyncio.sleep(0.5)  # the last message is on its way
                return
        await asyncio.sleep(0.2)
    raise WutongError(f"the last words were not written within {_DRAIN_TIMEOUT_S} s of the close")


def _gap_ms(log: RoomLog) -> float:
    gaps = [e.body for e in log.of_hearing(HEARING) if e.kind == "gap" and e.body["track"] == "mics"]
    return float(sum(gap["to_ns"] - gap["from_ns"] for gap in gaps)) / 1e6


def _cpu_s(child: asyncio.subprocess.Process) -> float:
    """Processor seconds of a service and of the processes that it owns, so far."""
    total = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        service = psutil.Process(child.pid)
        for one in (service, *service.children(recursive=True)):
            times = one.cpu_times()
            total += times.user + times.system
    return total


async def _offline(model: Path, source: HearingFolder, said: list[Said], progress: Progress) -> tuple[str, float]:
    """(text of the reference's own intervals, seconds of work for a second of speech)."""
    sound = source.samples(RATE_HZ).astype(np.float32) / 32768.0
    owner = Owner(model)
    text = ""
    try:
        await owner.start()
        for one in progress.track(said, description="the reference's intervals"):
            first, last = round((one.start - 0.1) * RATE_HZ), round((one.end + 0.1) * RATE_HZ)
            text += (await owner.ask(sound[max(first, 0) : last, one.channel])).text
    finally:
        await owner.stop()
    return text, owner.busy_s / owner.heard_s
