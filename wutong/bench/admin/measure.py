"""`wutong bench admin`: how long each page of administration and audit waits for its rows, through HTTP.

A center in this process, with a province of people and rooms in its database and a log of their acts, is asked what its
pages ask, one question after the other, by somebody whose post reaches all of it. Milliseconds are between question and
rows at the client, which is in this process, too; what the browser makes of them is not in it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from fastapi import Response
from rich.console import Console
from rich.progress import track
from rich.table import Table

from server.center import Center
from server.config import load_config
from server.people.acting import CENTER
from server.people.person import PersonForm, Post
from server.running import running
from server.service import build
from wutong.bench.admin.large_court import fill, fill_audit
from wutong.bench.live.measure import machine
from wutong.terminal import terminal

WANTED_P95_MS = 300.0
TOP = "hlj"


@dataclass(frozen=True, slots=True)
class AdminPlan:
    """What is made; `database` empty: SQLite in the benchmark's own folder, which goes with it."""

    people: int = 10_000
    rooms: int = 1_000
    lines: int = 200_000
    database: str = ""
    asks: int = 40


def questions(now: datetime) -> dict[str, tuple[str, list[str]]]:
    """What each page asks: name -> (role, paths); asked in turns."""
    today = now.date()
    month, year = today - timedelta(days=30), today - timedelta(days=365)
    return {
        "people": ("administrator", ["people", "people?offset=9950", "people?sort=-seen", "people?sort=name"]),
        "people, searched": ("administrator", ["people?q=王伟", "people?q=user0123", "people?q=芳", "people?q=nobody"]),
        "people, narrowed": ("administrator", ["people?court=city2", "people?role=judge", "people?state=locked"]),
        "courts": ("administrator", ["courts", "courts?q=尖山", "courts?sort=name"]),
        "rooms": ("administrator", ["rooms", "rooms?q=第三", "rooms?offset=950", "rooms?court=city2"]),
        "fleet": ("administrator", ["fleet", "fleet?sort=disk", "fleet?q=尖山", "fleet?sort=certificate"]),
        "devices": ("administrator", ["devices", "devices?q=尖山"]),
        "acts of two": ("administrator", ["acts"]),
        "reports, a month": ("administrator", [f"reports?from={month}&to={today}"]),
        "reports, a year": ("administrator", [f"reports?from={year}&to={today}"]),
        "audit": ("auditor", ["audit", "audit?offset=5000", "audit?sort=utc"]),
        "audit, of an act": ("auditor", ["audit?what=sign-in", "audit?granted=no", "audit?role=judge"]),
        "audit, of a day": ("auditor", [f"audit?from={month}&to={month}", f"audit?from={today}&to={today}"]),
        "audit, searched": ("auditor", ["audit?q=王伟", "audit?q=city3", "audit?q=10.0.7.7", "audit?q=nobody"]),
    }


async def measure(folder: Path, plan: AdminPlan, console: Console) -> dict[str, Any]:
    """Fill, ask, and return the figures."""
    database = f'database = "{plan.database}"\n' if plan.database else ""
    file = folder / "center.toml"
    file.write_text(f'[web]\nport = 0\n[mqtt]\nport = 1\n[storage]\ndata = "{folder / "center"}"\n{database}')
    center = build(load_config(file))
    now = datetime.now(UTC)
    async with running(center, "127.0.0.1", 0) as port:
        await fill(center, plan.people, plan.rooms)
        await fill_audit(center, plan.lines, plan.people, int(now.timestamp() * 1e9), console)
        cookies = {role: await _cookie(center, role) for role in ("administrator", "auditor")}
        kinds = {}
        asked = questions(now)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as http:
            for kind in track(asked, "asking", console=console, transient=True):
                role, paths = asked[kind]
                kinds[kind] = await _ask(http, cookies[role], paths, plan.asks)
    return {
        "database": center.database.dialect,
        "people": plan.people,
        "rooms": plan.rooms,
        "lines": plan.lines,
        "kinds": kinds,
        "wanted": {"p95_ms": WANTED_P95_MS},
        "missed": [kind for kind, one in kinds.items() if one["p95_ms"] > WANTED_P95_MS],
        "utc": now.isoformat(timespec="seconds"),
        "machine": machine(),
    }


async def _cookie(center: Center, role: str) -> str:
    """Of somebody who has signed in in a post at the court at the top."""
    post = Post(role, TOP)
    person = await center.persons.store.add(PersonForm(role, role, TOP, (post,)), CENTER)
    response = Response()
    await center.access.open_person(response, role, person.name, person.id, TOP)
    return response.headers["set-cookie"].partition(";")[0]


async def _ask(http: httpx.AsyncClient, cookie: str, paths: list[str], asks: int) -> dict[str, float | int]:
    taken: list[float] = []
    for number in range(asks):
        path = paths[number % len(paths)]
        begun = time.perf_counter()
        answer = await http.get(f"/api/admin/{path}", headers={"Cookie": cookie, "X-Wutong": "1"})
        taken.append((time.perf_counter() - begun) * 1000)
        answer.raise_for_status()
    p50, p95 = np.percentile(np.array(taken), (50, 95))
    return {"p50_ms": round(float(p50), 1), "p95_ms": round(float(p95), 1), "max_ms": round(max(taken), 1)}


def show(name: str, figures: Mapping[str, Any]) -> None:
    """Print the figures for people: a row for each page."""
    columns = ("p50_ms", "p95_ms", "max_ms")
    title = f"wutong bench {name}: {figures['people']:,} people, {figures['rooms']:,} rooms, {figures['lines']:,} lines"
    table = Table("asked for", *columns, title=title)
    for kind, one in figures["kinds"].items():
        table.add_row(f"{kind}{' ✗' if kind in figures['missed'] else ''}", *(f"{one[column]:g}" for column in columns))
    out = terminal()
    out.print(table)
    for key in ("database", "utc", "machine"):
        out.print(f"{key}: {figures[key]}")
