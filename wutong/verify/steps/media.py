"""Step 8: every segment of the leaves is here with its SHA-256 and SM3, no other is, and the fragments inside of it lie
in the time that its leaf says."""

from __future__ import annotations

import os
from collections.abc import Iterator

from sync.record.timeline import Segment
from wutong.verify.case import ExportCase
from wutong.verify.scan import FileFact
from wutong.verify.verdict import Reason, false, remark

TOLERANCE_NS = 2_000_000
"""The leaf's times are those of the fragments, rounded to the track's ticks and back."""


def run(case: ExportCase) -> Iterator[Reason]:
    """Reasons `media-missing`, `media-differs`, `media-extra`, `media-broken`, `media-time`; remark `media-sm3`."""
    if "media-path" in case.trouble or (case.hearing is not None and not case.segments and case.hearing.segments):
        yield false("path", case.trouble.get("media-path", ""))
    for name, segment in case.segments.items():
        fact = case.media.get(name)
        if fact is None:
            yield false("media-missing", name)
        elif fact.error:
            yield false("media-broken", name, fact.error)
        else:
            yield from _one(name, segment, fact)
    without = [name for name, segment in case.segments.items() if not segment.sm3]
    if without:
        yield remark("media-sm3", f"{without[0]} (+{len(without) - 1})")
    yield from _others(case)


def _one(name: str, segment: Segment, fact: FileFact) -> Iterator[Reason]:
    if fact.sha256 != segment.sha256 or fact.bytes != segment.bytes:
        yield false("media-differs", name, "SHA-256")
    elif segment.sm3 and fact.sm3 != segment.sm3:
        yield false("media-differs", name, "SM3")
    elif fact.walk_error:
        yield false("media-broken", name, fact.walk_error)
    elif not _in_time(segment, fact):
        yield false("media-time", name)


def _in_time(segment: Segment, fact: FileFact) -> bool:
    first = min(start for start, _ in fact.spans)
    last = max(end for _, end in fact.spans)
    return abs(first - segment.from_ns) <= TOLERANCE_NS and abs(last - segment.to_ns) <= TOLERANCE_NS


def _others(case: ExportCase) -> Iterator[Reason]:
    listed = {} if case.index is None else {f.path: f for f in case.index.files if f.path.startswith("media/")}
    for name in sorted(set(listed) - set(case.segments)):
        if os.path.lexists(case.path(name)):
            yield false("media-extra", name)
    for name, segment in case.segments.items():
        entry = listed.get(name)
        if entry is not None and (entry.sha256, entry.bytes) != (segment.sha256, segment.bytes):
            yield false("file-differs", name)
