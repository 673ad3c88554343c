"""Media time of one run of a source -> room time: sound cards and cameras drift, and what they say comes with jitter.

`ClockFit` collects observations "media up to here had been captured by then" and keeps the lower envelope of their
difference: jitter only ever delays. `TrackTime` applies it to one track: fixed when enough was seen, after that it
follows drift by at most 500 ppm, so neighbouring fragments fit together and no sample is ever altered.
"""

from __future__ import annotations

from bisect import insort
from collections import deque

from sync.errors import MediaError

MAX_SLOPE_PPM = 500
WINDOW_NS = 10_000_000_000
BUCKET_NS = 500_000_000
DEADBAND_NS = 2_000_000
"""Below this, fragments simply follow each other."""
PARTED_NS = 1_000_000_000
"""Further than this from the truth, a run is given up: following by 500 ppm would take half an hour."""


class ClockFit:
    """The clock of one run of a source; its tracks share it."""

    def __init__(self) -> None:
        self._buckets: deque[tuple[int, int]] = deque()
        self._lost: list[tuple[int, int]] = []
        self.observations = 0

    def observe(self, media_ns: int, room_ns: int) -> None:
        """Media up to `media_ns` (its end) had been captured at `room_ns`, or somewhat before."""
        offset_ns = room_ns - self.elapsed_ns(media_ns)
        bucket = room_ns // BUCKET_NS
        if self._buckets and self._buckets[-1][0] >= bucket:
            self._buckets[-1] = (self._buckets[-1][0], min(self._buckets[-1][1], offset_ns))
        else:
            self._buckets.append((bucket, offset_ns))
            while self._buckets[0][0] < bucket - WINDOW_NS // BUCKET_NS:
                self._buckets.popleft()
        self.observations += 1

    def lost(self, media_ns: int, by_ns: int) -> None:
        """After `media_ns`, samples worth `by_ns` never came: what follows was captured that much later."""
        insort(self._lost, (media_ns, by_ns))

    def elapsed_ns(self, media_ns: int) -> int:
        """Media time with the lost samples counted in."""
        return media_ns + sum(by_ns for at_ns, by_ns in self._lost if at_ns < media_ns)

    @property
    def offset_ns(self) -> int:
        """Room time minus elapsed media time, as good as it is known."""
        return min(offset_ns for _, offset_ns in self._buckets)


class TrackTime:
    """Room time of one track of a run. `stamp` is called with growing media times."""

    def __init__(self, fit: ClockFit, delay_ns: int, not_before_ns: int) -> None:
        """`delay_ns`: how much later than the clock's media time this track's own says the same (encoder priming).

        `not_before_ns`: where the track's run before this one ended; media never goes back behind it.
        """
        self._fit = fit
        self._delay_ns = delay_ns
        self._not_before_ns = not_before_ns
        self._offset_ns: int | None = None
        self._last_ns = 0
        self._following = False

    def stamp(self, media_ns: int) -> int:
        """Room time of `media_ns`; `MediaError` when the run's clock has parted from the room's."""
        own_ns = media_ns - self._delay_ns
        elapsed_ns = self._fit.elapsed_ns(own_ns)
        target_ns = self._fit.offset_ns
        if self._offset_ns is None:
            self._offset_ns = max(target_ns, self._not_before_ns - elapsed_ns)
        else:
            self._follow(target_ns, media_ns - self._last_ns)
        self._last_ns = media_ns
        return max(elapsed_ns + self._offset_ns, 0)

    def _follow(self, target_ns: int, passed_ns: int) -> None:
        assert self._offset_ns is not None
        error_ns = target_ns - self._offset_ns
        if abs(error_ns) > PARTED_NS:
            raise MediaError(f"媒体时间与法庭时间相差 {error_ns / 1e9:.1f} 秒，重新启动该设备")
        if abs(error_ns) > DEADBAND_NS:
            self._following = True
        if self._following:
            most_ns = max(passed_ns, 0) * MAX_SLOPE_PPM // 1_000_000
            self._offset_ns += max(-most_ns, min(most_ns, error_ns))
            self._following = abs(error_ns) > DEADBAND_NS // 4
