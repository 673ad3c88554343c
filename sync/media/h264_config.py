"""What a decoder of H.264 is told first (avcC, ISO/IEC 14496-15, 5.3.3), taken apart and put together again."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from sync.errors import MediaError
from sync.media.fmp4 import Init
from sync.media.sample_tables import children

_SPS = 7
_PATH = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1", b"avcC")
_BEFORE_BOXES = {b"stsd": 8, b"avc1": 78}
"""Bytes of a box's content before the boxes in it."""


def is_parameter_set(unit: bytes) -> bool:
    """Whether a unit of a picture is a sequence parameter set of H.264."""
    return unit[0] & 0x1F == _SPS


@dataclass(frozen=True, slots=True)
class H264Config:
    """An avcC box's content."""

    head: bytes
    """Version, profile, compatibility, level and the length of lengths."""
    sps: tuple[bytes, ...]
    rest: bytes
    """Picture parameter sets, and what profiles add behind them."""

    @property
    def length_bytes(self) -> int:
        """Bytes before each unit of a sample."""
        return (self.head[4] & 3) + 1

    @classmethod
    def parse(cls, config: bytes) -> Self:
        """`MediaError` where it is cut short."""
        if len(config) < 7 or config[0] != 1:
            raise MediaError("an H.264 description is cut short")
        at, sets = 6, []
        for _ in range(config[5] & 31):
            end = at + 2 + int.from_bytes(config[at : at + 2], "big")
            if end > len(config) or end <= at + 2:
                raise MediaError("an H.264 description is cut short")
            sets.append(config[at + 2 : end])
            at = end
        return cls(config[:5], tuple(sets), config[at:])

    def with_sps(self, sps: Sequence[bytes]) -> Self:
        """The same with other sequence parameter sets."""
        return replace(self, sps=tuple(sps))

    def pack(self) -> bytes:
        """The content of the box."""
        sets = b"".join(len(one).to_bytes(2, "big") + one for one in self.sps)
        return self.head + bytes([0xE0 | len(self.sps)]) + sets + self.rest


def with_config(init: Init, config: bytes) -> bytes:
    """The init segment with another description for its decoder (the content of its `avcC`), and otherwise the same."""

    def rebuilt(start: int, end: int, path: tuple[bytes, ...]) -> bytes:
        out = b""
        for name, at, stop in children(init.data, start, end):
            if not path or name != path[0]:
                content = init.data[at:stop]
            elif len(path) == 1:
                content = config
            else:
                skip = at + _BEFORE_BOXES.get(name, 0)
                content = init.data[at:skip] + rebuilt(skip, stop, path[1:])
            out += struct.pack(">I4s", 8 + len(content), name) + content
        return out

    return rebuilt(0, len(init.data), _PATH)
