"""`wutong report`: the center's audit and storage report as tables, or as one JSON object."""

from __future__ import annotations

import json

from rich.console import Console
from rich.table import Table

from server.config import Config
from server.inspection.report import report


def run(config: Config, console: Console, *, as_json: bool) -> None:
    """Print it."""
    found = report(config)
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    for what, title in (("days", "by day"), ("rooms", "by room")):
        table = Table(title=f"{found['center']} · {title}")
        for name in (what[:-1], "hearings", "open", "hours", "GiB", "gaps", "gap s"):
            table.add_column(name, justify="left" if name == what[:-1] else "right")
        if what == "days":
            table.add_column("audit", overflow="fold")
        for row in found[what]:
            cells = [row[what[:-1]], str(row["hearings"]), str(row["still_open"]), f"{row['hours']:.2f}"]
            cells += [f"{row['bytes'] / 2**30:.2f}", str(row["gaps"]), f"{row['gap_seconds']:.1f}"]
            if what == "days":
                cells.append("  ".join(f"{act} {count}" for act, count in row["audit"].items()))
            table.add_row(*cells)
        console.print(table)
    storage = found["storage"]
    console.print(
        f"stored: {storage['objects']} files, {storage['bytes'] / 2**30:.2f} GiB; "
        f"free: {storage['free_bytes'] / 2**30:.1f} GiB, reserve {storage['reserve_bytes'] / 2**30:.1f} GiB",
        highlight=False,
    )
