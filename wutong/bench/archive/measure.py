"""`wutong bench archive`: what lists and searches of an archive of years take, through the center's own reader.

The archive is made (`made_hearings`) and stored as the center's tables have it; then each kind of question is asked one
after the other, as an inspector's page does: an answer is a page of 50 rows with its count. A page that could not be
looked through to its end in time says so and the browser asks on: `cut` is the share of such answers, and `whole_ms`
how long it took then until there was a page or nothing more. Milliseconds are between question and rows in Python; the
way through HTTP and the browser is not in them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from server.store.archive.archive_reader import ArchivePage, ArchiveReader
from server.store.archive.place import ArchivePlace
from server.store.database import Database, open_database
from server.store.rights.sight import PUBLIC, Sight
from wutong.bench.archive.filled_archive import fill
from wutong.bench.archive.made_hearings import LINES, MadeHearings
from wutong.bench.archive.questions import ListQuestion, Question, questions
from wutong.bench.live.measure import machine
from wutong.terminal import terminal

WANTED_P95_MS = 300.0
PAGE = 50
MOST_PAGES = 60
"""So often a page that was cut is asked on."""


@dataclass(frozen=True, slots=True)
class ArchivePlan:
    """What is measured; `database` empty: SQLite in the benchmark's own folder, which goes with it."""

    hearings: int
    database: str = ""
    asks: int = 40


@dataclass
class SeenAnswers:
    """What was seen of one kind of question."""

    ms: list[float] = field(default_factory=list)
    whole_ms: list[float] = field(default_factory=list)
    cut: int = 0
    rows: int = 0

    def figures(self) -> dict[str, float | int]:
        """p50, p95 and the worst of an answer; rows of one, the share that was cut, the longest until it was whole."""
        p50, p95 = np.percentile(np.array(self.ms), (50, 95))
        return {
            "p50_ms": round(float(p50), 1),
            "p95_ms": round(float(p95), 1),
            "max_ms": round(max(self.ms), 1),
            "answers": len(self.ms),
            "rows": round(self.rows / len(self.ms), 1),
            "cut": round(self.cut / len(self.ms), 3),
            "whole_ms_max": round(max(self.whole_ms), 1),
        }


async def measure(folder: Path, plan: ArchivePlan, console: Console) -> dict[str, Any]:
    """Fill what is missing, ask, and return the figures; `ConfigError` for a database that has other hearings."""
    url = plan.database or f"sqlite:///{folder / 'archive.db'}"
    database = await asyncio.to_thread(open_database, url, patient=True)
    try:
        begun = time.perf_counter()
        added = await asyncio.to_thread(fill, database, plan.hearings, console)
        fill_s = time.perf_counter() - begun
    finally:
        database.close()
    # Again, with the limits that a center's own statements have.
    database = await asyncio.to_thread(open_database, url)
    try:
        kinds = await _ask_all(database, plan, console)
    finally:
        database.close()
    missed = [kind for kind, one in kinds.items() if one["p95_ms"] > WANTED_P95_MS]
    return {
        "database": database.dialect,
        "hearings": plan.hearings,
        "lines": plan.hearings * LINES,
        "added": added,
        "fill_s": round(fill_s, 1),
        "kinds": kinds,
        "wanted": {"p95_ms": WANTED_P95_MS},
        "missed": missed,
        "cut_kinds": [kind for kind, one in kinds.items() if one["cut"]],
        "utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
    }


async def _ask_all(database: Database, plan: ArchivePlan, console: Console) -> dict[str, dict[str, float | int]]:
    reader, sight = ArchiveReader(database), Sight(frozenset({PUBLIC, "restricted"}))
    asked_for = questions(MadeHearings(), plan.hearings, plan.asks)
    kinds: dict[str, dict[str, float | int]] = {}
    for kind in track(asked_for, "asking", console=console, transient=True):
        seen = SeenAnswers()
        for question in asked_for[kind]:
            await _ask(reader, sight, question, seen)
        kinds[kind] = seen.figures()
    return kinds


async def _ask(reader: ArchiveReader, sight: Sight, question: Question, seen: SeenAnswers) -> None:
    """One question and the pages that belong to it; what was cut is asked on until there is a page or nothing more."""
    after: ArchivePlace | None = None
    for _ in range(1 + question.pages):
        begun, rows = time.perf_counter(), 0
        for _ in range(MOST_PAGES):
            page, took_ms = await _page(reader, sight, question, after)
            seen.ms.append(took_ms)
            seen.rows += len(page.rows)
            seen.cut += page.stopped
            rows += len(page.rows)
            after = page.next
            if after is None or not page.stopped or rows >= PAGE:
                break
        seen.whole_ms.append((time.perf_counter() - begun) * 1000)
        if after is None:
            return


async def _page(
    reader: ArchiveReader, sight: Sight, question: Question, after: ArchivePlace | None
) -> tuple[ArchivePage, float]:
    begun = time.perf_counter()
    if isinstance(question, ListQuestion):
        page = await reader.hearings(question.wanted, sight, after, PAGE)
    else:
        page = await reader.words(question.words, question.wanted, sight, after, PAGE)
    return page, (time.perf_counter() - begun) * 1000


def show(name: str, figures: Mapping[str, Any]) -> None:
    """Print the figures for people: a row for each kind of question."""
    columns = ("p50_ms", "p95_ms", "max_ms", "answers", "rows", "cut", "whole_ms_max")
    table = Table("asked for", *columns, title=f"wutong bench {name}: {figures['hearings']:,} hearings")
    for kind, one in figures["kinds"].items():
        missed = " ✗" if kind in figures["missed"] else ""
        table.add_row(f"{kind}{missed}", *(f"{one[column]:g}" for column in columns))
    out = terminal()
    out.print(table)
    for key, value in figures.items():
        if key != "kinds":
            out.print(f"{key}: {', '.join(value) if isinstance(value, list) else value}")
