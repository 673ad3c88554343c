"""`wutong bench takeover`: how soon a center of several processes goes on when one of its parts is killed.

Owners, a gateway and the broker are killed in turns (SIGKILL), each when everything is whole again. Rooms are light and
speak all the time. *Owned again*: from the kill until other processes have all that the killed one owned. *Receipted
again*: until every room has a receipt of something that it said after the kill. What is killed is started again at
once, as by its supervisor; the time does not wait for that. At the end the rooms fall silent, and what the database
holds is compared with what was said: nothing may be lost or doubled.

PostgreSQL is named, not started, so it is not killed here; the tests kill it.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from sqlalchemy import Connection, func, select

from server.leases.center_process import LEASE_S
from server.store import tables as t
from server.store.database import open_database
from wutong.bench.archive.made_words import MadeWords
from wutong.bench.center.measured_center import MeasuredCenter
from wutong.bench.center.samples import Samples
from wutong.bench.live.measure import machine
from wutong.bench.province.enrolled_rooms import make_devices
from wutong.bench.province.light_room import LightRoom
from wutong.bench.province.province_orders import LightPace, LightRoomOrders
from wutong.bench.takeover.numbered_processes import FIRST, NumberedProcesses

PACE = LightPace(status_s=1, batch_s=0.2, events=1)
OWNER, GATEWAY, BROKER = "owner", "gateway", "broker"
IN_TURNS = (OWNER, GATEWAY, OWNER, BROKER)


@dataclass(frozen=True, slots=True)
class TakeoverPlan:
    """What is measured."""

    database: str
    """Of a PostgreSQL, empty."""
    times: int = 12
    owners: int = 3
    rooms: int = 12
    lease_s: float = LEASE_S
    port_base: int = 8900


@dataclass(slots=True)
class TakeoverTimes:
    """Seconds of each kill, by what was killed."""

    owned_s: list[float] = field(default_factory=list)
    receipted_s: dict[str, list[float]] = field(default_factory=dict)


async def measure(folder: Path, plan: TakeoverPlan, console: Console) -> dict[str, Any]:
    """Run the whole and return the figures; `folder` may be filled."""
    made: list[tuple[list[LightRoomOrders], str]] = []
    console.print("starting broker and center …")
    center = await MeasuredCenter.start(
        folder,
        folder / "rooms",
        plan.rooms,
        plan.port_base,
        tls=False,
        database=plan.database,
        enroll=lambda one: made.append(make_devices(one)),
        processes=FIRST + plan.owners,
        lease_s=plan.lease_s,
    )
    database = await asyncio.to_thread(open_database, center.config.database_url)
    talking: list[asyncio.Task[None]] = []
    try:
        await center.stop_center()  # the first start of a center, which makes its keys, is that of one process
        processes = NumberedProcesses(center, database, plan.owners)
        await processes.ready()
        orders, key = made[0]
        rooms = _light_rooms(orders, center.wires.mqtt_ports[0], key)
        talking = [asyncio.create_task(room.run()) for room in rooms]
        await processes.wait(_all(rooms, lambda room: room.is_there), "the rooms")
        times = TakeoverTimes()
        load = os.getloadavg()[0]
        for number in track(range(plan.times), "killing", console=console, transient=True):
            await processes.ready()
            await _kill(IN_TURNS[number % len(IN_TURNS)], number, center, processes, rooms, times)
        for room in rooms:
            room.be_quiet()
        await processes.wait(_all(rooms, lambda room: not room.pending), "the last receipts")
        kept = await database.read(_kept)
    finally:
        for task in talking:
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)
        await center.stop()
        await asyncio.to_thread(database.close)
    return _figures(plan, times, sum(room.said for room in rooms), kept) | {
        "load_at_first_kill": round(load, 1),
        "load_at_end": round(os.getloadavg()[0], 1),
        "utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
    }


def _light_rooms(orders: Sequence[LightRoomOrders], port: int, key: str) -> list[LightRoom]:
    words, samples = MadeWords(random.Random(0)), Samples()  # noqa: S311 (no secret)
    return [LightRoom(one, port, PACE, bytes.fromhex(key), words, samples) for one in orders]


async def _kill(
    what: str,
    number: int,
    center: MeasuredCenter,
    processes: NumberedProcesses,
    rooms: Sequence[LightRoom],
    times: TakeoverTimes,
) -> None:
    """Kill it, measure, and start it again."""
    owner = processes.owners[number // 2 % len(processes.owners)]
    child = {OWNER: owner.child, GATEWAY: processes.gateway.child, BROKER: center.broker.children[0]}[what]
    name = await processes.name_of(owner)
    processes.kill(child)
    killed_s, said = time.monotonic(), {id(room): room.said for room in rooms}
    child.start()
    if what == OWNER:
        await processes.wait(lambda: processes.owns_nothing(name), "the next owner")
        times.owned_s.append(time.monotonic() - killed_s)
    await processes.wait(_all(rooms, lambda room: room.receipted > said[id(room)]), "new receipts")
    times.receipted_s.setdefault(what, []).append(time.monotonic() - killed_s)


def _all(rooms: Sequence[LightRoom], condition: Any) -> Any:
    async def holds() -> bool:
        return all(condition(room) for room in rooms)

    return holds


def _kept(connection: Connection) -> dict[str, int]:
    """What the database has: events, and how many of them and of the lines are there more than once."""
    e, u = t.events.c, t.utterances.c
    rows = connection.execute(select(func.count()).select_from(t.events)).scalar_one()
    single = select(e.room, e.number).distinct().subquery()
    events = connection.execute(select(func.count()).select_from(single)).scalar_one()
    said = connection.execute(select(func.count()).where(e.kind == "utterance")).scalar_one()
    lines = connection.execute(select(func.count(u.id))).scalar_one()
    return {"events": events, "doubled": rows - events + abs(lines - said)}


def _figures(plan: TakeoverPlan, times: TakeoverTimes, said: int, kept: dict[str, int]) -> dict[str, Any]:
    figures: dict[str, Any] = {"kills": plan.times, "owners": plan.owners, "gateways": 1, "rooms": plan.rooms}
    figures["lease_s"] = plan.lease_s
    for name, seconds in (
        ("owned_again_s", times.owned_s),
        *((f"receipted_again_s_after_{what}", found) for what, found in times.receipted_s.items()),
    ):
        if seconds:
            figures[f"{name}_median"] = round(statistics.median(seconds), 2)
            figures[f"{name}_latest"] = round(max(seconds), 2)
    return figures | {
        "events_said": said,
        "events_in_database": kept["events"],
        "events_lost": said - kept["events"],
        "events_doubled": kept["doubled"],
    }
