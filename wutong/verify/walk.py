"""The boxes of a segment while it is hashed: where its fragments lie in time, without keeping any media.

Bytes in any cut; a `moof` is kept until it is read, an `mdat` is only counted. Refuses, with `MediaError`, what the
recorder cannot have written: other boxes, boxes whose sizes do not add up, a fragment without its description, and
whatever is beyond the budgets of `sync.media.budgets`. So the work is in proportion to the bytes, whoever wrote them.
"""

from __future__ import annotations

import struct

from sync.errors import MediaError
from sync.media.budgets import MAX_BOX_BYTES, MAX_FRAGMENTS, MAX_HEADER_BYTES, checked_boxes, checked_samples
from sync.media.fmp4 import Init, parse_init, to_ns
from sync.media.prft import ReferenceTime
from sync.media.sample_tables import FragmentSamples, parse_fragment_samples

JOIN_NS = 10_000_000
"""Smaller holes are the rounding of media time; the recorder declares none of them either."""
_SKIPPED = {b"styp", b"emsg", b"sidx", b"free", b"skip", b"mfra", b"uuid", b"ssix", b"meta", b"mdat"}
_READ = {b"ftyp", b"moov", b"moof", b"prft"}


class FragmentWalk:
    """One file. Used by one thread."""

    def __init__(self) -> None:
        self.init: Init | None = None
        self.fragments = 0
        self.spans: list[tuple[int, int]] = []
        """Room time that has media, joined over holes below `JOIN_NS`."""
        self.utc: tuple[int, int] | None = None
        """(room time, UTC) of the first fragment that says its UTC."""
        self._head = bytearray()
        self._box = bytearray()
        self._name = b""
        self._left = 0
        self._size = 0
        self._boxes = 0
        self._announced = 0
        self._ftyp = b""
        self._samples: FragmentSamples | None = None
        self._reference: ReferenceTime | None = None

    def feed(self, data: memoryview) -> None:
        """The next bytes."""
        at = 0
        while at < len(data):
            if not self._left:
                at += self._take_head(data, at)
                continue
            count = min(self._left, len(data) - at)
            if self._name in _READ:
                self._box += data[at : at + count]
            at += count
            self._left -= count
            if not self._left:
                self._end_box()

    def close(self) -> None:
        """The file is over; `MediaError` when it ends inside of a box."""
        if self._left or self._head or self._samples is not None:
            raise MediaError("the file ends in the middle of a fragment")
        if self.init is None or not self.fragments:
            raise MediaError("the file holds no fragment")

    def _take_head(self, data: memoryview, at: int) -> int:
        wanted = 16 if self._head[:4] == b"\0\0\0\1" else 8
        taken = bytes(data[at : at + wanted - len(self._head)])
        self._head += taken
        if len(self._head) == 8 and self._head[:4] == b"\0\0\0\1":
            return len(taken)
        if len(self._head) < wanted:
            return len(taken)
        size = struct.unpack(">I", self._head[:4])[0] if wanted == 8 else struct.unpack(">Q", self._head[8:])[0]
        self._name = bytes(self._head[4:8])
        if self._name not in _READ | _SKIPPED:
            raise MediaError(f"a box {self._name!r} where a segment has none")
        if not wanted <= size <= (MAX_HEADER_BYTES if self._name in _READ else MAX_BOX_BYTES):
            raise MediaError(f"a box of {size} bytes is not possible")
        self._boxes = 0 if self._name in (b"moov", b"mdat") else checked_boxes(self._boxes + 1)
        self._left = self._size = size - wanted
        self._box = bytearray(self._head)
        self._head.clear()
        if not self._left:
            self._end_box()
        return len(taken)

    def _end_box(self) -> None:
        box, head = bytes(self._box), 16 if self._box[:4] == b"\0\0\0\1" else 8
        if self._name == b"ftyp":
            self._ftyp = box
        elif self._name == b"moov":
            if self.init is not None:
                raise MediaError("a segment describes its track twice")
            self.init = parse_init(self._ftyp + box)
        elif self._name == b"prft":
            self._reference = ReferenceTime.parse(box[head:])
        elif self._name == b"moof":
            if self.init is None or self._samples is not None:
                raise MediaError("a fragment without its init segment or without media")
            self._samples = parse_fragment_samples(box, head, len(box), self.init.table)
            self._announced = checked_samples(self._announced + len(self._samples.sizes))
        elif self._name == b"mdat":
            self._fragment()

    def _fragment(self) -> None:
        if self.init is None or self._samples is None:
            raise MediaError("media data without its description")
        samples, scale = self._samples, self.init.timescale
        if samples.bytes > self._size:
            raise MediaError("a fragment says that its samples lie outside of it")
        if self.fragments >= MAX_FRAGMENTS:
            raise MediaError(f"a segment holds more than {MAX_FRAGMENTS} fragments; nothing honest does")
        from_ns = to_ns(samples.decode_time, scale)
        until_ns = to_ns(samples.decode_time + samples.duration, scale)
        if self.utc is None and self._reference is not None:
            self.utc = (from_ns, self._reference.utc_at(samples.decode_time, scale))
        if self.spans and 0 <= from_ns - self.spans[-1][1] <= JOIN_NS:
            self.spans[-1] = (self.spans[-1][0], until_ns)
        else:
            self.spans.append((from_ns, until_ns))
        self.fragments += 1
        self._samples = self._reference = None
