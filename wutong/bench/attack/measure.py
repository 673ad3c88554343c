"""`wutong bench attack`: an honest room is live while four hostile clients do all they can, each attack at once.

Broker, center and a room run as in the demo. The room holds the bundled hearing again and again and is watched in
headless Chromium, as in `wutong bench live`; each attacker has everything of another room: its account at the broker,
its token, its device. First the honest room is measured in peace, then under attack. Measured are its events (how long
after its own log had one it was stored at the center, and whether one is missing at the end), the age of the live
picture, and the most memory that broker, center and the honest room's services took. The clients run at the lowest
priority, since they stand for other machines, and together say about as much as a network of 1 Gbit/s carries; what
they make the attacked do is in the figures.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from rich.console import Console
from rich.progress import track

from hardware.simulation.scenario import BUNDLED_HEARING, Scenario
from sync.errors import WutongError
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from wutong.bench.attack.target import Target
from wutong.bench.browser import chromium, inspector_context, sign_in
from wutong.bench.live.measure import WARM_UP_S, machine
from wutong.bench.live.viewed import CAMERA, live_script
from wutong.demo.clerk import Clerk
from wutong.demo.stack import Stack, start_stack

CLIENTS = 4
PEACE_S = 60
SETTLE_S = 12
"""After the attack: the outbox sends again every ten seconds what was not receipted."""
LATE_S = 2.0
_WATCHED = ("mosquitto", "center", "room-01.edge", "room-01.uplink", "room-01.recorder")


@dataclass
class Taken:
    """What each process has taken: the most memory in bytes, and processor seconds from the first look to the last."""

    most: dict[str, int] = field(default_factory=dict)
    cpu_s: dict[str, list[float]] = field(default_factory=dict)
    begun_s: float = field(default_factory=time.monotonic)

    def look(self, stack: Stack) -> None:
        """One sample of each."""
        for name in _WATCHED:
            pid = stack.child(name).pid
            with contextlib.suppress(psutil.Error):
                if pid is not None:
                    process = psutil.Process(pid)
                    self.most[name] = max(self.most.get(name, 0), process.memory_info().rss)
                    self.cpu_s.setdefault(name, []).append(sum(process.cpu_times()[:2]))

    def mib(self) -> dict[str, int]:
        """For print."""
        return {name: round(size / 2**20) for name, size in self.most.items()}

    def cores(self) -> dict[str, float]:
        """For print."""
        over_s = time.monotonic() - self.begun_s
        return {name: round((values[-1] - values[0]) / over_s, 2) for name, values in self.cpu_s.items()}


async def measure(data: Path, seconds: float, port_base: int, console: Console, *, tls: bool = False) -> dict[str, Any]:
    """Run the whole and return the figures; `data` is a folder that may be filled."""
    scenario = Scenario.load(BUNDLED_HEARING)
    console.print("starting broker, center and room …")
    stack = await start_stack(data, BUNDLED_HEARING, absent=CLIENTS, port_base=port_base, tls=tls)
    watching = asyncio.create_task(stack.processes.watch())
    room = stack.rooms[0]
    holding: asyncio.Task[None] | None = None
    try:
        async with Clerk(stack.panel_url(room), stack.trusted()) as clerk:
            await clerk.sign_in(stack.clerk_code(room))
            await clerk.words_ready()
            await clerk.self_test()
            holding = asyncio.create_task(_hold(clerk, scenario, RoomPaths(room.data).stage))
            await asyncio.sleep(WARM_UP_S)
            return await _watch(stack, seconds, data, console)
    finally:
        for task in (watching, holding):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, WutongError):
                    await task
        await stack.processes.stop()


async def _hold(clerk: Clerk, scenario: Scenario, stage: Path) -> None:
    while True:
        await clerk.conduct(scenario, BUNDLED_HEARING, stage)


async def _watch(stack: Stack, seconds: float, data: Path, console: Console) -> dict[str, Any]:
    room = stack.rooms[0]
    async with chromium(stack.addresses()) as browser:
        page = await (await inspector_context(browser)).new_page()
        await sign_in(page, f"{stack.center_url}/inspect", stack.inspector_code())
        await page.add_init_script(live_script(f"{room.address}/{CAMERA}"))
        await page.goto(f"{stack.center_url}/inspect#/room/{room.address}")
        await asyncio.sleep(3)  # the page has its first pictures

        async def pictures() -> dict[str, Any]:
            return dict(await page.evaluate("window.__wutong_live"))

        before, taken, since_ns = await pictures(), Taken(), time.time_ns()
        for _ in track(range(PEACE_S), "in peace", console=console, transient=True):
            taken.look(stack)
            await asyncio.sleep(1)
        calm, calm_taken, attacked_ns = await pictures(), taken, time.time_ns()
        taken = Taken()
        clients = await _attackers(stack, data, seconds)
        for _ in track(range(int(seconds)), "under attack", console=console, transient=True):
            taken.look(stack)
            await asyncio.sleep(1)
        stormy, ended_ns = await pictures(), time.time_ns()
        cores = taken.cores()
        done = await _reports(clients)
        await asyncio.sleep(SETTLE_S)
        restarts = {child.name: child.restarts for child in stack.processes.children if child.restarts}
        peace = await asyncio.to_thread(_events, stack, since_ns, attacked_ns)
        storm = await asyncio.to_thread(_events, stack, attacked_ns, ended_ns)
    calm_ms, storm_ms = _delays(before, calm), _delays(calm, stormy)
    return {
        "events_in_peace": peace,
        "events_under_attack": storm,
        "events_lost": storm["missing"],
        f"events_later_than_{LATE_S:g}_s": storm["late"],
        "live_ms_in_peace": calm_ms,
        "live_ms_under_attack": storm_ms,
        "live_ms_p95_worse_by": round(storm_ms["p95"] - calm_ms["p95"], 1),
        "stalls_under_attack": stormy["stalls"] + stormy["frozen"] - calm["stalls"] - calm["frozen"],
        "rss_mib_most_in_peace": calm_taken.mib(),
        "rss_mib_most_under_attack": taken.mib(),
        "cores_under_attack": cores,
        "restarts": restarts,
        "attacks": dict(sorted(done.items())),
        "clients": CLIENTS,
        "seconds": seconds,
        "utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
    }


async def _attackers(stack: Stack, data: Path, seconds: float) -> list[asyncio.subprocess.Process]:
    clients = []
    pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    for taken in stack.absent:
        path = data / f"{taken.room}.target.json"
        Target.of(stack, taken).write(path)
        command = [sys.executable, "-m", "wutong.bench.attack.client", str(path), str(seconds)]
        clients.append(await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=nothing))
    return clients


async def _reports(clients: list[asyncio.subprocess.Process]) -> Counter[str]:
    """What all of them did; who does not end is killed, and its report is missing."""
    done: Counter[str] = Counter()
    for client in clients:
        try:
            async with asyncio.timeout(20):
                out, _ = await client.communicate()
            done.update(json.loads(out))
        except (TimeoutError, ValueError):
            done["clients without a report"] += 1
            with contextlib.suppress(ProcessLookupError):
                client.kill()
            await client.wait()
    return done


def _events(stack: Stack, from_utc_ns: int, to_utc_ns: int) -> dict[str, Any]:
    """Of the honest room's events of this time: how many, how long until the center had them, how many it has not."""
    room = stack.rooms[0]
    log = RoomLog(RoomPaths(room.data).log)
    try:
        events = {e.number: e.utc_ns for e in log.since(0) if from_utc_ns <= e.utc_ns < to_utc_ns}
    finally:
        log.close()
    store = sqlite3.connect(f"file:{stack.center_data / 'center.db'}?mode=ro", uri=True)
    try:
        rows = store.execute("SELECT number, stored_utc_ns FROM events WHERE room = ?", (room.address,)).fetchall()
    finally:
        store.close()
    stored = {number: at for number, at in rows if number in events}
    lags_s = np.array([(stored[number] - utc_ns) / 1e9 for number, utc_ns in events.items() if number in stored])
    return {
        "count": len(events),
        "missing": len(events.keys() - stored.keys()),
        "late": int(np.count_nonzero(lags_s > LATE_S)),
        "lag_s_p50": round(float(np.percentile(lags_s, 50)), 3) if lags_s.size else None,
        "lag_s_max": round(float(lags_s.max()), 3) if lags_s.size else None,
    }


def _delays(before: dict[str, Any], after: dict[str, Any]) -> dict[str, float]:
    values = np.array([delay for _, delay in after["samples"][len(before["samples"]) :]], dtype=np.float64)
    if not values.size:
        raise WutongError("no picture reached the browser; look at the rooms and the center with `wutong demo`")
    return {
        "p50": round(float(np.percentile(values, 50)), 1),
        "p95": round(float(np.percentile(values, 95)), 1),
        "max": round(float(values.max()), 1),
        "frames_read": int(values.size),
    }
