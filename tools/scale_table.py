#!/usr/bin/env python3
"""Compute docs/scale.md's tables and drawing from unit costs (docs/scale.toml).

    .venv/bin/python tools/scale_table.py            # write the tables and docs/images/scale.svg
    .venv/bin/python tools/scale_table.py --check    # say what is stale, and fail

A new measurement changes docs/scale.toml alone. Everything is linear in rooms: that holds where each process sees its
own rooms only, and the page says so. Tables stand between `<!-- name -->` and `<!-- /name -->`.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
COSTS, PAGE, DRAWING = ROOT / "docs" / "scale.toml", ROOT / "docs" / "scale.md", ROOT / "docs" / "images" / "scale.svg"
LEAST, MOST = 10, 100_000
"""The ends of the drawing's axis, in rooms."""


@dataclass(frozen=True)
class UnitCosts:
    """What docs/scale.toml says; `KeyError` for a name that it does not have."""

    said: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> UnitCosts:
        """Of a file; `ValueError` for a cost without its source."""
        said = tomllib.loads(path.read_text(encoding="utf-8"))
        for name, one in [*said["costs"].items(), *((one["name"], one) for one in said["walls"])]:
            if not str(one.get("source", "")).strip():
                raise ValueError(f"{name} does not say where it comes from")
        return cls(said)

    def of(self, name: str) -> float:
        """A cost; `one` is one of each room."""
        return 1.0 if name == "one" else float(self.said["costs"][name]["value"])

    def assumed(self, name: str) -> float:
        """What is assumed of how courts work."""
        return float(self.said["assumed"][name])


def wall_rooms(costs: UnitCosts, wall: Mapping[str, Any]) -> float:
    """How many rooms in session there are where a wall stands."""
    limit = float(wall["limit"]) * (costs.assumed("used_share") if wall["of_use"] else 1.0)
    return limit / sum(costs.of(name) for name in wall["costs"])


def computed(costs: UnitCosts, rooms: float) -> dict[str, float]:
    """What so many rooms in session take; the names carry the units."""
    watched, tabs = rooms * costs.assumed("watched_share"), rooms / costs.assumed("rooms_a_tab")
    center_cores = (
        rooms * costs.of("center_room_millicores")
        + watched * costs.of("center_track_millicores")
        + tabs * costs.of("center_tab_millicores")
    ) / 1000
    processes = math.ceil(center_cores / costs.assumed("used_share"))
    in_messages = sum(costs.of(name) for name in ("statuses", "events", "checkpoints", "captions", "thumbnails"))
    fragments = watched * costs.of("fragments_a_track")
    hours = rooms * costs.assumed("hours_a_day")
    day_gb = hours * costs.of("database_mb_an_hour") / 1000
    media_tb = {name: hours * 3600 * costs.of(name) / 1e6 for name in ("upload_mb", "upload_mb_large")}
    commits = rooms * costs.of("commits")
    by_name = {str(one["name"]): wall_rooms(costs, one) for one in costs.said["walls"]}
    postgres = max(rooms / most for name, most in by_name.items() if "PostgreSQL" in name)
    days = costs.assumed("days_a_year")
    return {
        "center_cores": center_cores,
        "center_processes": processes,
        "center_gib": (processes * costs.of("center_process_mib") + rooms * costs.of("center_room_mib")) / 1024,
        "connections": rooms + processes,
        "messages_in_per_s": rooms * in_messages + fragments,
        "messages_out_per_s": rooms * costs.of("answers"),
        "mosquitto_cores": rooms * costs.of("mosquitto_room_millicores") / 1000,
        "nats_cores": rooms * costs.of("nats_room_millicores") * costs.of("nats_replicas") / 1000,
        "requests_per_s": rooms * costs.of("requests"),
        "commits_per_s": commits,
        "postgres_cores": rooms * costs.of("postgres_room_millicores") / 1000,
        "postgres_servers": math.ceil(postgres),
        "upload_gb_per_s": rooms * costs.of("upload_mb") / 1000,
        "upload_gb_per_s_large": rooms * costs.of("upload_mb_large") / 1000,
        "database_gb_a_day": day_gb,
        "database_tb_a_year": day_gb * days / 1000,
        "rows_a_day_millions": hours * costs.of("database_rows_an_hour") / 1e6,
        "media_tb_a_day": media_tb["upload_mb"],
        "media_tb_a_year": media_tb["upload_mb"] * days,
        "media_tb_a_day_large": media_tb["upload_mb_large"],
        "media_tb_a_year_large": media_tb["upload_mb_large"] * days,
    }


