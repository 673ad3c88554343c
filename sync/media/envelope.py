"""The fixed header before every binary live message, on MQTT and on the browsers' WebSockets alike.

    offset size  field         unit
    0      2     magic         b"WT"
    2      1     version       1
    3      1     kind          1 init, 2 fragment, 3 thumbnail (JPEG)
    4      1     flags         bit 0: begins with a key frame; bit 1: this fragment is also being kept on disk
    5      1     reserved      0
    6      4     init_id       which init segment the fragment belongs to; grows with each one of the track
    10     4     sequence      of this track, wraps at 2**32
    14     8     room_ns       start of the fragment on the room's time line, signed
    22     8     utc_ns        the same moment in UTC
    30     4     duration_us   microseconds
    34     ...   payload       init: MIME type (uint16 length + ASCII) + ftyp + moov; fragment: prft + moof + mdat; JPEG

All numbers are big-endian. On a browser's WebSocket the message is preceded by the address of its track: one byte of
length and UTF-8 `court/room/track` from the center, `track` alone from a room.
"""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass

from sync.errors import EnvelopeError
from sync.runtime.bounds.message_size import MAX_MESSAGE_BYTES

_HEADER = struct.Struct(">2sBBBBIIqqI")
_MAGIC = b"WT"
_VERSION = 1
HEADER_BYTES = _HEADER.size


class Kind(enum.IntEnum):
    """What the payload is."""

    INIT = 1
    FRAGMENT = 2
    THUMBNAIL = 3


@dataclass(frozen=True, slots=True)
class Envelope:
    """One live message. `room_ns` and `utc_ns` are the same moment: the start of the payload."""

    kind: Kind
    init_id: int
    sequence: int
    room_ns: int
    utc_ns: int
    duration_us: int
    payload: bytes
    key_frame: bool = False
    kept: bool = False

    @property
    def span_ns(self) -> tuple[int, int]:
        """Room time [from, to) of the payload."""
        return self.room_ns, self.room_ns + self.duration_us * 1000

    def pack(self) -> bytes:
        """The message as bytes."""
        flags = (1 if self.key_frame else 0) | (2 if self.kept else 0)
        return (
            _HEADER.pack(
                _MAGIC,
                _VERSION,
                self.kind,
                flags,
                0,
                self.init_id & 0xFFFFFFFF,
                self.sequence & 0xFFFFFFFF,
                self.room_ns,
                self.utc_ns,
                self.duration_us,
            )
            + self.payload
        )

    @classmethod
    def unpack(cls, message: bytes) -> Envelope:
        """Read a message; `EnvelopeError` for anything that `pack` cannot have made."""
        if not HEADER_BYTES <= len(message) <= MAX_MESSAGE_BYTES:
            raise EnvelopeError(f"a live message of {len(message)} bytes was dropped: its size is not possible")
        magic, version, kind, flags, _, init_id, sequence, room_ns, utc_ns, duration_us = _HEADER.unpack_from(message)
        if magic != _MAGIC or version != _VERSION:
            raise EnvelopeError("a live message was dropped: it is not of this protocol or of another version")
        try:
            kind = Kind(kind)
        except ValueError:
            raise EnvelopeError(f"a live message of unknown kind {kind} was dropped") from None
        return cls(
            kind=kind,
            init_id=init_id,
            sequence=sequence,
            room_ns=room_ns,
            utc_ns=utc_ns,
            duration_us=duration_us,
            payload=message[HEADER_BYTES:],
            key_frame=bool(flags & 1),
            kept=bool(flags & 2),
        )


def pack_init(mime: str, init_segment: bytes) -> bytes:
    """Payload of an init message: how a browser must open its SourceBuffer, then the segment itself."""
    name = mime.encode("ascii")
    return struct.pack(">H", len(name)) + name + init_segment


def unpack_init(payload: bytes) -> tuple[str, bytes]:
    """(MIME type, init segment) of an init message."""
    if len(payload) < 2:
        raise EnvelopeError("an init message was dropped: it is empty")
    (length,) = struct.unpack_from(">H", payload)
    if len(payload) < 2 + length:
        raise EnvelopeError("an init message was dropped: it is cut short")
    try:
        return payload[2 : 2 + length].decode("ascii"), payload[2 + length :]
    except UnicodeDecodeError:
        raise EnvelopeError("an init message was dropped: its media type is not text") from None


def address(track: str, message: bytes) -> bytes:
    """Precede a packed envelope with the address of its track, as browsers receive it."""
    name = track.encode("utf-8")
    if len(name) > 255:
        raise EnvelopeError(f"the track address {track!r} is longer than 255 bytes")
    return bytes((len(name),)) + name + message


def addressed_span_ns(packed: bytes) -> tuple[int, int]:
    """`Envelope.span_ns` of a message that is preceded by its address."""
    *_, room_ns, _, duration_us = _HEADER.unpack_from(packed, 1 + packed[0])
    return room_ns, room_ns + duration_us * 1000


def addressed_header(packed: bytes) -> bytes:
    """The header of a message that is preceded by its address: no two messages of a track have the same."""
    begin = 1 + packed[0]
    return packed[begin : begin + HEADER_BYTES]
