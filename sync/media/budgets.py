"""How much a media file may claim, whoever reads it: the work stays in proportion to the bytes."""

from __future__ import annotations

from sync.errors import MediaError

MAX_BOX_BYTES = 32 * 1024 * 1024
"""A fragment is 100-500 ms; nothing honest comes near."""
MAX_HEADER_BYTES = 1024 * 1024
"""Of an init segment with all that stands before it, and of what stands before the media of one fragment: both are
held in memory."""
MAX_BOXES = 64
"""Boxes in front of an init segment's `moov` or of one fragment's media."""
MAX_FRAGMENTS = 100_000
"""Of one file: more than three hours of the shortest."""
MAX_FILE_SAMPLES = 2_000_000
"""Of one file: three hours of 185 a second. Each is a step of this program, whatever it costs who made the file."""


def checked_samples(count: int) -> int:
    """How many samples a file has announced so far; `MediaError` when nothing honest has so many."""
    if count > MAX_FILE_SAMPLES:
        raise MediaError(f"a file announces more than {MAX_FILE_SAMPLES} samples; nothing honest does")
    return count


def checked_boxes(count: int) -> int:
    """How many boxes came without media between them; `MediaError` when nothing honest has so many."""
    if count > MAX_BOXES:
        raise MediaError(f"the media has more than {MAX_BOXES} boxes in a row that hold no media; restart its source")
    return count
