"""A stamped fragment: what the recorder publishes, and what it keeps; its media time is room time."""

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
    """One fragment on the room's time line; `data` is what goes to the air, or to disk, byte for byte.

    To the air goes each picture alone, to disk the samples of several (`recorder.capture.kept_fragment`). Each kind is
    numbered by itself.
    """

    run: WorkerRun
    sequence: int
    data: bytes
    from_ns: int
    to_ns: int
    utc_ns: int
    key_frame: bool
    pictures: int = 0
    """How many samples it has."""
