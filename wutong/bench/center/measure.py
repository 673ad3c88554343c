"""`wutong bench center`: what a center costs that carries many rooms, and how late what it carries is.

A real center and a real broker (Mosquitto, NATS, or three nodes of it), each a process; as in production over TLS, or
plain. Rooms are simulated in further
processes by the product's own uplink, notary, log and feeds (`replayed_room`): each with a device key of its own,
enrolled at the center, holding one hearing after the other. Inspectors are WebSocket clients on the wall as the page is
(`wall_process`); each watched track has one watcher. Then the same traffic goes through the broker alone to a plain
subscriber: what is left of a delay when nothing of ours is in between.

Delays are between two moments of one monotonic clock: `fragment_ms`, `thumbnail_ms` and `caption_ms` from the room's
own feed to the inspector's socket; `receipt_ms` from before an event is written in the room until the room takes it
out of its outbox; `witness_ms` from when the uplink takes a checkpoint to send it until the cosignature is kept;
`upload_ms` and `claim_ms` are requests of rooms; `ping_ms` is `GET /api/session` of a signed-in inspector.
`generator_late_ms` is how late a room said a fragment: that is before its delay begins.

Of the processor each part is told by itself, and `other_cores` is what programs took that are not ours: beside much of
it a figure is not the center's. The rooms' data are in memory where there is a file system for that, since real rooms
have disks of their own.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from sync.errors import ConfigError, WutongError
from wutong.bench.center.benched_broker import BrokerKind
from wutong.bench.center.load import WATCHED, CenterLoad
from wutong.bench.center.measured_center import MeasuredCenter
from wutong.bench.center.point import MeasuredPoint, needed, percentiles
from wutong.bench.center.rooms.reel import Reel
from wutong.bench.center.rooms.reel_making import SECONDS, make_reel
from wutong.bench.center.rooms.replayed_track import LATE
from wutong.bench.center.unit_costs import unit_costs
from wutong.bench.center.usage import BROKER, CENTER, ROOMS
from wutong.bench.live.measure import machine
from wutong.terminal import terminal

SETTLE_S = 10.0
"""After everything is there: opening costs more than going on."""
FLOOR_S = 30.0
"""The broker alone is measured no longer than this."""
MEMORY = Path("/dev/shm")  # noqa: S108 (a folder of its own is made in it)
ROOM_BYTES = 8 * 2**20
WANTED: Mapping[str, float] = {
    "fragment_ms_p99": 30,
    "receipt_ms_p99": 100,
    "thumbnail_ms_p99": 100,
    "center_cores": 0.5,
    "room_millicores": 4,
    "track_millicores": 2,
}
"""At most."""


@dataclass(frozen=True, slots=True)
class CenterPlan:
    """What is measured."""

    rooms: int = 50
    watched: int = 50
    inspectors: int = 10
    seconds: float = 60
    tls: bool = True
    units: bool = False
    """Four points and their slopes in place of one."""
    floor: bool = True
    """Also the broker alone."""
    broker: BrokerKind = BrokerKind.MOSQUITTO
    segment_s: float = 60
    rooms_a_process: int = 10
    port_base: int = 8900
    settle_s: float = SETTLE_S
    reel_s: int = SECONDS

    def check(self) -> None:
        """`ConfigError` for what cannot be measured."""
        if self.watched > self.rooms * len(WATCHED):
            raise ConfigError(f"{self.rooms} rooms have {self.rooms * len(WATCHED)} tracks; watch fewer")
        if self.watched and not self.inspectors:
            raise ConfigError("somebody must watch: name --inspectors")
        if self.broker is not BrokerKind.MOSQUITTO and not self.tls:
            raise ConfigError("NATS knows rooms by their certificates alone; leave out --plain")
        if self.units and self.rooms < 2:
            raise ConfigError("a slope needs two rooms at the least")


async def measure(folder: Path, plan: CenterPlan, console: Console) -> dict[str, Any]:
    """Run the whole and return the figures; `folder` may be filled."""
    plan.check()
    console.print("making the recording …")
    reel = folder / "reel"
    reel.mkdir(parents=True)
    await make_reel(reel, seconds=plan.reel_s)
    place = _place(folder, plan, Reel.load(reel).bytes_per_s)
    rooms = Path(tempfile.mkdtemp(prefix="wutong-bench-", dir=place))
    try:
        console.print("starting broker and center, enrolling rooms …")
        center = await MeasuredCenter.start(folder, rooms, plan.rooms, plan.port_base, tls=plan.tls, kind=plan.broker)
        load = CenterLoad(
            center,
            folder,
            reel,
            console,
            watched=plan.watched,
            inspectors=plan.inspectors,
            segment_s=plan.segment_s,
            rooms_a_process=plan.rooms_a_process,
        )
        try:
            points = await _points(load, plan, console)
            figures = _figures(plan, points, Reel.load(reel))
            if plan.floor:
                await load.stop()
                await center.stop_center()
                figures["floor"] = await _floor(load, plan, points[-1], console)
        finally:
            await load.stop()
            await center.stop()
    finally:
        await asyncio.to_thread(shutil.rmtree, rooms, ignore_errors=True)
    figures["rooms_data"] = str(place) if place == MEMORY else "the center's disk"
    return figures


def _place(folder: Path, plan: CenterPlan, bytes_per_s: float) -> Path:
    """Where the rooms' data are: in memory, if half of what is free there and everywhere is more than enough."""
    lasts_s = (plan.seconds + plan.settle_s + 60) * (4 if plan.units else 1)
    needs = plan.rooms * (bytes_per_s * lasts_s + ROOM_BYTES)
    if MEMORY.is_dir():
        there = min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available)
        if needs < there / 2:
            return MEMORY
    return folder


