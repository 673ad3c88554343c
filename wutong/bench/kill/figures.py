"""What `wutong bench kill` publishes, computed from the finished files and the log alone.

Not from what the recorder says of itself: what was captured before a kill and is on no disk, when the next sample is,
and whether the declared gaps are the real ones.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from sync.media.fmp4 import Indexed, index_file
from sync.record.hearing import Hearing
from wutong.bench.kill.deaths import Acknowledged, Death
from wutong.bench.live.measure import machine
from wutong.bench.room import HEARING, TRACKS, BenchRoom

JOIN_NS = 20_000_000
"""Fragments closer than this follow each other: the rounding of media time and of drift."""
PICTURE = ("bench",)


def figures(room: BenchRoom, view: Hearing, deaths: list[Death], seen: Acknowledged) -> dict[str, Any]:
    """The published figures, from the files and the log."""
    kept: dict[str, list[Indexed]] = {track: [] for track in TRACKS}
    found: set[tuple[str, str]] = set()
    altered = 0
    for segment in view.segments:
        path = room.layout.hearing(HEARING) / segment.file
        data = path.read_bytes()
        altered += hashlib.sha256(data).hexdigest() != segment.sha256
        for one in index_file(path).fragments:
            kept[segment.track].append(one)
            found.add((segment.track, hashlib.sha256(data[one.offset : one.offset + one.bytes]).hexdigest()))
    now = {event.number: json.dumps(event.to_json(), sort_keys=True) for event in room.log.of_hearing(HEARING)}
    of_hearing = {n: text for n, text in seen.events.items() if json.loads(text)["hearing"] == HEARING}
    lost_events = [n for n, text in of_hearing.items() if now.get(n) != text]
    lost_ms = [0.0]
    again_s: dict[str, list[tuple[float, str]]] = {"picture": [], "sound": []}
    for death in deaths:
        for track in death.tracks:
            before = [f.to_ns for f in kept[track] if f.to_ns <= death.at_ns + JOIN_NS]
            after = [f.from_ns for f in kept[track] if f.from_ns > death.at_ns - JOIN_NS]
            lost_ms.append(max(death.at_ns - max(before, default=view.opened_ns), 0) / 1e6)
            kind = "picture" if track in PICTURE else "sound"
            again_s[kind].append(((min(after, default=view.closed_ns or 0) - death.at_ns) / 1e9, death.what))
    again = sorted([*again_s["picture"], *again_s["sound"]]) or [(0.0, "")]
    undeclared_ms, false_ms, real = _compare(view, kept)
    return {
        "times": len(deaths),
        "media_lost_ms_max": round(max(lost_ms), 1),
        "media_lost_ms_median": round(sorted(lost_ms)[len(lost_ms) // 2], 1),
        "acknowledged_fragments": len(seen.fragments),
        "acknowledged_events": len(seen.events),
        "acknowledged_lost": len(seen.fragments - found) + len(lost_events) + altered,
        "recording_again_s_max": round(again[-1][0], 2),
        "recording_again_s_median": round(again[len(again) // 2][0], 2),
        "slowest_after": again[-1][1],
        "again_s_p50_and_max": [
            f"{kind} after {what}: {values[len(values) // 2]:.2f} / {values[-1]:.2f}"
            for kind, found_s in again_s.items()
            for what in dict.fromkeys(what for _, what in found_s)
            if (values := sorted(s for s, one in found_s if one == what))
        ],
        "gaps_real": real,
        "gaps_declared": len(view.gaps),
        "gaps_undeclared_ms": round(undeclared_ms, 1),
        "gaps_false_ms": round(false_ms, 1),
        "killed_while_writing": sum(death.writing for death in deaths),
        "orphans": sum(death.orphans for death in deaths),
        "utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
    }


def _compare(view: Hearing, kept: dict[str, list[Indexed]]) -> tuple[float, float, int]:
    """(ms that are missing and not declared, ms that are declared missing and are there, number of real gaps)."""
    undeclared_ns = false_ns = real = 0
    for track, fragments in kept.items():
        there = _merged([(f.from_ns, f.to_ns) for f in fragments])
        ends = [(0, view.opened_ns), *there, (view.closed_ns or 0, 1 << 62)]
        holes = [(a[1], b[0]) for a, b in pairwise(_merged(ends)) if b[0] - a[1] > JOIN_NS]
        declared = _merged([(g.from_ns, g.to_ns or g.from_ns) for g in view.gaps if g.track == track])
        real += len(holes)
        undeclared_ns += sum(to - at - _shared((at, to), declared) for at, to in holes)
        false_ns += sum(_shared(span, there) for span in declared)
    return undeclared_ns / 1e6, false_ns / 1e6, real


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for from_ns, to_ns in sorted(spans):
        if merged and from_ns <= merged[-1][1] + JOIN_NS:
            merged[-1] = (merged[-1][0], max(merged[-1][1], to_ns))
        else:
            merged.append((from_ns, to_ns))
    return merged


def _shared(span: tuple[int, int], others: list[tuple[int, int]]) -> int:
    return sum(max(min(span[1], to_ns) - max(span[0], from_ns), 0) for from_ns, to_ns in others)
