"""How a benchmark is run in a folder of its own, and how its figures are printed: for people, or as JSON."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from sync.runtime.process.service import configure_logging
from wutong.terminal import terminal


def run(
    name: str,
    measure: Callable[[Path, Console], Coroutine[Any, Any, Mapping[str, Any]]],
    *,
    as_json: bool,
    show: Callable[[str, Mapping[str, Any]], None] | None = None,
) -> Mapping[str, Any]:
    """Measure in a temporary folder, with progress on stderr, and print the figures: for people by `show`, if any."""
    configure_logging("bench")
    with tempfile.TemporaryDirectory(prefix="wutong-bench-") as folder:
        figures = asyncio.run(measure(Path(folder), terminal(stderr=True)))
    if show is not None and not as_json:
        show(name, figures)
    else:
        print_figures(name, figures, as_json=as_json)
    return figures


def print_figures(name: str, figures: Mapping[str, Any], *, as_json: bool) -> None:
    """Print the figures of a benchmark on stdout; their names carry the units."""
    if as_json:
        print(json.dumps(figures, ensure_ascii=False))
        return
    table = Table(title=f"wutong bench {name}", show_header=False)
    for key, value in figures.items():
        table.add_row(key, "\n".join(map(str, value)) if isinstance(value, list) else str(value))
    terminal().print(table)
