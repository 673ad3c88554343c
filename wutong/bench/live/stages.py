"""What each stage of a live picture costs, as far as the room itself knows: from the moment at which it was taken.

`coded`: it left its worker. `recorded`: it left the recorder. `fed`: whoever listens to the recorder's feed has it, as
the uplink does. All by the clock of the room, which the picture's own time is on. Later stages are seen by others.
"""

from __future__ import annotations

import contextlib
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sync.errors import EnvelopeError
from sync.media.access_unit import StageStamps
from sync.media.envelope import Envelope
from sync.room.clock import RoomClock
from sync.room.feed import FeedClient
from sync.room.paths import RoomPaths

MOST = 90_000
"""An hour at 25 pictures a second; of what was before nothing is kept."""


def _times() -> deque[float]:
    return deque(maxlen=MOST)


@dataclass
class RoomStages:
    """What was seen of one track; milliseconds."""

    coded: deque[float] = field(default_factory=_times)
    recorded: deque[float] = field(default_factory=_times)
    fed: deque[float] = field(default_factory=_times)

    async def listen(self, data: Path, track: str) -> None:
        """For ever; `data` is the room's folder."""
        paths = RoomPaths(data)
        clock = RoomClock.open(paths.clock)
        async for _, message in FeedClient(paths.feed("recorder"), [f"frag/{track}"]).messages():
            with contextlib.suppress(EnvelopeError):
                self.take(Envelope.unpack(message), clock.now_ns())

    def take(self, envelope: Envelope, now_ns: int) -> None:
        """One picture that came at a moment of room time."""
        said = StageStamps.of(envelope.payload)
        if said is not None:
            self.coded.append(said.coded_us / 1e3)
            self.recorded.append(said.recorded_us / 1e3)
            self.fed.append((now_ns - envelope.room_ns) / 1e6)

    def figures(self) -> dict[str, dict[str, float]]:
        """p50 and p95 of each; empty when no picture said anything."""
        seen = {"coded": self.coded, "recorded": self.recorded, "fed": self.fed}
        return {
            name: {f"p{part}": round(float(np.percentile(ms, part)), 1) for part in (50, 95)}
            for name, ms in seen.items()
            if ms
        }
