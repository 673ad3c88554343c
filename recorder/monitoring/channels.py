"""Watches the microphones' levels: a channel that is digitally silent or clips is a defect that a person must know."""

from __future__ import annotations

import math
from collections import deque

from sync.runtime.units import NS_PER_S

FULL_SCALE = 32_768
FLOOR_DB = -90.0
SILENT_NS = 5 * NS_PER_S
CLIP_SHARE = 0.01
"""Fewer samples at full scale are a hard consonant close to the microphone, not a wrong gain."""
CLIP_REPORTS = 3
CLIP_WITHIN_NS = 2 * NS_PER_S
CLIP_HOLD_NS = 5 * NS_PER_S


def to_db(value: float) -> float:
    """16-bit units to dBFS, not below `FLOOR_DB`."""
    return FLOOR_DB if value <= 0 else round(max(20 * math.log10(value / FULL_SCALE), FLOOR_DB), 1)


class ChannelWatch:
    """Watches one microphone."""

    def __init__(self) -> None:
        self._heard_ns: int | None = None
        self._clips: deque[int] = deque(maxlen=CLIP_REPORTS)
        self.silent = False
        """Exact zeros for more than five seconds: a cable, a mute switch, a dead channel; a live one has noise."""
        self.clipping = False

    def update(self, peak: int, clipped: float, now_ns: int) -> None:
        """Take the peak and the share of samples at full scale of the last tenth of a second."""
        if peak > 0 or self._heard_ns is None:
            self._heard_ns = now_ns
        self.silent = now_ns - self._heard_ns > SILENT_NS
        if clipped >= CLIP_SHARE:
            self._clips.append(now_ns)
            if len(self._clips) == CLIP_REPORTS and now_ns - self._clips[0] <= CLIP_WITHIN_NS:
                self.clipping = True
        elif self._clips and now_ns - self._clips[-1] > CLIP_HOLD_NS:
            self.clipping = False
