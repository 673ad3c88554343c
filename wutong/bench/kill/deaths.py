"""One kill of `wutong bench kill`: what is killed, at which moment, and what had been acknowledged by then."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from wutong.bench.room import HEARING, SERVICES, TRACKS, BenchRoom

TURNS = (
    *("recorder", "camera", "encoder", "recorder-writing", "microphones", "uplink", "edge"),
    *("camera", "recorder", "encoder", "microphones", "transcriber", "all"),
)
BUSY_TURNS = ("recorder", "camera", "encoder", "recorder-writing", "microphones", "all")
"""On a busy machine: what has to come back before there is picture and sound again."""
_AFFECTED: dict[str, tuple[str, ...]] = {
    **{"camera": ("bench",), "microphones": ("mics", "mix"), "encoder": ("mics", "mix")},
    **{"edge": (), "uplink": (), "transcriber": ()},
}
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


async def kill(room: BenchRoom, what: str) -> Death:
    """Kill it as soon as everything runs."""
    await room.until(lambda: {"camera", "microphones", "encoder"} <= room.workers().keys(), "all workers run")
    workers = room.workers()
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


def kept_again(room: BenchRoom, death: Death) -> bool:
    """Whether each track that it ended is on disk again, by its journal.

    What the recorder says of itself may be of a moment before it has noticed the death.
    """
    newest = {path.parent.name: _lines(path) for path in _growing(room)}
    return all(any(line["room_ns"] > death.at_ns for line in newest.get(track, ())) for track in death.tracks)


def look(room: BenchRoom, seen: Acknowledged) -> None:
    """Read what is acknowledged by now."""
    for path in room.layout.hearing(HEARING).glob("*/*.jsonl"):
        if path.stem.isdigit():
            seen.fragments |= {(path.parent.name, line["sha256"]) for line in _lines(path)}
    for event in room.log.since(max(seen.events, default=0), limit=100_000):
        seen.events[event.number] = json.dumps(event.to_json(), sort_keys=True)
