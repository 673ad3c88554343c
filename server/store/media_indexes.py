"""Where the fragments of a stored segment are, kept beside the objects: `indexes/ab/abcdef…`.

Made when a segment arrives, so that playback reads no file from end to end. It is what the bytes say and nothing else:
one that is lost or cannot be read is made again, so it is neither synced nor part of the record.
"""

from __future__ import annotations

import contextlib
import struct
import zlib
from pathlib import Path

from sync.errors import MediaError
from sync.media.budgets import MAX_FRAGMENTS, MAX_HEADER_BYTES
from sync.media.fmp4 import FileIndex, Indexed, parse_init
from sync.runtime.files.durable_files import replace_file

_FORM = b"WTX1"
_HEAD = struct.Struct(">4sIQI")
"""Form, bytes of the init segment, where the last whole fragment ends, how many fragments follow."""
_ROW = struct.Struct(">QIqq?q")
"""Of a fragment: where, bytes, from, to, whether it begins with a key frame, UTC (`_NO_UTC` for none)."""
_NO_UTC = -(2**63)


class MediaIndexes:
    """All methods block; call them off the event loop. Safe in several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, sha256: str, index: FileIndex) -> None:
        """Keep what was found in an object. A disk that is full is no harm: it is found again."""
        init = b"" if index.init is None else index.init.data
        try:
            rows = b"".join(
                _ROW.pack(f.offset, f.bytes, f.from_ns, f.to_ns, f.key_frame, _NO_UTC if f.utc_ns is None else f.utc_ns)
                for f in index.fragments
            )
            packed = _HEAD.pack(_FORM, len(init), index.end, len(index.fragments)) + init + rows
        except struct.error:
            return  # times beyond 64 bits: nobody will ask for them twice
        path = self._path(sha256)
        with contextlib.suppress(OSError):
            replace_file(path, zlib.compress(packed, 1), synced=False)

    def load(self, sha256: str) -> FileIndex | None:
        """What was kept of an object; None when there is nothing that can be read."""
        try:
            inflate = zlib.decompressobj()
            packed = inflate.decompress(
                self._path(sha256).read_bytes(), _HEAD.size + MAX_HEADER_BYTES + MAX_FRAGMENTS * _ROW.size
            )
            form, init_bytes, end, count = _HEAD.unpack_from(packed)
            init = packed[_HEAD.size : _HEAD.size + init_bytes]
            rows = packed[_HEAD.size + init_bytes :]
            if not inflate.eof or form != _FORM or len(init) != init_bytes or len(rows) != count * _ROW.size:
                return None
            fragments = [
                Indexed(at, size, from_ns, to_ns, key, None if utc_ns == _NO_UTC else utc_ns)
                for at, size, from_ns, to_ns, key, utc_ns in _ROW.iter_unpack(rows)
            ]
            return FileIndex(parse_init(init) if init else None, fragments, end)
        except (OSError, zlib.error, struct.error, MediaError):
            return None

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256
