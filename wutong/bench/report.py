"""How figures are printed: a table for people, one JSON object for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table


def print_figures(name: str, figures: Mapping[str, Any], *, as_json: bool) -> None:
    """Print the figures of a benchmark on stdout; their names carry the units."""
    if as_json:
        print(json.dumps(figures, ensure_ascii=False))
        return
    table = Table(title=f"wutong bench {name}", show_header=False)
    for key, value in figures.items():
        table.add_row(key, str(value))
    Console().print(table)
