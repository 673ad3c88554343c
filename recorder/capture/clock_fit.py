"""Media time of one run of a source -> room time: sound cards and cameras drift, and what they say comes with jitter.

`ClockFit` collects observations "media up to here had been captured by then" and lays a line below them: jitter only
ever delays, so the earliest are nearest to the truth, and the line's slope is the drift of the device. `TrackTime`
applies it to one track: fixed when enough was seen, after that it follows by at most 500 ppm, so neighboring
fragments fit together and no sample is ever altered.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Sequence

from sync.errors import MediaError

MAX_SLOPE_PPM = 500
BUCKET_NS = 2_000_000_000
LINE_BUCKETS = 60
"""Two minutes under one line: a burst of delays that is shorter than half of it moves nothing."""
SLOPE_BUCKETS = 15
"""With fewer, jitter would pass for drift: then the line is level ..."""
LEVEL_BUCKETS = 5
"""... and lies below the last ten seconds only, in which 200 ppm make 2 ms."""
DEADBAND_NS = 2_000_000
"""Below this, fragments simply follow each other."""
LOST_KEPT_NS = 60_000_000_000
"""Losses are remembered one by one for so long: a card that overruns all day must not cost ever more."""
PARTED_NS = 1_000_000_000
"""Further than this from the truth, a run is given up: following by 500 ppm would take half an hour."""
EARLY_NS = 100_000_000
"""Media that comes this much earlier than it can have been captured: the run was judged while everything was late, or
its time stamps have leapt. Pictures may then catch up faster than drift: 0.1 s takes 5 s, and no frame is overtaken."""
CATCH_UP_PPM = 20_000

WRONG_RATE = 0.005
"""No clock of a device is off by that much: one that is counts at another rate than it was asked for."""
STEADY = 0.5
"""It is off steadily where each half of what was seen is so by at least this share of the whole; a leap is in one."""

Point = tuple[int, int]
"""(room time, room time minus elapsed media time) of an observation."""


def line_below(points: Sequence[Point]) -> tuple[int, float]:
    """(offset at the last point, slope) of the line below all points, in the order of time, that is nearest to them.

    Of all lines with no point below them, the sum of distances is least for the edge of the lower convex hull over
    the mean of the times. The slope is a number (ns per ns), within `MAX_SLOPE_PPM`.
    """
    hull: list[Point] = []
    for point in points:
        while len(hull) > 1 and _above(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    mean = sum(t for t, _ in points) / len(points)
    right = next((i for i, (t, _) in enumerate(hull) if t >= mean), len(hull) - 1)
    slope = 0.0
    if right:
        (t0, y0), (t1, y1) = hull[right - 1], hull[right]
        slope = (y1 - y0) / (t1 - t0)
    most = MAX_SLOPE_PPM / 1e6
    slope = max(-most, min(most, slope))
    last_ns = points[-1][0]
    return min(y + round(slope * (last_ns - t)) for t, y in hull), slope


def _above(a: Point, b: Point, c: Point) -> bool:
    """b is on or above the line from a to c."""
    return (b[1] - a[1]) * (c[0] - a[0]) >= (c[1] - a[1]) * (b[0] - a[0])


class ClockFit:
    """The clock of one run of a source; its tracks share it."""

    def __init__(self) -> None:
        self._points: deque[Point] = deque()
        """The earliest observation of each bucket."""
        self._lost: list[tuple[int, int]] = []
        self._lost_before_ns = 0
        """Sum of the losses that lie further back than anything that is still stamped."""
        self._line: tuple[int, int, float] | None = None
        self._now_ns = 0
        self.observations = 0

    def observe(self, media_ns: int, room_ns: int) -> None:
        """Media up to `media_ns` (its end) had been captured at `room_ns`, or somewhat before."""
        while self._lost and self._lost[0][0] < media_ns - LOST_KEPT_NS:
            self._lost_before_ns += self._lost.pop(0)[1]
        point = (room_ns, room_ns - self.elapsed_ns(media_ns))
        points = self._points
        self._now_ns = max(self._now_ns, room_ns)
        self.observations += 1
        if points and room_ns // BUCKET_NS <= points[-1][0] // BUCKET_NS:
            if point[1] >= points[-1][1]:
                return
            # One that is late in line keeps its place in time: points are in the order of time.
            points[-1] = (max(room_ns, points[-1][0]), point[1])
            if self._line is not None and point[1] < self._at(points[-1][0]):
                self._line = None
            return
        points.append(point)
        while points[0][0] // BUCKET_NS <= room_ns // BUCKET_NS - LINE_BUCKETS:
            points.popleft()
        self._line = None

    def lost(self, media_ns: int, by_ns: int) -> None:
        """After `media_ns`, samples worth `by_ns` never came: what follows was captured that much later."""
        insort(self._lost, (media_ns, by_ns))

    def elapsed_ns(self, media_ns: int) -> int:
        """Media time with the lost samples counted in."""
        return media_ns + self._lost_before_ns + sum(by_ns for at_ns, by_ns in self._lost if at_ns < media_ns)

    @property
    def offset_ns(self) -> int:
        """Room time minus elapsed media time now, as good as it is known."""
        return self._at(self._now_ns)

    @property
    def rate_off(self) -> float | None:
        """How much too fast (as a share) the device counts, where that is steady and more than a clock can be off."""
        points = self._points
        if len(points) < 4:
            return None
        first, middle, last = points[0], points[len(points) // 2], points[-1]
        whole, *halves = (-(b[1] - a[1]) / (b[0] - a[0]) for a, b in ((first, last), (first, middle), (middle, last)))
        steady = abs(whole) > WRONG_RATE and all(half / whole > STEADY for half in halves)
        return whole if steady else None

    def _at(self, room_ns: int) -> int:
        at_ns, offset_ns, slope = self._fitted()
        return offset_ns + round(slope * (room_ns - at_ns))

    def _fitted(self) -> tuple[int, int, float]:
        if self._line is None:
            last_ns = self._points[-1][0]
            if len(self._points) < SLOPE_BUCKETS:
                recent = [y for t, y in self._points if t > last_ns - LEVEL_BUCKETS * BUCKET_NS]
                self._line = (last_ns, min(recent), 0.0)
            else:
                self._line = (last_ns, *line_below(self._points))
        return self._line


class TrackTime:
    """Room time of one track of a run. `stamp` is called with growing media times."""

    def __init__(self, fit: ClockFit, delay_ns: int, not_before_ns: int, *, pictures_late: bool = False) -> None:
        """`delay_ns`: how much later than the clock's media time this track's own says the same (encoder priming).

        `not_before_ns`: where the track's run before this one ended; media never goes back behind it.
        `pictures_late`: these are pictures of which only the arrival tells the time; they may catch up.
        """
        self._fit = fit
        self._delay_ns = delay_ns
        self._not_before_ns = not_before_ns
        self._hurry_ppm = CATCH_UP_PPM if pictures_late else MAX_SLOPE_PPM
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
            off = self._fit.rate_off
            if off is not None:
                pace = f"{'快' if off > 0 else '慢'} {abs(off):.1%}"
                raise MediaError(f"设备的媒体时间比实际{pace}，采样率或帧率与设定不符，请检查设备设置", code="rate")
            raise MediaError(f"媒体时间与法庭时间相差 {error_ns / 1e9:.1f} 秒，重新启动该设备")
        if abs(error_ns) > DEADBAND_NS:
            self._following = True
        if self._following:
            ppm = self._hurry_ppm if error_ns < -EARLY_NS else MAX_SLOPE_PPM
            most_ns = max(passed_ns, 0) * ppm // 1_000_000
            self._offset_ns += max(-most_ns, min(most_ns, error_ns))
            self._following = abs(error_ns) > DEADBAND_NS // 4
