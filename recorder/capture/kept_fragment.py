"""The fragment of the record that grows: samples that leave one by one are kept together, 100 to 200 ms of them.

Promises: every sample that was added comes out once, byte for byte and in order; within a fragment samples follow each
other by the media's own times; a picture lasts until the next one is decoded, which is why a fragment of pictures is
whole when the picture after it has come (or when nothing comes any more). A fragment begins with every key frame, and
anew where the media's time line is broken.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from sync.media.access_unit import SampleRow
from sync.media.fmp4 import Fragment, to_ns
from sync.media.fragment_rows import sample_bytes

PICTURES_NS = 120_000_000
"""Pictures that are decoded this much later than a fragment's first begin the next one."""
SOUND_NS = 100_000_000
"""A fragment of sound that has come to this is whole: its length is its own."""


@dataclass(slots=True)
class _Part:
    """What came as one fragment."""

    decode_time: int
    rows: list[SampleRow]
    data: bytes


class KeptFragment:
    """Grows from what a worker sends; all times are ticks of the run's own media time."""

    def __init__(self, kind: Literal["video", "audio"], timescale: int) -> None:
        self._video = kind == "video"
        self._timescale = timescale
        self._parts: list[_Part] = []
        self.key_frame = False
        """It begins with one."""

    @property
    def is_empty(self) -> bool:
        """Nothing was added since it was taken."""
        return not self._parts

    @property
    def decode_time(self) -> int:
        """Of the first sample."""
        return self._parts[0].decode_time

    def ends_before(self, fragment: Fragment, *, broken: bool) -> bool:
        """Whether what comes next belongs into another one. `broken`: something was lost between the two."""
        if not self._parts:
            return False
        if not self._video:
            last = self._parts[-1]
            return broken or fragment.decode_time != last.decode_time + sum(row.duration for row in last.rows)
        length_ns = to_ns(fragment.decode_time - self.decode_time, self._timescale)
        return broken or fragment.key_frame or length_ns >= PICTURES_NS

    def add(self, fragment: Fragment, rows: list[SampleRow]) -> None:
        """Take what comes next."""
        if not self._parts:
            self.key_frame = fragment.key_frame
        self._parts.append(_Part(fragment.decode_time, rows, sample_bytes(fragment)))

    @property
    def is_whole(self) -> bool:
        """Whether nothing has to be waited for: sound that is long enough."""
        if self._video or not self._parts:
            return False
        ticks = sum(row.duration for part in self._parts for row in part.rows)
        return to_ns(ticks, self._timescale) >= SOUND_NS

    def take(self, next_decode_time: int | None) -> tuple[list[SampleRow], bytes]:
        """All of it, and begin anew. `next_decode_time`: of the picture that comes next, where one does."""
        parts, self._parts = self._parts, []
        if self._video:
            for part, after in pairwise(parts):
                _last_until(part, after.decode_time)
            if next_decode_time is not None:
                _last_until(parts[-1], next_decode_time)
        return [row for part in parts for row in part.rows], b"".join([part.data for part in parts])


def _last_until(part: _Part, decode_time: int) -> None:
    """The last picture of a part lasts until the next one is decoded, whatever was expected when it came."""
    before = sum(row.duration for row in part.rows[:-1])
    part.rows[-1] = part.rows[-1]._replace(duration=max(decode_time - part.decode_time - before, 0))
