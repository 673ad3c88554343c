"""One track of a simulated room: what leaves live, due when a camera would have made it, and what is kept in files.

Files are what a recorder writes, but for what no center sees: nothing is synced (each real room has a disk of its own),
there is no journal, nothing is read back. Their second check value (SM3), which nobody compares here, is left out: it
would be a tenth of what a simulated room costs.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sync.media.envelope import Envelope, Kind, pack_init
from sync.media.fmp4 import to_ns, to_ticks
from sync.record.bodies.media import SegmentBody
from sync.room.messages import RecorderStatus, TrackStatus
from sync.runtime.units import NS_PER_S
from wutong.bench.center.rooms.reel import ReelFragment, ReelTrack

INIT_ID = 1
BETWEEN_S = 5.0
"""Between the close of a hearing and the next opening."""
STATUS_S = 1.0
THUMBNAIL_S = 4.0
LATE = "generator_late_ms"
"""How late a fragment of a watched track was said: what is left of it is no delay of the center's."""


@dataclass(frozen=True, slots=True)
class ReplayedFragment:
    """Something of the reel on the room's time line."""

    reel: ReelFragment
    decode_time: int
    sequence: int
    from_ns: int
    to_ns: int
    utc_ns: int

    @property
    def key_frame(self) -> bool:
        """Whether it begins with one."""
        return self.reel.key_frame

    def data(self) -> bytes:
        """Its boxes, made anew at each call: of a track that nobody watches none are made."""
        return self.reel.at(self.decode_time, self.sequence, self.utc_ns)

    def message(self, now_ns: int, utc_ns: int, *, kept: bool) -> bytes:
        """As the recorder says it on its feed. The envelope's times end now, so that whoever receives it on this
        machine knows how old it is, whatever was late in here; the media's own times are those of its track."""
        duration_us = (self.to_ns - self.from_ns) // 1000
        span_ns = duration_us * 1000
        return Envelope(
            Kind.FRAGMENT,
            INIT_ID,
            self.sequence,
            now_ns - span_ns,
            utc_ns - span_ns,
            duration_us,
            self.data(),
            key_frame=self.key_frame,
            kept=kept,
        ).pack()


