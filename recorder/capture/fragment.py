"""A stamped fragment: what the recorder keeps, publishes and caches; its media time is room time."""

from __future__ import annotations

from dataclasses import dataclass

from sync.media.fmp4 import Init


@dataclass(frozen=True, slots=True)
class WorkerRun:
    """One run of a track's worker: everything until it is restarted."""

    init_id: int
    init: Init


@dataclass(frozen=True, slots=True)
class StampedFragment:
    """One fragment on the room's time line; `data` is what goes to disk and to the air, byte for byte."""

    run: WorkerRun
    sequence: int
    data: bytes
    from_ns: int
    to_ns: int
    utc_ns: int
    key_frame: bool
    pictures: int = 0
    """How many samples it has."""
