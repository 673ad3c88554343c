"""Where the time goes from a kill to the next sample on disk, step by step, by what the recorder's own log says.

The steps follow each other: their sum is the time from the kill until the first fragment after it is synced. Within
that time lies the moment of the first sample, which is what is published: a run's first fragments wait in memory until
its clock is settled.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from wutong.bench.kill.deaths import Death
from wutong.bench.room import BenchRoom

SOURCE_OF = {"bench": "bench", "mics": "mics", "mix": "mics"}
"""The source whose worker gives a track."""
_STARTS = ("imports", "clock", "parts")


def steps_of(room: BenchRoom, deaths: list[Death]) -> list[str]:
    """Of each step its median and its longest, in seconds, and all steps of the slowest return, as lines of text."""
    return lines_of(_said(room), deaths)


def lines_of(said: Sequence[dict[str, Any]], deaths: Sequence[Death]) -> list[str]:
    """The same by what the recorder's log said, line by line."""
    found = [one for death in deaths for track in death.tracks if (one := _steps(said, death, track)) is not None]
    if not found:
        return []
    names = list(dict.fromkeys(name for _, steps in found for name in steps))
    lines = []
    for name in names:
        values = sorted(steps[name] for _, steps in found if name in steps)
        lines.append(f"{name}: {values[len(values) // 2]:.2f} / {values[-1]:.2f}")
    slowest, longest = max(found, key=lambda one: sum(one[1].values()))
    return [*lines, f"slowest: {slowest}: " + ", ".join(f"{name} {value:.2f}" for name, value in longest.items())]


def _said(room: BenchRoom) -> list[dict[str, Any]]:
    lines = []
    for text in room.child("recorder").log.read_text(encoding="utf-8", errors="replace").splitlines():
        with contextlib.suppress(ValueError):
            value = json.loads(text)
            if isinstance(value, dict):
                lines.append(value)
    return lines


def _steps(said: Iterable[dict[str, Any]], death: Death, track: str) -> tuple[str, dict[str, float]] | None:
    """(what was killed and which track came back, seconds of each step in order); None when it never came back."""
    source = SOURCE_OF[track]
    at_ns = death.at_ns
    steps: dict[str, float] = {}

    def step(name: str, until_ns: int) -> None:
        nonlocal at_ns
        steps[name] = (until_ns - at_ns) / 1e9
        at_ns = until_ns

    attempts = 0
    started_ns = ended_ns = 0
    for line in said:
        match line.get("event"):
            case "startup_times" if line["process_ns"] > death.at_ns - 20_000_000 and not steps:
                step("restart", line["process_ns"])
                for name in _STARTS:
                    if f"{name}_ns" in line:
                        step(name, line[f"{name}_ns"])
            case "source_ended" if line["source"] == source and line["at_ns"] > death.at_ns:
                ended_ns = ended_ns or line["at_ns"]
            case "source_starts" if line["source"] == source and line["at_ns"] > death.at_ns:
                attempts += 1
                started_ns = line["at_ns"]
            case "run_kept" if line["track"] == track and line["kept_ns"] > death.at_ns and started_ns:
                if "restart" not in steps and ended_ns:
                    step("noticed", ended_ns)
                step("worker is started" if attempts < 2 else "worker is started again", started_ns)
                step("worker's first bytes", line["init_ns"])
                step("clock settled", line["offered_ns"])
                step("first fragment synced", line["kept_ns"])
                return f"{death.what} → {track}, {attempts} starts", steps
    return None
