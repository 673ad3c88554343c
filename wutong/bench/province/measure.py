"""`wutong bench province`: a center that is real under the connections and the small talk of a province.

Center, broker and database are the product's and real (SQLite, or a PostgreSQL that is named). The rooms are light
(`light_room`): each one MQTT connection, a status a second, and batches of events that a real key has signed and whose
receipts it judges; no media, no checkpoints, no uploads, and no TLS, since all is on one machine. So what is measured
is the least that so many rooms cost, and where one process of a center stops keeping up: `statuses_per_s` and
`receipts_per_s` against what was meant (`wanted_…`) say whether it did, `receipt_ms` how late.

The generator is told apart (`rooms_cores`), and how late it was itself (`status_late_ms`): where that is much, the
machine was full and the delays are upper bounds. At the end the rooms fall silent, and what the database holds is
compared with what was receipted: each event once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from sqlalchemy import Connection, func, select, text

from server.store import tables as t
from server.store.database import Database, open_database
from sync.errors import WutongError
from wutong.bench.center.measured_center import MeasuredCenter
from wutong.bench.center.orders_line import OrderedProcess
from wutong.bench.center.point import percentiles
from wutong.bench.center.record_size import RecordSize
from wutong.bench.center.samples import SamplesReport, joined
from wutong.bench.center.usage import BROKER, CENTER, ROOMS, UsageLook, UsedBetween
from wutong.bench.live.measure import machine
from wutong.bench.province import light_rooms_process
from wutong.bench.province.enrolled_rooms import make_devices
from wutong.bench.province.light_room import RECEIPT, STATUS_LATE
from wutong.bench.province.province_orders import LightPace, LightRoomOrders, ProvinceOrders

START_S = 120.0
SETTLE_S = 10.0
SILENT_S = 45.0
TURN_S = 0.5
KEPT_UP = 0.99
"""Of what was meant to be said and receipted."""


@dataclass(frozen=True, slots=True)
class ProvincePlan:
    """What is measured; with the defaults in less than five minutes."""

    rooms: int = 2000
    seconds: float = 60
    pace: LightPace = field(default_factory=LightPace)
    database: str = ""
    rooms_a_process: int = 500
    port_base: int = 8900
    settle_s: float = SETTLE_S


@dataclass(frozen=True, slots=True)
class StoreLook:
    """What the database has at one moment; commits are None on SQLite, which does not count them."""

    bytes: int
    events: int
    commits: int | None


async def measure(folder: Path, plan: ProvincePlan, console: Console) -> dict[str, Any]:
    """Run the whole and return the figures; `folder` may be filled."""
    begun_s = time.monotonic()
    made: list[tuple[list[LightRoomOrders], str]] = []
    console.print(f"making {plan.rooms} rooms, starting broker and center …")
    center = await MeasuredCenter.start(
        folder,
        folder / "rooms",
        plan.rooms,
        plan.port_base,
        tls=False,
        database=plan.database,
        enroll=lambda one: made.append(make_devices(one)),
    )
    processes: list[OrderedProcess] = []
    database = await asyncio.to_thread(open_database, center.config.database_url)
    try:
        orders, key = made[0]
        connect_s = await _start_rooms(processes, folder, plan, orders, key, center)
        await asyncio.sleep(plan.settle_s)
        before = await _look(center, database)
        for process in processes:
            await process.ask("begin")
        used_before = UsageLook.now(_parts(center, processes))
        await _wait(plan.seconds, console)
        used = UsedBetween.of(used_before, UsageLook.now(_parts(center, processes)))
        seen = joined([await process.ask("report") for process in processes])
        after = await _look(center, database)
        pending = await _silence(processes)
        last = joined([await process.ask("report") for process in processes])["counts"]
        stored = (await _look(center, database)).events
    finally:
        await asyncio.gather(*(process.stop() for process in processes))
        await asyncio.to_thread(database.close)
        await center.stop()
    figures = _figures(plan, used, seen, before, after)
    figures |= {
        "connect_s": connect_s,
        "lines_lost": last["lines_lost"],
        "refused": last["refused"],
        "events_said": last["all_said"],
        "events_receipted": last["all_receipted"],
        "events_not_receipted": pending,
        "events_in_database": stored,
        "receipted_and_not_stored": max(last["all_receipted"] - stored, 0),
        "whole_run_s": round(time.monotonic() - begun_s, 1),
        "utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
    }
    return figures


async def _start_rooms(
    processes: list[OrderedProcess],
    folder: Path,
    plan: ProvincePlan,
    orders: Sequence[LightRoomOrders],
    key: str,
    center: MeasuredCenter,
) -> float:
    """Start the processes and wait until all rooms are there; the seconds that took."""
    begun_s = time.monotonic()
    for first in range(0, plan.rooms, plan.rooms_a_process):
        path = folder / f"province-{first}.json"
        some = list(orders[first : first + plan.rooms_a_process])
        ProvinceOrders(center.wires.mqtt_ports[0], key, plan.pace, some).write(path)
        processes.append(await OrderedProcess.start(light_rooms_process.__name__, path))
    while True:
        there = sum([int((await process.ask("there"))["there"]) for process in processes])
        if there == plan.rooms:
            return round(time.monotonic() - begun_s, 1)
        if time.monotonic() - begun_s > START_S:
            raise WutongError(
                f"only {there} of {plan.rooms} rooms were heard within {START_S:g} s: this machine cannot carry so many"
                f" beside what else it does; the center's last words: {center.center.last_words(1)[:300]}"
            )
        await asyncio.sleep(TURN_S)


async def _wait(seconds: float, console: Console) -> None:
    begun_s = time.monotonic()
    for _ in track(range(int(seconds)), "measuring", console=console, transient=True):
        await asyncio.sleep(1)
    await asyncio.sleep(max(begun_s + seconds - time.monotonic(), 0))


async def _silence(processes: Sequence[OrderedProcess]) -> int:
    """Nothing new is said; how many events are not receipted when all are, or the time is over."""
    begun_s = time.monotonic()
    while True:
        pending = sum([int((await process.ask("quiet"))["pending"]) for process in processes])
        if not pending or time.monotonic() - begun_s > SILENT_S:
            return pending
        await asyncio.sleep(TURN_S)


def _parts(center: MeasuredCenter, processes: Sequence[OrderedProcess]) -> dict[str, list[int]]:
    broker = center.broker.children[0]
    pids = center.center.pid, broker.pid
    if pids[0] is None or pids[1] is None:
        raise WutongError(f"center or broker have ended: {center.center.last_words()} {broker.last_words()}")
    return {CENTER: [pids[0]], BROKER: [pids[1]], ROOMS: [process.pid for process in processes]}


async def _look(center: MeasuredCenter, database: Database) -> StoreLook:
    def ask(connection: Connection) -> StoreLook:
        events = connection.execute(select(func.count()).select_from(t.events)).scalar_one()
        if connection.dialect.name != "postgresql":
            return StoreLook(0, events, None)
        size = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
        query = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
        return StoreLook(size, events, connection.execute(text(query)).scalar_one())

    look = await database.read(ask)
    if look.commits is not None:
        return look
    size = await asyncio.to_thread(RecordSize.of, center.data)
    return StoreLook(size.database_bytes, look.events, None)


def _figures(
    plan: ProvincePlan, used: UsedBetween, seen: SamplesReport, before: StoreLook, after: StoreLook
) -> dict[str, Any]:
    counts, over_s, cores = seen["counts"], used.seconds, used.cores
    stored = after.events - before.events
    wanted_statuses = plan.rooms / plan.pace.status_s
    wanted_events = plan.rooms * plan.pace.events / plan.pace.batch_s
    kept_up = {
        "statuses": counts.get("statuses", 0) / over_s >= KEPT_UP * wanted_statuses,
        "receipts": counts.get("receipts", 0) / over_s >= KEPT_UP * wanted_events,
    }
    figures: dict[str, Any] = {"rooms": plan.rooms, "database": "PostgreSQL" if plan.database else "SQLite"}
    figures |= percentiles(RECEIPT, seen["ms"].get(RECEIPT, []))
    figures |= percentiles(STATUS_LATE, seen["ms"].get(STATUS_LATE, []))
    figures |= {
        "statuses_per_s": round(counts.get("statuses", 0) / over_s, 1),
        "wanted_statuses_per_s": round(wanted_statuses, 1),
        "events_per_s": round(counts.get("events", 0) / over_s, 1),
        "receipts_per_s": round(counts.get("receipts", 0) / over_s, 1),
        "wanted_events_per_s": round(wanted_events, 1),
        "stored_per_s": round(stored / over_s, 1),
        "batches_per_s": round(counts.get("batches", 0) / over_s, 1),
        "batches_again": counts.get("batches_again", 0),
        "missed": [what for what, yes in kept_up.items() if not yes],
        "center_cores": round(cores[CENTER], 3),
        "center_loop_cores": round(used.loop_cores, 3),
        "center_millicores_a_room": round(1000 * cores[CENTER] / plan.rooms, 3),
        "broker_cores": round(cores[BROKER], 3),
        "broker_millicores_a_room": round(1000 * cores[BROKER] / plan.rooms, 3),
        "rooms_cores": round(cores[ROOMS], 3),
        "other_cores": round(used.other_cores, 3),
        "center_rss_mib": round(used.center_rss_mib, 1),
        "database_bytes_an_event": round((after.bytes - before.bytes) / stored) if stored else None,
        "commits_per_s": _commits(before, after, over_s),
        "seconds": round(over_s, 1),
    }
    return figures


def _commits(before: StoreLook, after: StoreLook, over_s: float) -> float | None:
    if before.commits is None or after.commits is None:
        return None
    return round((after.commits - before.commits) / over_s, 1)
