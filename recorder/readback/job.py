"""What a closed file of the record must be, as the process that reads it back is told."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel

Levels = list[tuple[float, float, float]]


class Job(BaseModel):
    """What the file must be.

    `seconds` and `signatures` are those of `recorder.monitoring.live_meters`; empty when nothing was metered.
    """

    path: Path
    kind: Literal["video", "audio"]
    bytes: int
    sha256: str
    from_ns: int
    to_ns: int
    fragments: int
    channels: list[str]
    """Who sits at each of the microphones; empty for the mix."""
    seconds: list[tuple[int, Levels]]
    signatures: list[tuple[int, str]]
