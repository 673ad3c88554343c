"""What was heard and seen live, kept for a while, so that a file can be compared with it after it was written.

Sound: of each whole second of room time, the loudest peak, the mean level and the largest clipped share of every
channel. Pictures: a small gray signature of each key frame that was looked at. Bounded by `KEEP_NS`.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from sync.runtime.units import NS_PER_S

KEEP_NS = 720 * NS_PER_S
"""The longest segment that a profile allows, and the time until it is read back."""


@dataclass(slots=True)
class _Second:
    second: int
    reports: int
    channels: list[tuple[int, float, float]]
    """Of each channel: peak, sum of the mean squares, largest clipped share."""


class SoundMeters:
    """Meters all channels of the microphones."""

    def __init__(self) -> None:
        self._seconds: deque[_Second] = deque()

    def add(self, heard_ns: int, levels: list[tuple[int, float, float]]) -> None:
        """Levels (peak, rms, clipped) of about a tenth of a second that ended at `heard_ns`."""
        second = (heard_ns - 50_000_000) // NS_PER_S
        new = [(peak, rms * rms, clipped) for peak, rms, clipped in levels]
        last = self._seconds[-1] if self._seconds else None
        if last is not None and last.second == second and len(last.channels) == len(new):
            last.reports += 1
            last.channels = [
                (max(a[0], b[0]), a[1] + b[1], max(a[2], b[2])) for a, b in zip(last.channels, new, strict=True)
            ]
        else:
            self._seconds.append(_Second(second, 1, new))
        while (second - self._seconds[0].second) * NS_PER_S > KEEP_NS:
            self._seconds.popleft()

    def between(self, from_ns: int, to_ns: int) -> list[tuple[int, list[tuple[float, float, float]]]]:
        """`(second, [(peak, rms, clipped), …])` of a stretch and a second on both sides of it."""
        first, last = from_ns // NS_PER_S - 1, to_ns // NS_PER_S + 1
        return [
            (s.second, [(peak, round(math.sqrt(sum_ / s.reports), 2), clip) for peak, sum_, clip in s.channels])
            for s in self._seconds
            if first <= s.second <= last
        ]


class PictureMeters:
    """Meters one camera."""

    def __init__(self) -> None:
        self._signatures: deque[tuple[int, bytes]] = deque()

    def add(self, from_ns: int, signature: bytes) -> None:
        """What the key frame of the fragment at `from_ns` looked like (`recorder.monitoring.picture.signature`)."""
        self._signatures.append((from_ns, signature))
        while from_ns - self._signatures[0][0] > KEEP_NS:
            self._signatures.popleft()

    def between(self, from_ns: int, to_ns: int) -> list[tuple[int, str]]:
        """`(from_ns, signature in hex)` of a stretch."""
        return [(at, seen.hex()) for at, seen in self._signatures if from_ns <= at < to_ns]
