"""Fragments that we write ourselves: one coded picture alone (an access unit), or the samples of several joined.

Promises: a sample goes in and comes out byte for byte; times, sizes and composition offsets are those that were given.
Refuses, with `MediaError`, what does not fit the boxes. `sync.media.fmp4` reads what is written here.

A worker says before each picture when it was taken and coded (`WorkerStamps`), and the recorder says it in the live
copy (`StageStamps`), both in a box `uuid`, which every reader passes over who does not know it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from sync.errors import MediaError
from sync.runtime.units import NS_PER_S

KEY_FLAGS = 0x02000000
"""Of a sample that depends on no other."""
DELTA_FLAGS = 0x01010000
"""Of a sample that depends on others."""
_HEAD = struct.Struct(">I4s I4sII I4s I4sII I4sIQ I4sIIi")
_ROW = struct.Struct(">IIIi")
_MDAT = struct.Struct(">I4s")
_TFHD_ALONE = 0x020000
"""Positions count from the moof: the fragment stands alone."""
_TRUN_ALL = 1 << 24 | 0xF01
"""Version 1 (offsets with a sign), with duration, size, flags and offset of each sample."""
_STAMPS = struct.Struct(">I4s16sQQQ")
_STAGES = struct.Struct(">I4s16sII")
_STAMPS_ID = bytes.fromhex("6f2a6c1d9b3e4d5c8f0a7e21c4b95d13")
_STAGES_ID = bytes.fromhex("a1d4087e52c94b06b7c35f98e60d2a74")
_MOST_US = 0xFFFFFFFF
_MOST_NS = 100 * 366 * 24 * 3600 * NS_PER_S


class SampleRow(NamedTuple):
    """What a fragment says of one sample; times in ticks."""

    duration: int
    size: int
    flags: int
    offset: int
    """From when it is decoded to when it is shown."""


def pack_fragment(track_id: int, sequence: int, decode_time: int, rows: Sequence[SampleRow], data: bytes) -> bytes:
    """`moof` and `mdat` of these samples, which lie in `data` one after the other."""
    row_bytes = _ROW.size * len(rows)
    moof_bytes = _HEAD.size + row_bytes
    traf_bytes = moof_bytes - 24
    if sum(row.size for row in rows) != len(data):
        raise MediaError("a fragment's samples are not what it says of them")
    try:
        head = _HEAD.pack(
            *(moof_bytes, b"moof", 16, b"mfhd", 0, sequence & 0xFFFFFFFF, traf_bytes, b"traf"),
            *(16, b"tfhd", _TFHD_ALONE, track_id, 20, b"tfdt", 1 << 24, decode_time),
            *(20 + row_bytes, b"trun", _TRUN_ALL, len(rows), moof_bytes + _MDAT.size),
        )
        table = _ROW.pack(*rows[0]) if len(rows) == 1 else b"".join([_ROW.pack(*row) for row in rows])
        return head + table + _MDAT.pack(_MDAT.size + len(data), b"mdat") + data
    except struct.error as error:
        raise MediaError(f"a fragment does not fit an MP4 file: {error}") from error


@dataclass(frozen=True, slots=True)
class WorkerStamps:
    """When a picture was taken, as well as its worker knows, and when the worker handed it on (`CLOCK_MONOTONIC`)."""

    taken_ns: int
    coded_ns: int
    lost_ns: int = 0
    """So much was never taken between the picture before, as media time counts, and this one."""

    def pack(self) -> bytes:
        """The whole box, 48 bytes."""
        return _STAMPS.pack(_STAMPS.size, b"uuid", _STAMPS_ID, self.taken_ns, self.coded_ns, self.lost_ns)

    @classmethod
    def parse(cls, box: bytes) -> Self | None:
        """Read a whole `uuid` box; None where it is another's, `MediaError` for moments beyond a century."""
        if len(box) != _STAMPS.size:
            return None
        _, _, of, taken_ns, coded_ns, lost_ns = _STAMPS.unpack(box)
        if of != _STAMPS_ID:
            return None
        if max(taken_ns, coded_ns, lost_ns) > _MOST_NS:
            raise MediaError("a picture says a moment that no clock has")
        return cls(taken_ns, coded_ns, lost_ns)


@dataclass(frozen=True, slots=True)
class StageStamps:
    """How long after it was taken a picture left its worker, and the recorder: microseconds."""

    coded_us: int
    recorded_us: int

    def pack(self) -> bytes:
        """The whole box, 32 bytes; what is out of its bounds is its nearest bound."""
        times = (min(max(one, 0), _MOST_US) for one in (self.coded_us, self.recorded_us))
        return _STAGES.pack(_STAGES.size, b"uuid", _STAGES_ID, *times)

    @classmethod
    def of(cls, payload: bytes) -> Self | None:
        """Of a live fragment, at whose beginning they stand; None where it says none."""
        if len(payload) < _STAGES.size:
            return None
        size, name, of, coded_us, recorded_us = _STAGES.unpack_from(payload)
        return cls(coded_us, recorded_us) if (size, name, of) == (_STAGES.size, b"uuid", _STAGES_ID) else None
