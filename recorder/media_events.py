"""What the room's log is told of the media: which segments are complete, and what is missing.

Whatever closes a segment, the writer of a live track or the recovery after a crash, reports it here, and the file is
read back when its turn comes.
"""

from __future__ import annotations

import structlog

from recorder.context import RoomContext
from recorder.readback.monitor import ConfidenceMonitor
from recorder.storage.gaps import MissingSpan
from recorder.storage.recovery import segment_key
from recorder.storage.segment import ClosedSegment
from sync.record.bodies.media import GapBody, SegmentBody

log = structlog.get_logger(__name__)


class MediaEvents:
    """Writes the events of all tracks of a room."""

    def __init__(self, context: RoomContext, confidence_monitor: ConfidenceMonitor) -> None:
        self._context = context
        self._confidence_monitor = confidence_monitor

    def append_segment(self, track: str, hearing: str, segment: ClosedSegment) -> None:
        """Write that a segment is complete, and have it read back."""
        body: SegmentBody = {
            "track": track,
            "index": segment.index,
            "file": f"{track}/{segment.path.name}",
            "bytes": segment.bytes,
            "sha256": segment.sha256,
            "sm3": segment.sm3,
            "from_ns": segment.from_ns,
            "to_ns": segment.to_ns,
            "fragments": segment.fragments,
            "mime": segment.mime,
        }
        self._context.append_event("segment", body, hearing, segment_key(hearing, track, segment.index))
        self._confidence_monitor.closed(hearing, track, segment)

    def append_gap(self, track: str, missing: MissingSpan) -> None:
        """Write that something that was to be kept is not on disk."""
        log.warning("gap", track=track, ms=(missing.to_ns - missing.from_ns) / 1e6, why=missing.why)
        body: GapBody = {"track": track, "from_ns": missing.from_ns, "to_ns": missing.to_ns, "why": missing.why}
        key = f"gap/{missing.hearing}/{track}/{missing.from_ns}-{missing.to_ns}"
        self._context.append_event("gap", body, missing.hearing, key)
