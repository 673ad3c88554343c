"""The `prft` box before a fragment: which UTC a moment of its media time was (ISO/IEC 14496-12, 8.16.5).

We write version 1 with the flags 24: *the UTC of the event in the world* (16) that the sample shows, *in a lasting
relation to media time* (8); not that of an encoder or of a disk. `media_time` is the fragment's decode time, `ntp` the
room's clock map at that moment. Reading takes both versions and any flags.

UTC counts nanoseconds since 1970. NTP's seconds wrap in 2036: what has its highest bit clear is taken for 2036-2104.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Self

from sync.errors import MediaError
from sync.runtime.units import NS_PER_S

FLAGS = 24
NTP_TO_UNIX_S = 2_208_988_800
"""From 1900 to 1970."""
_ERA_S = 1 << 32


def to_ntp(utc_ns: int) -> int:
    """64 bits: seconds since 1900 (or 2036), and their fraction in units of 2^-32 s."""
    seconds, rest_ns = divmod(utc_ns, NS_PER_S)
    fraction = (rest_ns * _ERA_S + NS_PER_S // 2) // NS_PER_S
    return ((seconds + NTP_TO_UNIX_S) % _ERA_S) << 32 | fraction


def from_ntp(ntp: int) -> int:
    """UTC of 64 bits of NTP, to the nanosecond."""
    seconds, fraction = ntp >> 32, ntp & 0xFFFFFFFF
    seconds += 0 if seconds >= _ERA_S // 2 else _ERA_S
    return (seconds - NTP_TO_UNIX_S) * NS_PER_S + (fraction * NS_PER_S + _ERA_S // 2) // _ERA_S


@dataclass(frozen=True, slots=True)
class ReferenceTime:
    """What one `prft` box says."""

    track_id: int
    utc_ns: int
    media_time: int
    """In ticks of the track."""

    def pack(self) -> bytes:
        """The whole box, 32 bytes."""
        head = struct.pack(">I4sI", 32, b"prft", 1 << 24 | FLAGS)
        return head + struct.pack(">IQQ", self.track_id, to_ntp(self.utc_ns), self.media_time)

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read what follows the head of the box."""
        version = content[0] if content else 0
        form = ">4xIQQ" if version == 1 else ">4xIQI"
        if len(content) < struct.calcsize(form):
            raise MediaError("a prft box is cut short")
        track_id, ntp, media_time = struct.unpack_from(form, content)
        return cls(track_id, from_ntp(ntp), media_time)

    def utc_at(self, decode_time: int, timescale: int) -> int:
        """UTC of another moment of the same track, in ticks."""
        return self.utc_ns + ((decode_time - self.media_time) * NS_PER_S + timescale // 2) // timescale