_ROWS = (
    ("center, cores", "center_cores"),
    ("… processes", "center_processes"),
    ("… memory, GiB", "center_gib"),
    ("connections at the broker", "connections"),
    ("messages of rooms, a second", "messages_in_per_s"),
    ("messages to rooms, a second", "messages_out_per_s"),
    ("Mosquitto, cores", "mosquitto_cores"),
    ("or NATS with three copies, cores", "nats_cores"),
    ("HTTP requests, a second", "requests_per_s"),
    ("database: commits, a second", "commits_per_s"),
    ("… PostgreSQL, cores", "postgres_cores"),
    ("… servers of 16 cores", "postgres_servers"),
    ("… GB a day", "database_gb_a_day"),
    ("… TB a year", "database_tb_a_year"),
    ("… rows a day, millions", "rows_a_day_millions"),
    ("media in, GB/s: 720p / four cameras of 1080p", "upload_gb_per_s", "upload_gb_per_s_large"),
    ("… TB a day", "media_tb_a_day", "media_tb_a_day_large"),
    ("… TB a year", "media_tb_a_year", "media_tb_a_year_large"),
)


def number(value: float) -> str:
    """A number as people read it: three digits that say something."""
    if value >= 100:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}"


def sizes_table(costs: UnitCosts) -> str:
    """What each size takes."""
    sizes = [(str(one["name"]), int(one["rooms"])) for one in costs.said["sizes"]]
    of_size = [computed(costs, rooms) for _, rooms in sizes]
    lines = ["| | " + " | ".join(f"{rooms:,} rooms: {name}" for name, rooms in sizes) + " |"]
    lines.append("| --- |" + " --- |" * len(sizes))
    for what, *names in _ROWS:
        cells = (" / ".join(number(one[name]) for name in names) for one in of_size)
        lines.append(f"| {what} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def walls_table(costs: UnitCosts) -> str:
    """Where each wall stands, the nearest first, and how many of it each size needs."""
    sizes = [int(one["rooms"]) for one in costs.said["sizes"]]
    walls = sorted(costs.said["walls"], key=lambda one: wall_rooms(costs, one))
    lines = [
        "| what ends first | at so many rooms | "
        + " | ".join(f"at {rooms:,} one needs" for rooms in sizes)
        + " | because |"
    ]
    lines.append("| --- | --- |" + " --- |" * len(sizes) + " --- |")
    for wall in walls:
        most = wall_rooms(costs, wall)
        needs = " | ".join(f"{math.ceil(rooms / most):,}" for rooms in sizes)
        lines.append(f"| {wall['name']} | {number(most)} | {needs} | {wall['source']} |")
    return "\n".join(lines)


def costs_table(costs: UnitCosts) -> str:
    """Each unit cost and its source."""
    lines = ["| of one room, if not said | | from |", "| --- | --- | --- |"]
    for name, one in costs.said["costs"].items():
        lines.append(f"| {name.replace('_', ' ')} | {number(float(one['value']))} | {one['source']} |")
    return "\n".join(lines)


def province_table(costs: UnitCosts) -> str:
    """What the simulation measured against what the costs say."""
    said = costs.said["province"]
    rooms, seen = int(said["rooms"]), said["measured"]
    light = rooms * float(said["events"]) / float(said["batch_s"])
    rows = (
        (f"of {rooms:,} connections lost in between", 0.0, "lines_lost"),
        ("statuses a second", rooms / float(said["status_s"]), "statuses_per_s"),
        ("events a second, receipted", light, "receipts_per_s"),
        ("events a second, stored", light, "stored_per_s"),
        ("receipt, p50, ms", None, "receipt_ms_p50"),
        ("receipt, p99, ms", None, "receipt_ms_p99"),
        (
            "center, cores (computed: rooms with all that they send)",
            computed(costs, rooms)["center_cores"],
            "center_cores",
        ),
        ("broker, cores (computed: the same)", computed(costs, rooms)["mosquitto_cores"], "broker_cores"),
        ("commits a second (computed: the same)", computed(costs, rooms)["commits_per_s"], "commits_per_s"),
        ("the generator itself, cores", None, "rooms_cores"),
        ("… a status later than meant, p99, ms", None, "status_late_ms_p99"),
        ("other programs, cores", None, "other_cores"),
        ("events that were receipted and are not stored", 0.0, "receipted_and_not_stored"),
    )
    lines = [f"| `{said['command']}` | computed | measured |", "| --- | --- | --- |"]
    for what, expected, name in rows:
        measured = number(float(seen[name])) if name in seen else "to be measured"
        lines.append(f"| {what} | {'–' if expected is None else number(expected)} | {measured} |")
    return "\n".join(lines)


TABLES = {"costs": costs_table, "sizes": sizes_table, "walls": walls_table, "province": province_table}


def page_with(text: str, costs: UnitCosts) -> str:
    """The page with all of its tables; `ValueError` where a place for one is missing."""
    for name, make in TABLES.items():
        place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL).search(text)
        if place is None:
            raise ValueError(f"the page has no place for the table {name}")
        text = f"{text[: place.end(1)]}\n{make(costs)}\n\n{text[place.start(2) :]}"
    return text