async def _points(load: CenterLoad, plan: CenterPlan, console: Console) -> list[MeasuredPoint]:
    points: list[MeasuredPoint] = []

    async def point(what: str) -> None:
        await asyncio.sleep(plan.settle_s)
        points.append(await load.measure(plan.seconds, what))
        lacking = needed(points[-1])
        if lacking:
            raise WutongError(f"this run is no measurement: nothing was seen of {', '.join(lacking)}")

    if plan.units:
        console.print("half of the rooms …")
        await load.start_wall(0)
        await load.start_rooms(plan.rooms // 2)
        await point("half of the rooms")
        await load.start_rooms(plan.rooms)
        await point("all rooms")
        if plan.inspectors:
            await load.start_wall(plan.inspectors)
            await point("inspectors on the wall")
        if plan.watched:
            await load.watch()
            await point("and they watch")
    else:
        console.print("starting rooms and inspectors …")
        await load.start_rooms(plan.rooms)
        await load.start_wall(plan.inspectors)
        if plan.watched:
            await load.watch()
        await point("measuring")
    return points


def _figures(plan: CenterPlan, points: list[MeasuredPoint], reel: Reel) -> dict[str, Any]:
    last = points[-1]
    figures: dict[str, Any] = {"rooms": last.rooms, "watched": last.watched, "inspectors": last.inspectors}
    figures |= last.figures()
    if plan.units:
        names = [(one.rooms, one.watched, one.inspectors) for one in points]
        figures |= unit_costs(points)
        figures["points"] = [
            {"rooms": rooms, "watched": watched, "inspectors": inspectors, **one.figures()}
            for (rooms, watched, inspectors), one in zip(names, points, strict=True)
        ]
    figures["wanted"] = {name: most for name, most in WANTED.items() if figures.get(name) is not None}
    figures["missed"] = [name for name, most in figures["wanted"].items() if figures[name] > most]
    figures |= {
        "room_mb_per_s": round(reel.bytes_per_s / 1e6, 3),
        "tls": plan.tls,
        "broker": str(plan.broker),
        "segment_s": plan.segment_s,
        "rooms_a_process": plan.rooms_a_process,
        "utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
    }
    return figures


async def _floor(load: CenterLoad, plan: CenterPlan, point: MeasuredPoint, console: Console) -> dict[str, Any]:
    """What is left when nothing but the broker is between a room's process and who listens."""
    console.print("the broker alone …")
    seconds = min(plan.seconds, FLOOR_S)
    seen, used = await load.measure_floor(seconds)
    figures: dict[str, Any] = {}
    whole = point.figures()
    for what in ("fragment_ms", "thumbnail_ms", "caption_ms", "event_ms", LATE):
        figures |= percentiles(what, seen["ms"].get(what, []))
    for name in ("fragment_ms_p50", "fragment_ms_p99", "thumbnail_ms_p99", "caption_ms_p99"):
        all_of_it, floor = whole[name], figures[name]
        figures[f"{name}_ratio"] = None if not all_of_it or not floor else round(all_of_it / floor, 1)
    figures |= {
        "messages_per_s": round(seen["counts"].get("messages", 0) / used.seconds, 1),
        "mb_per_s": round(seen["counts"].get("bytes", 0) / used.seconds / 1e6, 3),
        "not_taken": seen["counts"].get("not_taken", 0),
        "listener_cores": round(used.cores[CENTER], 3),
        "broker_cores": round(used.cores[BROKER], 3),
        "rooms_cores": round(used.cores[ROOMS], 3),
        "other_cores": round(used.other_cores, 3),
        "seconds": round(used.seconds, 1),
    }
    return figures


def show(name: str, figures: Mapping[str, Any]) -> None:
    """Print the figures for people: each with its bound, those of the broker alone beside those they belong to."""
    floor: Mapping[str, Any] = figures.get("floor", {})
    table = Table("figure", "measured", "wanted", "broker alone", title=f"wutong bench {name}")
    for key, value in figures.items():
        if key in ("floor", "points", "wanted", "missed"):
            continue
        bound = figures["wanted"].get(key)
        missed = " ✗" if key in figures["missed"] else ""
        table.add_row(
            key, f"{_text(value)}{missed}", "" if bound is None else f"≤ {bound:g}", _text(floor.get(key, ""))
        )
    for key, value in floor.items():
        if key not in figures:
            table.add_row(key, "", "", _text(value))
    out = terminal()
    out.print(table)
    for one in figures.get("points", []):
        out.print(", ".join(f"{key} {_text(value)}" for key, value in one.items() if value is not None))


def _text(value: object) -> str:
    return "not seen" if value is None else str(value)
