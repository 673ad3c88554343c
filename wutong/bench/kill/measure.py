"""`wutong bench kill`: SIGKILL at random moments, in turns for the recorder, its workers and the whole room at once.

One hearing is open all the time. A fragment counts as acknowledged when its line is in the journal (it is written after
`fdatasync`), an event when it is in the room's log; both are read right after each death. With `loads`, other programs
keep the machine busy: each of the loads by itself, then all together, and each time a room of its own is killed.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from sync.runtime.process.order import Service
from wutong.bench.kill.deaths import BUSY_TURNS, TURNS, Acknowledged, Death, kept_again, kill, look
from wutong.bench.kill.figures import figures
from wutong.bench.kill.steps import steps_of
from wutong.bench.load.programs import Load, other_programs
from wutong.bench.room import SERVICES, TRACKS, BenchRoom


async def measure(
    data: Path,
    times: int,
    console: Console,
    *,
    seed: int | None = None,
    services: Sequence[Service] = SERVICES,
    loads: Sequence[Load] = (),
) -> dict[str, Any]:
    """Kill `times` times, beside all these loads at once; the figures. `data` is a folder that may be filled."""
    turns = [turn for turn in (BUSY_TURNS if loads else TURNS) if turn not in SERVICES or turn in services]
    chance = random.Random(seed)  # noqa: S311 (moments, not secrets)
    deaths: list[Death] = []
    seen = Acknowledged()
    console.print("starting a room …")
    async with BenchRoom.running(data, services) as room:
        room.say("open", case={}, seats=[], tracks=[{"id": t, "kind": "", "name": t} for t in TRACKS])
        await room.until(room.keeps, "everything is kept")
        async with other_programs(loads, data):
            for number in range(times):
                await asyncio.sleep(chance.uniform(0.1, 0.9))
                death = await kill(room, turns[number % len(turns)])
                deaths.append(death)
                look(room, seen)
                await room.until(partial(kept_again, room, death), "what was killed is kept again")
                await room.until(room.keeps, "everything is kept again")
                console.print(f"{number + 1}/{times}: {death.what}", highlight=False)
            await asyncio.sleep(0.5)
            load_average = os.getloadavg()[0]
            view = await room.close_hearing()
        found = figures(room, view, deaths, seen)
        return {**found, "load_average": round(load_average, 1), "steps": steps_of(room, deaths)}


async def measure_busy(data: Path, times: int, console: Console, loads: Sequence[Load]) -> dict[str, Any]:
    """The same under each load by itself, then under all of them together: figures whose names begin with the load."""
    found: dict[str, Any] = {}
    for some in [*([load] for load in loads), *([list(loads)] if len(loads) > 1 else [])]:
        name = "+".join(some)
        console.print(f"beside {name}")
        folder = data / name
        folder.mkdir()
        for key, value in (await measure(folder, times, console, loads=some)).items():
            found[f"{name}: {key}"] = value
    return found
