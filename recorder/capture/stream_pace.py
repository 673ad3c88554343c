"""What a track's fragments say of its stream: pictures a second and the distance of key frames, measured.

The profile's rate is what was asked for, not what comes: a camera in the dark or behind a full USB bus sends fewer.
"""

from __future__ import annotations

from collections import deque

from sync.runtime.units import NS_PER_S

LONG_KEYS_S = 5
"""Key frames that are further apart keep whoever begins waiting."""
WINDOW_NS = 6 * NS_PER_S
LEAST_NS = 2 * NS_PER_S
SLOW_SHARE = 0.8
"""Below this share of the rate that was asked for, it is said."""
CLEAR_SHARE = 0.9
"""What was said holds until this share is reached: a rate beside the one limit would come and go all day."""


class StreamPace:
    """The pace of one video track; `add` is called with each fragment in its order."""

    def __init__(self) -> None:
        self._recent: deque[tuple[int, int, int]] = deque()
        """Of each fragment of the window: its begin, its end, its pictures."""
        self._key_ns: int | None = None
        self._apart_ns: int | None = None
        self._said = False

    def add(self, from_ns: int, to_ns: int, pictures: int, *, key_frame: bool) -> None:
        """One fragment."""
        recent = self._recent
        if recent and abs(from_ns - recent[-1][1]) > NS_PER_S:  # another run
            recent.clear()
            self._key_ns = None
        recent.append((from_ns, to_ns, pictures))
        while len(recent) > 1 and to_ns - recent[0][0] > WINDOW_NS:
            recent.popleft()
        if key_frame:
            if self._key_ns is not None:
                self._apart_ns = from_ns - self._key_ns
            self._key_ns = from_ns
        elif self._key_ns is not None and to_ns - self._key_ns > (self._apart_ns or 0):
            self._apart_ns = to_ns - self._key_ns

    @property
    def fps(self) -> float | None:
        """Pictures a second; None while too little was seen."""
        span_ns = sum(to_ns - from_ns for from_ns, to_ns, _ in self._recent)
        if span_ns < LEAST_NS:
            return None
        return round(sum(pictures for *_, pictures in self._recent) * NS_PER_S / span_ns, 1)

    @property
    def key_s(self) -> float | None:
        """From one key frame to the next, or since the last one where that is longer; None before any."""
        return None if self._apart_ns is None else round(self._apart_ns / NS_PER_S, 1)

    @property
    def long_keys_s(self) -> int | None:
        """How far apart key frames are that keep whoever begins waiting, to the nearest five seconds; else None."""
        apart_s = self.key_s
        return None if apart_s is None or apart_s < LONG_KEYS_S else round(apart_s / LONG_KEYS_S) * LONG_KEYS_S

    def too_slow(self, asked_fps: int | None) -> bool:
        """Whether far fewer pictures come than were asked for; as before while too little was seen."""
        fps = self.fps
        if asked_fps is not None and fps is not None:
            self._said = fps < (CLEAR_SHARE if self._said else SLOW_SHARE) * asked_fps
        return self._said
