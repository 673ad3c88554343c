"""Fragments without media in them, for what looks at their times alone."""

from __future__ import annotations

from recorder.capture.fragment import StampedFragment, WorkerRun
from sync.media.fmp4 import Init
from sync.media.sample_tables import SampleTable

S = 1_000_000_000
RUN = WorkerRun(1, Init(b"", SampleTable("video", 90_000, "avc1.42c01e", b"", 0, 0, 0)))


def fragment(from_s: float, key: bool, length_s: float = 0.25, size: int = 1000) -> StampedFragment:
    """One that begins at `from_s`; `key`: with a key frame; `size` in bytes."""
    from_ns = int(from_s * S)
    return StampedFragment(RUN, int(from_s * 4), b"x" * size, from_ns, from_ns + int(length_s * S), from_ns, key)
