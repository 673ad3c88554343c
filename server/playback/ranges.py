"""Playback: which ranges of a track can be played, and the bytes of a range; closed segments and growing ones alike.

A track is a row of files, each with its own init segment, in the order of their places. A range is served from one
init segment: it ends where the next file begins with another one, and the player asks again. Stored files were looked
through when they arrived: what was found is kept beside them, and one that cannot be played is not looked at again. A
file that has to be read for a long time holds up who asks for it, and nobody who asks for another.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from server.ingest.contents import NO_MEDIA
from server.objects.media_indexes import MediaIndexes
from sync.errors import MediaError
from sync.media.fmp4 import FileIndex, Indexed, Init, index_file
from sync.record.sealed_parts import EVERYTHING_SEEN, Unseen
from sync.runtime.files.readable_file import ReadableFile

MAX_RANGE_NS = 30 * 1_000_000_000
JOIN_NS = 100_000_000
"""Files whose ends are closer than this are one range: encoders round, a gap is longer."""
CACHED_FILES = 256
CACHED_FRAGMENTS = 400_000
"""Of all files whose indexes are kept in memory, about 260 bytes each: a file may have hundreds of times more than an
honest one."""


@dataclass(frozen=True, slots=True)
class TrackFile:
    """One file of a track. Times are known without reading when its segment event has come."""

    segment_index: int
    path: ReadableFile
    growing: bool
    from_ns: int | None = None
    to_ns: int | None = None
    fault: str = ""
    """Why a stored file cannot be played, or not to its end (`server.ingest.contents`)."""


@dataclass(frozen=True, slots=True)
class MediaRange:
    """Bytes that a SourceBuffer can take as they are."""

    mime: str
    from_ns: int
    to_ns: int
    data: bytes


class NoMediaError(MediaError):
    """The range holds nothing; `next_ns` is where something begins after it."""

    code = "no-media"

    def __init__(
        self, next_ns: int | None, words: str = "这段时间没有录像 (nothing was recorded in this range)"
    ) -> None:
        super().__init__(words)
        self.next_ns = next_ns


class UnreadableMediaError(NoMediaError):
    """The range lies in a file that is stored and cannot be played."""

    code = "unreadable"

    def __init__(self, next_ns: int | None, fault: str) -> None:
        super().__init__(
            next_ns,
            f"这一段已存档，但无法播放（{fault}），请联系管理员 (this piece is stored and cannot be played: {fault}; "
            "tell the administrator)",
        )


@dataclass(slots=True)
class _Index:
    lock: threading.Lock = field(default_factory=threading.Lock)
    """One thread reads the file; the others wait for what it finds."""
    init: Init | None = None
    fragments: list[Indexed] = field(default_factory=list)
    end: int = 0
    size: int = -1


class Media:
    """Reads files; keeps what it knows of them by path. Safe in several threads; all methods block."""

    def __init__(self, kept: MediaIndexes) -> None:
        """`kept`: what was found in stored files before."""
        self._kept = kept
        self._lock = threading.Lock()
        self._indexes: OrderedDict[ReadableFile, _Index] = OrderedDict()

    def ranges(
        self, sources: Sequence[TrackFile], unseen: Unseen = EVERYTHING_SEEN
    ) -> tuple[str, list[tuple[int, int]]]:
        """(MIME type, playable stretches of room time in ns) of a track, without what is `unseen`."""
        mime = ""
        spans: list[tuple[int, int]] = []
        for source in sorted(sources, key=lambda s: s.segment_index):
            start, end = source.from_ns, source.to_ns
            # Beside the first only a file that reaches into what may not be seen has to be looked into.
            if mime and not source.fault and start is not None and end is not None and not unseen.touches(start, end):
                spans.append((start, end))
                continue
            index = self._index(source)
            if index.init is not None:
                mime = mime or index.init.mime
                spans.extend((f.from_ns, f.to_ns) for run in _runs(index.fragments, unseen) for f in run)
        return mime, _joined(spans, unseen)

    def unreadable(self, sources: Sequence[TrackFile], unseen: Unseen = EVERYTHING_SEEN) -> list[tuple[int, int, str]]:
        """(from, to, fault) of what of a track is stored and cannot be played, without what is `unseen`: of a damaged
        file what no fragment of it covers. A file whose event has not come lies at no time that is known yet."""
        found: list[tuple[int, int, str]] = []
        for source in sources:
            if not source.fault or source.from_ns is None or source.to_ns is None:
                continue
            plays = _joined([(f.from_ns, f.to_ns) for f in self._index(source).fragments], EVERYTHING_SEEN)
            lost = Unseen(tuple(plays)).outside(source.from_ns, source.to_ns)
            for start, end in (span for piece in lost for span in unseen.outside(*piece)):
                if end - start > JOIN_NS:
                    found.append((start, end, source.fault))
        return sorted(found)

    def read(
        self, sources: Sequence[TrackFile], from_ns: int, to_ns: int, unseen: Unseen = EVERYTHING_SEEN
    ) -> MediaRange:
        """Whole fragments that cover the range, from a key frame at or before `from_ns`; `NoMediaError`. A fragment
        that `unseen` touches is none of them, and the range ends before it."""
        to_ns = min(to_ns, from_ns + MAX_RANGE_NS)
        init: Init | None = None
        first_ns = last_ns = 0
        parts: list[bytes] = []
        fault = ""
        for source in sorted(sources, key=lambda s: s.segment_index):
            if source.to_ns is not None and source.to_ns <= from_ns:
                continue
            if source.from_ns is not None and source.from_ns >= to_ns:
                break
            index = self._index(source)
            # Where its event has not come it is not known which time such a file is of.
            fault = fault or (source.fault if source.from_ns is not None else "")
            covering = (_covering(run, from_ns, to_ns) for run in _runs(index.fragments, unseen))
            chosen = next((found for found in covering if found), ())
            if not chosen or index.init is None:
                continue
            if init is not None and (index.init.data != init.data or unseen.touches(last_ns, chosen[0].from_ns)):
                break
            if init is None:
                init = index.init
                first_ns = chosen[0].from_ns
                parts.append(init.data)
            parts.append(_bytes(source.path, chosen[0].offset, chosen[-1].offset + chosen[-1].bytes))
            last_ns = chosen[-1].to_ns
            if unseen.touches(last_ns, to_ns) and last_ns < to_ns:
                break
        if init is None:
            next_ns = self._next(sources, to_ns, unseen)
            if fault:
                raise UnreadableMediaError(next_ns, fault)
            raise NoMediaError(next_ns)
        return MediaRange(init.mime, first_ns, last_ns, b"".join(parts))

    def _next(self, sources: Sequence[TrackFile], after_ns: int, unseen: Unseen) -> int | None:
        starts: list[int] = []
        for source in sources:
            if unseen:
                runs = _runs(self._index(source).fragments, unseen)
                starts.extend(f.from_ns for run in runs for f in run if f.from_ns >= after_ns)
            elif source.from_ns is not None and source.from_ns >= after_ns and not source.fault:
                starts.append(source.from_ns)
            elif source.to_ns is None or source.to_ns > after_ns:
                starts.extend(f.from_ns for f in self._index(source).fragments if f.from_ns >= after_ns)
        return min(starts, default=None)

    def _index(self, source: TrackFile) -> _Index:
        with self._lock:
            index = self._indexes.setdefault(source.path, _Index())
            self._indexes.move_to_end(source.path)
            while len(self._indexes) > CACHED_FILES:
                self._indexes.popitem(last=False)
        with index.lock:
            if not source.growing:
                self._recall(source, index)
            size = source.path.stat().st_size
            if size < index.size:
                index.init, index.fragments, index.end = None, [], 0
            if size != index.size:
                # Damage ends the index; what comes before it plays.
                found = index_file(source.path, index.end, index.init, salvage=True)
                index.init, index.end, index.size = found.init, found.end, size
                index.fragments.extend(found.fragments)
                if not source.growing:
                    self._kept.save(source.path.name, FileIndex(index.init, index.fragments, index.end))
        self._bound(index)
        return index

    def _bound(self, just_used: _Index) -> None:
        """Forget what was not used for longest; what is in somebody's hands lives as long as they need it."""
        with self._lock:
            count = sum(len(one.fragments) for one in self._indexes.values())
            for path, one in list(self._indexes.items()):
                if count <= CACHED_FRAGMENTS:
                    return
                if one is not just_used:
                    count -= len(one.fragments)
                    del self._indexes[path]

    def _recall(self, source: TrackFile, index: _Index) -> None:
        """Take what is known of a stored file, which never changes, instead of reading it."""
        if index.size >= 0:
            return
        size = source.path.stat().st_size
        known = self._kept.load(source.path.name)
        if known is None and source.fault == NO_MEDIA:
            known = FileIndex(None, [], 0)
        if known is not None and known.end <= size:
            index.init, index.fragments, index.end, index.size = known.init, known.fragments, known.end, size


def _runs(fragments: Sequence[Indexed], unseen: Unseen) -> list[Sequence[Indexed]]:
    """What of a file may be seen, cut where something may not; behind a cut from the next key frame on."""
    if not unseen:
        return [fragments]
    runs: list[Sequence[Indexed]] = []
    run: list[Indexed] = []
    cut = False
    for fragment in fragments:
        if unseen.touches(fragment.from_ns, fragment.to_ns):
            runs, run, cut = [*runs, run], [], True
        elif run or not cut or fragment.key_frame:
            run.append(fragment)
    return [one for one in [*runs, run] if one]


def _covering(fragments: Sequence[Indexed], from_ns: int, to_ns: int) -> Sequence[Indexed]:
    wanted = [i for i, f in enumerate(fragments) if f.to_ns > from_ns and f.from_ns < to_ns]
    if not wanted:
        return []
    first = wanted[0]
    while first > 0 and not fragments[first].key_frame:
        first -= 1
    return fragments[first : wanted[-1] + 1]


def _bytes(path: ReadableFile, start: int, end: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(end - start)


def _joined(spans: Sequence[tuple[int, int]], unseen: Unseen) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start - joined[-1][1] <= JOIN_NS and not (unseen and unseen.touches(joined[-1][1], start)):
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