class GrowingSegment:
    """A segment file while it grows."""

    def __init__(self, folder: Path, index: int, init: bytes, from_ns: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.index = index
        self.from_ns = self.to_ns = from_ns
        self._name = f"{folder.name}/{index:05d}.mp4"
        self._file = (folder / f"{index:05d}.mp4").open("xb", buffering=0)
        self._sha256 = hashlib.sha256()
        self._unwritten = [init]
        self._bytes = 0
        self._fragments = 0

    def append(self, fragment: ReplayedFragment) -> int:
        """One more, in the file after the next `flush`; how many bytes it has."""
        data = fragment.data()
        self._unwritten.append(data)
        self.to_ns = fragment.to_ns
        self._fragments += 1
        return len(data)

    def flush(self) -> None:
        """Have in the file what was appended."""
        if self._unwritten:
            data = b"".join(self._unwritten)
            self._file.write(data)
            self._sha256.update(data)
            self._bytes += len(data)
            self._unwritten.clear()

    def close(self, track: str, mime: str) -> SegmentBody:
        """Finish it; what the room's log says of it."""
        self.flush()
        self._file.close()
        return {
            "track": track,
            "index": self.index,
            "file": self._name,
            "bytes": self._bytes,
            "sha256": self._sha256.hexdigest(),
            "from_ns": self.from_ns,
            "to_ns": self.to_ns,
            "fragments": self._fragments,
            "mime": mime,
        }


class ReplayedTrack:
    """All methods belong to one event loop. Times are room time."""

    def __init__(self, reel: ReelTrack, segment_s: float, first_share: float, utc_offset_ns: int) -> None:
        self.reel = reel
        self._segment_ns = round(segment_s * NS_PER_S)
        self._first_ns = round(segment_s * first_share * NS_PER_S)
        self._utc_offset_ns = utc_offset_ns
        self._base = self._live_place = self._live_sequence = 0
        self._kept_base = self._kept_place = self._kept_sequence = 0
        self._folder: Path | None = None
        self._segment: GrowingSegment | None = None
        self._index = 0
        self._until_ns: int | None = None
        self._said_ns: int | None = None
        self._kept_bytes = 0

    def begin(self, at_ns: int) -> None:
        """The reel begins at this moment."""
        self._base = self._kept_base = to_ticks(at_ns, self.reel.init.timescale)
        self._live_place = self._kept_place = 0

    def keep(self, folder: Path) -> None:
        """Write what comes from now on into segments in this folder, from number 0."""
        self._folder, self._index, self._until_ns, self._kept_bytes = folder, 0, None, 0

    def keep_until(self, at_ns: int) -> None:
        """The hearing has closed at this moment."""
        self._until_ns = at_ns

    @property
    def is_kept(self) -> bool:
        """Whether what comes is written into files."""
        return self._folder is not None

    @property
    def due_ns(self) -> int:
        """When what comes next is whole."""
        one = self._next_live()
        return to_ns(self._base + one.starts + one.duration, self.reel.init.timescale)

    def _next_live(self) -> ReelFragment:
        if self._live_place == len(self.reel.live):
            self._base += self.reel.ticks
            self._live_place = 0
        return self.reel.live[self._live_place]

    def _next_kept(self) -> ReelFragment:
        if self._kept_place == len(self.reel.kept):
            self._kept_base += self.reel.ticks
            self._kept_place = 0
        return self.reel.kept[self._kept_place]

    def take(self) -> tuple[ReplayedFragment, list[SegmentBody]]:
        """What is published next, and the segments that ended before or with it: what is kept ends with the last of
        what was published."""
        one = self._next_live()
        self._live_place += 1
        self._live_sequence += 1
        live = self._placed(one, self._base, self._live_sequence)
        self._said_ns = live.to_ns
        until, closed = self._base + one.starts + one.duration, list[SegmentBody]()
        while self._kept_base + (kept := self._next_kept()).starts + kept.duration <= until:
            self._kept_place += 1
            self._kept_sequence += 1
            if self._folder is not None:
                closed += self._keep(self._folder, self._placed(kept, self._kept_base, self._kept_sequence))
        return live, closed

    def _placed(self, one: ReelFragment, base: int, sequence: int) -> ReplayedFragment:
        timescale, decode_time = self.reel.init.timescale, base + one.starts
        from_ns, until_ns = to_ns(decode_time, timescale), to_ns(decode_time + one.duration, timescale)
        return ReplayedFragment(one, decode_time, sequence, from_ns, until_ns, from_ns + self._utc_offset_ns)

    def flush(self) -> None:
        """Have in the file what was taken."""
        if self._segment is not None:
            self._segment.flush()

    def _keep(self, folder: Path, fragment: ReplayedFragment) -> list[SegmentBody]:
        closed: list[SegmentBody] = []
        segment = self._segment
        if segment is not None and fragment.key_frame and fragment.from_ns - segment.from_ns >= self._limit_ns():
            closed.append(self._close(segment))
            segment = None
        if segment is None:
            segment = self._segment = GrowingSegment(folder, self._index, self.reel.init.data, fragment.from_ns)
            self._index += 1
        self._kept_bytes += segment.append(fragment)
        if self._until_ns is not None and fragment.to_ns >= self._until_ns:
            closed.append(self._close(segment))
            self._folder = self._segment = None
        return closed

    def _limit_ns(self) -> int:
        """How long the segment that grows now may become: the first of a hearing is shorter, so that rooms differ."""
        return self._first_ns if self._index == 1 else self._segment_ns

    def _close(self, segment: GrowingSegment) -> SegmentBody:
        return segment.close(self.reel.id, self.reel.init.mime)

    def init_message(self, now_ns: int, utc_ns: int) -> bytes:
        """How the track begins, as the recorder says it."""
        init = self.reel.init
        return Envelope(Kind.INIT, INIT_ID, 0, now_ns, utc_ns, 0, pack_init(init.mime, init.data)).pack()

    def thumbnail(self, number: int, now_ns: int, utc_ns: int) -> bytes:
        """A still of a camera, as of now."""
        jpeg = self.reel.thumbnails[number % len(self.reel.thumbnails)]
        return Envelope(
            Kind.THUMBNAIL, INIT_ID, self._live_sequence, now_ns, utc_ns, 0, jpeg, key_frame=True, kept=self.is_kept
        ).pack()

    def status(self) -> TrackStatus:
        """As the recorder tells of it."""
        video = self.reel.kind == "video"
        return {
            "id": self.reel.id,
            "kind": self.reel.kind,
            "name": self.reel.name,
            "mime": self.reel.init.mime,
            "state": "running",
            "kept": self.is_kept,
            "kept_bytes": self._kept_bytes,
            "last_fragment_ns": self._said_ns,
            "restarts": 0,
            "why": None,
            "fps": 25.0 if video else None,
            "key_s": 1.0 if video else None,
        }


def recorder_status(tracks: Sequence[ReplayedTrack], now_ns: int, hearing: str | None, data: Path) -> RecorderStatus:
    """What the recorder of a room with these tracks would say now."""
    return {
        "at_ns": now_ns,
        "tracks": [track.status() for track in tracks],
        "hearing": hearing,
        "disk": {"free_bytes": shutil.disk_usage(data).free, "hours_left": 400.0, "longest_wait_ms": 3.0},
        "clock": {"source": "free-running", "error_ms": None},
        "copy": None,
        "readback": {"checked": 0, "longest_s": 0.0},
        "alarms": [],
    }
