"""`wutong bench kill`: SIGKILL at random moments, in turns for the recorder, its workers and the whole room at once.

One hearing is open all the time. A fragment counts as acknowledged when its line is in the journal (it is written after
`fdatasync`), an event when it is in the room's log; both are read right after each death. Everything else is computed
from the finished files and the log alone, not from what the recorder says of itself: what was captured before a kill
and is on no disk, when the next fragment begins, and whether the declared gaps are the real ones.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console

from sync.media.fmp4 import Indexed, index_file
from sync.record.hearing import Hearing
from wutong.bench.live.measure import machine
from wutong.bench.room import HEARING, SERVICES, TRACKS, BenchRoom

TURNS = (
    *("recorder", "camera", "encoder", "recorder-writing", "microphones", "uplink", "edge"),
    *("camera", "recorder", "encoder", "microphones", "transcriber", "all"),
)
_AFFECTED: dict[str, tuple[str, ...]] = {
    **{"camera": ("bench",), "microphones": ("mics", "mix"), "encoder": ("mics", "mix")},
    **{"edge": (), "uplink": (), "transcriber": ()},
}
JOIN_NS = 20_000_000
"""Fragments closer than this follow each other: the rounding of media time and of drift."""
WRITING_S = 0.5


@dataclass
class Death:
    """One kill."""

    what: str
    at_ns: int
    tracks: Sequence[str]
    writing: bool = False
    """The file was longer than its journal knew: it happened within a fragment."""
    orphans: int = 0


@dataclass
class Acknowledged:
    """What was acknowledged before the kills."""

    fragments: set[tuple[str, str]] = field(default_factory=set)
    """(track, SHA-256 of a fragment's bytes)"""
    events: dict[int, str] = field(default_factory=dict)


async def measure(
    data: Path,
    times: int,
    console: Console,
    *,
    seed: int | None = None,
    services: Sequence[str] = SERVICES,
) -> dict[str, Any]:
    """Kill `times` times and return the figures; `data` is a folder that may be filled."""
    turns = [turn for turn in TURNS if turn not in SERVICES or turn in services]
    chance = random.Random(seed)  # noqa: S311 (moments, not secrets)
    deaths: list[Death] = []
    seen = Acknowledged()
    console.print("starting a room …")
    async with BenchRoom.running(data, services) as room:
        room.say("open", case={}, seats=[], tracks=[{"id": t, "kind": "", "name": t} for t in TRACKS])
        await room.until(room.keeps, "everything is kept")
        for number in range(times):
            await asyncio.sleep(chance.uniform(0.1, 0.9))
            deaths.append(await _kill(room, turns[number % len(turns)]))
            _look(room, seen)
            await room.until(room.keeps, "everything is kept again")
            console.print(f"{number + 1}/{times}: {deaths[-1].what}", highlight=False)
        await asyncio.sleep(0.5)
        view = await room.close_hearing()
        return figures(room, view, deaths, seen)


async def _kill(room: BenchRoom, what: str) -> Death:
    while True:
        workers = room.workers()
        if {"camera", "microphones", "encoder"} <= workers.keys():
            break
        await asyncio.sleep(0.05)
    everything = [p for worker in workers.values() for p in (worker, *_children(worker))]
    if what == "recorder-writing":
        _until_writing(room)
    death = Death(what, room.clock.now_ns(), _AFFECTED.get(what, TRACKS))
    room.status = None
    if what in workers:
        with contextlib.suppress(psutil.NoSuchProcess):
            workers[what].kill()
        everything = [workers[what]]
    elif what == "all":
        room.kill_all()
    elif what in SERVICES and what != "recorder":
        room.kill(what)
        everything = []
    else:
        room.kill("recorder")
    _, alive = await asyncio.to_thread(psutil.wait_procs, everything, 3)
    death.orphans = len([p for p in alive if p.is_running() and p.status() != psutil.STATUS_ZOMBIE])
    death.writing = any(_unjournaled(path) for path in _growing(room))
    room.status = None
    return death


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def _growing(room: BenchRoom) -> list[Path]:
    """The last file of each track."""
    files = [sorted(room.layout.track(HEARING, track).glob("*.mp4")) for track in TRACKS]
    return [each[-1] for each in files if each]


def _until_writing(room: BenchRoom) -> None:
    """Wait for the very moment in which a file grows: the fragment is not synced yet."""
    path = next((p for p in _growing(room) if p.parent.name == TRACKS[0]), None)
    if path is None:
        return
    size = path.stat().st_size
    end = time.monotonic() + WRITING_S
    while time.monotonic() < end:
        if path.stat().st_size != size:
            return


def _lines(path: Path) -> list[dict[str, Any]]:
    lines = []
    with contextlib.suppress(FileNotFoundError):
        for text in path.with_suffix(".jsonl").read_bytes().split(b"\n"):
            with contextlib.suppress(ValueError):
                lines.append(json.loads(text))
    return lines


def _unjournaled(path: Path) -> bool:
    lines = _lines(path)
    return bool(lines) and path.stat().st_size > lines[-1]["offset"] + lines[-1]["length"]


def _look(room: BenchRoom, seen: Acknowledged) -> None:
    for path in room.layout.hearing(HEARING).glob("*/*.jsonl"):
        if path.stem.isdigit():
            seen.fragments |= {(path.parent.name, line["sha256"]) for line in _lines(path)}
    for event in room.log.since(max(seen.events, default=0), limit=100_000):
        seen.events[event.number] = json.dumps(event.to_json(), sort_keys=True)


def figures(room: BenchRoom, view: Hearing, deaths: list[Death], seen: Acknowledged) -> dict[str, Any]:
    """The published figures, from the files and the log."""
    kept: dict[str, list[Indexed]] = {track: [] for track in TRACKS}
    found: set[tuple[str, str]] = set()
    altered = 0
    for segment in view.segments:
        path = room.layout.hearing(HEARING) / segment.file
        data = path.read_bytes()
        altered += hashlib.sha256(data).hexdigest() != segment.sha256
        for one in index_file(path).fragments:
            kept[segment.track].append(one)
            found.add((segment.track, hashlib.sha256(data[one.offset : one.offset + one.bytes]).hexdigest()))
    now = {event.number: json.dumps(event.to_json(), sort_keys=True) for event in room.log.of_hearing(HEARING)}
    of_hearing = {n: text for n, text in seen.events.items() if json.loads(text)["hearing"] == HEARING}
    lost_events = [n for n, text in of_hearing.items() if now.get(n) != text]
    lost_ms = [0.0]
    again_s = [(0.0, "")]
    for death in deaths:
        for track in death.tracks:
            before = [f.to_ns for f in kept[track] if f.to_ns <= death.at_ns + JOIN_NS]
            after = [f.from_ns for f in kept[track] if f.from_ns > death.at_ns - JOIN_NS]
            lost_ms.append(max(death.at_ns - max(before, default=view.opened_ns), 0) / 1e6)
            again_s.append(((min(after, default=view.closed_ns or 0) - death.at_ns) / 1e9, death.what))
    undeclared_ms, false_ms, real = _compare(view, kept)
    return {
        "times": len(deaths),
        "media_lost_ms_max": round(max(lost_ms), 1),
        "media_lost_ms_median": round(sorted(lost_ms)[len(lost_ms) // 2], 1),
        "acknowledged_fragments": len(seen.fragments),
        "acknowledged_events": len(seen.events),
        "acknowledged_lost": len(seen.fragments - found) + len(lost_events) + altered,
        "recording_again_s_max": round(max(again_s)[0], 2),
        "recording_again_s_median": round(sorted(again_s)[len(again_s) // 2][0], 2),
        "slowest_after": max(again_s)[1],
        "gaps_real": real,
        "gaps_declared": len(view.gaps),
        "gaps_undeclared_ms": round(undeclared_ms, 1),
        "gaps_false_ms": round(false_ms, 1),
        "killed_while_writing": sum(death.writing for death in deaths),
        "orphans": sum(death.orphans for death in deaths),
        "utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
    }


def _compare(view: Hearing, kept: dict[str, list[Indexed]]) -> tuple[float, float, int]:
    """(ms that are missing and not declared, ms that are declared missing and are there, number of real gaps)."""
    undeclared_ns = false_ns = real = 0
    for track, fragments in kept.items():
        there = _merged([(f.from_ns, f.to_ns) for f in fragments])
        ends = [(0, view.opened_ns), *there, (view.closed_ns or 0, 1 << 62)]
        holes = [(a[1], b[0]) for a, b in pairwise(_merged(ends)) if b[0] - a[1] > JOIN_NS]
        declared = _merged([(g.from_ns, g.to_ns or g.from_ns) for g in view.gaps if g.track == track])
        real += len(holes)
        undeclared_ns += sum(to - at - _shared((at, to), declared) for at, to in holes)
        false_ns += sum(_shared(span, there) for span in declared)
    return undeclared_ns / 1e6, false_ns / 1e6, real


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for from_ns, to_ns in sorted(spans):
        if merged and from_ns <= merged[-1][1] + JOIN_NS:
            merged[-1] = (merged[-1][0], max(merged[-1][1], to_ns))
        else:
            merged.append((from_ns, to_ns))
    return merged


def _shared(span: tuple[int, int], others: list[tuple[int, int]]) -> int:
    return sum(max(min(span[1], to_ns) - max(span[0], from_ns), 0) for from_ns, to_ns in others)
