"""What a camera says of its picture in the stream itself: when that changes, the run's init tells it no more."""

from __future__ import annotations

from sync.media.fmp4 import Fragment, Init

_H264_SPS = 7
_H265_SPS = 33


def picture_parameters(fragment: Fragment, init: Init) -> bytes | None:
    """The sequence parameter sets inside the fragment's first picture; None when it carries none, or is no picture."""
    if init.kind != "video" or not fragment.sizes:
        return None
    h264 = init.decoder == "h264"
    length_bytes = (init.table.config[4 if h264 else 21] & 3) + 1
    sample = next(fragment.samples())
    found = b""
    at = 0
    while at + length_bytes < len(sample):
        size = int.from_bytes(sample[at : at + length_bytes], "big")
        at += length_bytes
        if (sample[at] & 31 == _H264_SPS) if h264 else (sample[at] >> 1 & 63 == _H265_SPS):
            found += sample[at : at + size]
        at += size
    return found or None
