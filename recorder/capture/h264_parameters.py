"""What an H.264 camera says of its picture in the stream itself: when that changes, the run's init tells it no more."""

from __future__ import annotations

from sync.media.fmp4 import Fragment, Init

_SPS = 7


def picture_parameters(fragment: Fragment, init: Init) -> bytes | None:
    """The sequence parameter sets inside the fragment's first picture; None when it carries none or is not H.264."""
    if init.kind != "video" or not init.table.codec.startswith("avc1") or not fragment.sizes:
        return None
    length_bytes = (init.table.config[4] & 3) + 1
    sample = next(fragment.samples())
    found = b""
    at = 0
    while at + length_bytes < len(sample):
        size = int.from_bytes(sample[at : at + length_bytes], "big")
        at += length_bytes
        if sample[at] & 31 == _SPS:
            found += sample[at : at + size]
        at += size
    return found or None
