"""What was seen in one stretch of measuring, and the figures that are made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from wutong.bench.center.record_size import RecordSize
from wutong.bench.center.rooms.observed import CLAIM, OTHER_REQUEST, RECEIPT, UPLOAD, WITNESS
from wutong.bench.center.rooms.replayed_track import LATE
from wutong.bench.center.samples import SamplesReport
from wutong.bench.center.usage import BENCH, BROKER, CENTER, ROOMS, WALL, UsedBetween
from wutong.bench.center.wall_process import CAPTION, FRAGMENT, PING, THUMBNAIL

PERCENTILES = (50, 99)
DELAYS = (FRAGMENT, RECEIPT, THUMBNAIL, CAPTION, WITNESS, UPLOAD, CLAIM, PING, LATE)
"""What is told of each of these: its percentiles."""

Value = float | int | None


@dataclass(frozen=True, slots=True)
class MeasuredPoint:
    """One stretch. `rooms`, `watched` and `inspectors` are what went on in it."""

    rooms: int
    watched: int
    inspectors: int
    used: UsedBetween
    seen: SamplesReport
    pending_events: int
    before: RecordSize
    after: RecordSize

    @property
    def center_cores(self) -> float:
        """What it took of the processor."""
        return self.used.cores[CENTER]

    def figures(self) -> dict[str, Value]:
        """All figures of it; None for a delay of which nothing was seen."""
        over_s, counts, cores = self.used.seconds, self.seen["counts"], self.used.cores
        hearing_hours = self.rooms * over_s / 3600
        made: dict[str, Value] = {}
        for what in DELAYS:
            made |= percentiles(what, self.seen["ms"].get(what, []))
        made |= {
            "center_cores": round(self.center_cores, 3),
            "center_loop_cores": round(self.used.loop_cores, 3),
            "broker_cores": round(cores[BROKER], 3),
            "rooms_cores": round(cores[ROOMS], 3),
            "wall_cores": round(cores[WALL], 3),
            "bench_cores": round(cores[BENCH], 3),
            "other_cores": round(self.used.other_cores, 3),
            "center_rss_mib": round(self.used.center_rss_mib, 1),
            "events_per_s": round(counts.get("events", 0) / over_s, 2),
            "receipts_per_s": round(len(self.seen["ms"].get(RECEIPT, [])) / over_s, 2),
            "upload_mb_per_s": round((self.after.upload_bytes - self.before.upload_bytes) / over_s / 1e6, 3),
            "uploads_per_s": round(len(self.seen["ms"].get(UPLOAD, [])) / over_s, 2),
            "claims": len(self.seen["ms"].get(CLAIM, [])),
            "other_requests_per_s": round(len(self.seen["ms"].get(OTHER_REQUEST, [])) / over_s, 2),
            "witnessed": len(self.seen["ms"].get(WITNESS, [])),
            "fragments_per_s": round(len(self.seen["ms"].get(FRAGMENT, [])) / over_s, 2),
            "thumbnails_per_s": round(counts.get("thumbnails", 0) / over_s, 2),
            "captions_per_s": round(counts.get("captions", 0) / over_s, 2),
            "texts_per_s": round(counts.get("texts", 0) / over_s, 2),
            "events_not_receipted": self.pending_events,
            "requests_refused": sum(n for name, n in counts.items() if name.startswith("requests_")),
            "fragments_missing": counts.get("fragments_missing", 0),
            "losses_told": counts.get("losses_told", 0),
            "database_bytes_per_hearing_hour": round(
                (self.after.database_bytes - self.before.database_bytes) / hearing_hours
            ),
            "database_rows_per_hearing_hour": round((self.after.rows - self.before.rows) / hearing_hours),
            "seconds": round(over_s, 1),
        }
        return made


def percentiles(what: str, values: Sequence[float]) -> dict[str, Value]:
    """`<what>_p50` and `<what>_p99` in milliseconds; None where nothing was seen."""
    if not values:
        return {f"{what}_p{p}": None for p in PERCENTILES}
    found = np.percentile(np.array(values), PERCENTILES)
    return {f"{what}_p{p}": round(float(one), 2) for p, one in zip(PERCENTILES, found, strict=True)}


def needed(point: MeasuredPoint) -> list[str]:
    """The delays of which every run sees something, and this one did not: then it is no measurement."""
    wanted: Mapping[str, bool] = {
        RECEIPT: True,
        UPLOAD: True,
        PING: True,
        THUMBNAIL: point.inspectors > 0,
        FRAGMENT: point.watched > 0,
    }
    return [what for what, needs in wanted.items() if needs and not point.seen["ms"].get(what)]
