"""Where the commands print: names of courts, cases and files are shown as they are, whatever brackets they have."""

from __future__ import annotations

from typing import Any

from rich.console import Console


def terminal(**options: Any) -> Console:
    """A console that takes no text for markup; `options` are rich's."""
    return Console(markup=False, **options)