def drawing(costs: UnitCosts) -> str:
    """The walls on an axis of rooms, as SVG."""
    walls = sorted(costs.said["walls"], key=lambda one: wall_rooms(costs, one))
    left, width, row, top = 330, 560, 34, 64
    height = top + row * len(walls) + 46

    def x(rooms: float) -> float:
        share = math.log10(min(max(rooms, LEAST), MOST) / LEAST) / math.log10(MOST / LEAST)
        return round(left + width * share, 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 40} {height}" role="img" '
        'font-family="sans-serif" font-size="14">',
        "<title>Where each wall stands, in rooms that are in session at once</title>",
        f'<rect width="{left + width + 40}" height="{height}" fill="#ffffff"/>',
    ]
    for size in costs.said["sizes"]:
        at = x(size["rooms"])
        parts.append(
            f'<line x1="{at}" y1="{top - 14}" x2="{at}" y2="{height - 40}" stroke="#b3261e" stroke-dasharray="4 4"/>'
        )
        parts.append(f'<text x="{at}" y="{top - 22}" text-anchor="middle" fill="#b3261e">{size["rooms"]:,}</text>')
    for place, wall in enumerate(walls):
        rooms, y = wall_rooms(costs, wall), top + row * place
        parts.append(
            f'<text x="{left - 12}" y="{y + 17}" text-anchor="end" fill="#202124">{escape(wall["name"])}</text>'
        )
        parts.append(f'<rect x="{left}" y="{y + 2}" width="{round(x(rooms) - left, 1)}" height="20" fill="#3b6ea5"/>')
        parts.append(f'<text x="{x(rooms) + 6}" y="{y + 17}" fill="#202124">{number(rooms)}</text>')
    for rooms in (10, 100, 1000, 10_000, 100_000):
        parts.append(f'<text x="{x(rooms)}" y="{height - 20}" text-anchor="middle" fill="#5f6368">{rooms:,}</text>')
    parts.append(f'<text x="{left}" y="{height - 4}" fill="#5f6368">rooms in session at once, one of each</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(arguments)
    costs = UnitCosts.read(COSTS)
    made = {PAGE: page_with(PAGE.read_text(encoding="utf-8"), costs), DRAWING: drawing(costs)}
    stale = [path for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        print(f"{path.relative_to(ROOT)} is stale: run tools/scale_table.py" if options.check else f"wrote {path.name}")
        if not options.check:
            path.write_text(made[path], encoding="utf-8")
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
