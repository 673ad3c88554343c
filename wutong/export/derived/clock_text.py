"""A moment of a hearing as people read it."""

from __future__ import annotations

from sync.runtime.units import NS_PER_MS


def clock_text(ns: int, point: str = ".") -> str:
    """Time since the opening as `01:02:03.004`."""
    sign = "-" if ns < 0 else ""
    ms = abs(ns) // NS_PER_MS
    return f"{sign}{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}{point}{ms % 1000:03d}"
