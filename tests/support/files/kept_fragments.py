"""Keeps a fragment in a segment at once, as the two threads of a track's writer do it together."""

from __future__ import annotations

from recorder.capture.fragment import StampedFragment
from recorder.storage.segment import SegmentFile


def keep(segment: SegmentFile, fragment: StampedFragment) -> None:
    """On disk and in the journal when this returns; `StorageError` when it could not be."""
    written = segment.write(fragment)
    segment.sync()
    segment.enter(written)
