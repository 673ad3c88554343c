"""The units of coded pictures (NAL units): as an encoder writes them, and as MP4 holds them.

An encoder puts a start code before each (H.264 and H.265, annex B); MP4 puts the length there (ISO/IEC 14496-15). What
is in a unit is the same bytes either way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from sync.errors import MediaError

LENGTH_BYTES = 4
"""Before each unit of what we write ourselves; what the libraries say in the init that they make."""
_START = b"\0\0\1"
_H264_SPS = 7
_H265_SPS = 33


def annex_b_units(data: bytes) -> list[bytes]:
    """The units of a stream with start codes. No unit ends with a zero: zeros at its end are the next start code's."""
    return [unit for part in data.split(_START)[1:] if (unit := part.rstrip(b"\0"))]


def length_prefixed(data: bytes) -> bytes:
    """A coded picture as MP4 holds it; `MediaError` where it has no start code."""
    units = annex_b_units(data)
    if not units:
        raise MediaError("a coded picture has no start code; restart its source")
    return b"".join(len(unit).to_bytes(LENGTH_BYTES, "big") + unit for unit in units)


def prefixed_units(sample: bytes, length_bytes: int) -> Iterator[bytes]:
    """The units of a sample of MP4; what is cut short at its end is left out."""
    at = 0
    while at + length_bytes <= len(sample):
        end = at + length_bytes + int.from_bytes(sample[at : at + length_bytes], "big")
        if end > len(sample):
            return
        if end > at + length_bytes:
            yield sample[at + length_bytes : end]
        at = end


def sequence_sets(units: Iterable[bytes], decoder: Literal["h264", "hevc"]) -> bytes:
    """The sequence parameter sets among the units of a picture, one after the other: size, order and form of what
    follows. Empty where it has none."""
    kind = _is_h264_sequence if decoder == "h264" else _is_h265_sequence
    return b"".join([unit for unit in units if unit and kind(unit)])


def _is_h264_sequence(unit: bytes) -> bool:
    return unit[0] & 31 == _H264_SPS


def _is_h265_sequence(unit: bytes) -> bool:
    return unit[0] >> 1 & 63 == _H265_SPS
