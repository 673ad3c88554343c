"""What one more room, watched track or inspector costs the center: slopes between points of one run.

    a  half of the rooms, nobody looks        one more room     (b - a) / rooms between them
    b  all of the rooms, nobody looks         one more tab      (c - b) / inspectors
    c  inspectors on the wall                 one more track    (d - c) / watched tracks
    d  and they watch

The points follow each other in one center, so what its memory grows by itself is in its slope, too. A machine that is
full (`other_cores`, or a center near one core) bends every slope: nothing is added to what cannot be served.
"""

from __future__ import annotations

from collections.abc import Sequence

from wutong.bench.center.point import MeasuredPoint, Value


def unit_costs(points: Sequence[MeasuredPoint]) -> dict[str, Value]:
    """Of the points a, b, c and d, in this order; without inspectors of a and b alone."""
    first, every = points[0], points[1]
    more = every.rooms - first.rooms
    made: dict[str, Value] = {
        "room_millicores": _milli(every.center_cores - first.center_cores, more),
        "room_mib": round((every.used.center_rss_mib - first.used.center_rss_mib) / more, 3),
    }
    if len(points) > 2:
        made["tab_millicores"] = _milli(points[2].center_cores - every.center_cores, points[2].inspectors)
    if len(points) > 3:
        made["track_millicores"] = _milli(points[3].center_cores - points[2].center_cores, points[3].watched)
    return made


def _milli(cores: float, by: int) -> float:
    return round(1000 * cores / by, 2)
