"""The greater part of a JSON object, encoded and compressed once, to which each answer adds its last fields.

Promises: an answer is one object, whole, in one gzip member or plain, whoever asks; nothing that a reader adds becomes
part of what is kept. Compressing lets other threads run, and nothing is encoded in one long call. Refuses: to judge who
may read it; what is kept under a key is for whoever the key is for (`server.store.kept_folds`).
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_RAW = -zlib.MAX_WBITS
_LEVEL = 2
"""Of a long hearing an eighth is left; more effort takes thrice the time for a tenth less."""
_AT_ONCE_BYTES = 64 * 1024


def encode(value: Any) -> bytes:
    """JSON as every answer of the center has it; `ValueError` for numbers that JSON does not know."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class EncodedPage:
    """`{"a":1,"b":2` as deflated blocks that end at a byte; it never changes."""

    _deflated: bytes
    _crc: int
    _size: int

    @classmethod
    def of(cls, pieces: Iterable[bytes]) -> EncodedPage:
        """Compress the pieces of an object that is still open; at least one field is in it."""
        packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW)
        packed: list[bytes] = []
        waiting: list[bytes] = []
        crc = size = waits = 0
        for piece in pieces:
            waiting.append(piece)
            waits += len(piece)
            if waits >= _AT_ONCE_BYTES:
                data = b"".join(waiting)
                crc, size = zlib.crc32(data, crc), size + waits
                packed.append(packer.compress(data))
                waiting, waits = [], 0
        data = b"".join(waiting)
        packed.append(packer.compress(data))
        # The blocks end at a byte, and what follows refers to nothing in them.
        packed.append(packer.flush(zlib.Z_FULL_FLUSH))
        return cls(b"".join(packed), zlib.crc32(data, crc), size + waits)

    @property
    def bytes_kept(self) -> int:
        """What it takes in memory."""
        return len(self._deflated) + 128

    def gzipped(self, more: Mapping[str, Any]) -> bytes:
        """The whole object with further fields, at least one, for who takes gzip."""
        tail = _tail(more)
        packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW)
        packed = packer.compress(tail) + packer.flush()
        end = struct.pack("<LL", zlib.crc32(tail, self._crc), (self._size + len(tail)) & 0xFFFFFFFF)
        return b"".join((_GZIP_HEAD, self._deflated, packed, end))

    def plain(self, more: Mapping[str, Any]) -> bytes:
        """The same for who does not; takes milliseconds, so call it in a thread."""
        return zlib.decompressobj(_RAW).decompress(self._deflated) + _tail(more)


def _tail(more: Mapping[str, Any]) -> bytes:
    return b"," + encode(more)[1:]
