"""Where the system clock's UTC comes from: chrony tells it, or nobody does."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from sync.record.bodies.media import UtcSource

_ITSELF = ("00000000", "7F7F0101")
"""chrony's reference when it follows nothing, or declares its own clock good ("local")."""


@dataclass(frozen=True, slots=True)
class ClockSource:
    """`error_ms` bounds how far UTC may be off; None when nobody knows."""

    source: str = "free-running"
    error_ms: float | None = None

    def to_json(self) -> UtcSource:
        """What the status tells of it."""
        return {"source": self.source, "error_ms": self.error_ms}


def parse_tracking(text: str) -> ClockSource:
    """Read `chronyc -c tracking`: reference, stratum, offsets, root delay and dispersion in seconds."""
    fields = text.strip().split(",")
    try:
        leap, offset, delay, dispersion = fields[13], float(fields[4]), float(fields[10]), float(fields[11])
    except (IndexError, ValueError):
        return ClockSource()
    if leap == "Not synchronised" or fields[0] in _ITSELF:
        return ClockSource()
    return ClockSource("chrony", round((abs(offset) + dispersion + delay / 2) * 1000, 3))


async def query() -> ClockSource:
    """Ask chrony; free-running when it is not there."""
    try:
        process = await asyncio.create_subprocess_exec(
            "chronyc", "-c", "tracking", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
    except OSError:
        return ClockSource()
    try:
        out, _ = await asyncio.wait_for(process.communicate(), 2)
    except TimeoutError:
        return ClockSource()
    finally:  # also when nobody waits for it any more
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return parse_tracking(out.decode("ascii", "replace"))
