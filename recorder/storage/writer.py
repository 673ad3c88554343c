"""One thread for each track that writes its segments, so that a slow disk never holds up media or another track.

Orders go in through a bounded queue; what became of them comes back, in order, as outcomes on the event loop. Files
are cut at key frames, at a change of run and at the end of each stretch that is kept.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

import structlog

from recorder.capture.fragment import StampedFragment, WorkerRun
from recorder.storage.recovery import close_unclosed
from recorder.storage.segment import TAKEN, ClosedSegment, SegmentFile, next_index
from sync.errors import MediaError, StorageError

log = structlog.get_logger(__name__)

AGAIN_S = 2.0
QUEUE_FRAGMENTS = 256
"""Half a minute of a track: a disk that is slower than that is a failed disk."""


@dataclass(frozen=True, slots=True)
class FragmentKept:
    """The fragment is on disk."""

    hearing: str
    fragment: StampedFragment
    waited_ns: int
    """From its offer until it was synced."""


@dataclass(frozen=True, slots=True)
class SegmentClosed:
    """A segment is complete."""

    hearing: str
    segment: ClosedSegment


class RefusalCode(Enum):
    """What a refused fragment means for the record."""

    WAITS_FOR_KEY_FRAME = auto()
    """No file can begin with it; nothing is wrong with the disk."""
    NOT_WRITTEN = auto()
    """The disk did not take it."""


@dataclass(frozen=True, slots=True)
class FragmentRefused:
    """The fragment is not on disk; `why` says it to people. Without a fragment, a whole file could not be finished."""

    hearing: str
    fragment: StampedFragment | None
    code: RefusalCode
    why: str


@dataclass(frozen=True, slots=True)
class StretchFinished:
    """All orders before `finish` were carried out."""

    hearing: str
    until_ns: int


Outcome = FragmentKept | SegmentClosed | FragmentRefused | StretchFinished


class TrackWriter:
    """Writes one track. The methods belong to the event loop."""

    def __init__(
        self,
        track: str,
        folder_of: Callable[[str], Path],
        segment_s: int,
        loop: asyncio.AbstractEventLoop,
        on_outcome: Callable[[Outcome], None],
    ) -> None:
        """`folder_of(hearing)` is where the track's segments go; `on_outcome` is called on `loop`."""
        self._track = track
        self._folder_of = folder_of
        self._segment_ns = segment_s * 1_000_000_000
        self._loop = loop
        self._on_outcome = on_outcome
        self._orders: queue.Queue[tuple[str, StampedFragment, int] | StretchFinished | None] = queue.Queue(
            QUEUE_FRAGMENTS
        )
        self._segment: SegmentFile | None = None
        self._hearing = ""
        self._indices: dict[str, int] = {}
        self._first: dict[str, int] = {}
        """Of each hearing: the first number that this life took."""
        self._unfinished: deque[tuple[str, Path, int]] = deque()
        self._thread = threading.Thread(target=self._run, name=f"writer-{track}", daemon=True)
        self._thread.start()

    def offer(self, hearing: str, fragment: StampedFragment) -> bool:
        """Keep a fragment; False when the disk is so far behind that it had to be dropped."""
        try:
            self._orders.put_nowait((hearing, fragment, time.monotonic_ns()))
        except queue.Full:
            return False
        return True

    @property
    def waiting(self) -> int:
        """Orders that are not carried out yet."""
        return self._orders.qsize()

    def finish(self, hearing: str, until_ns: int) -> bool:
        """Close the segment after what was offered; False when the queue is full (ask again)."""
        try:
            self._orders.put_nowait(StretchFinished(hearing, until_ns))
        except queue.Full:
            return False
        return True

    def first_index(self, hearing: str) -> int | None:
        """The first number that this life took, known before there is a file of it; segments before are older."""
        return self._first.get(hearing)

    def stop(self, timeout_s: float = 5.0) -> None:
        """Write what was offered, close the segment, end the thread. Blocks; call it when nothing else matters."""
        try:
            self._orders.put(None, timeout=timeout_s)
        except queue.Full:
            return
        self._thread.join(timeout_s)

    def _notify(self, outcome: Outcome) -> None:
        try:
            self._loop.call_soon_threadsafe(self._on_outcome, outcome)
        except RuntimeError:  # the loop is gone: recovery will find the file
            log.info("outcome_untold", track=self._track, outcome=type(outcome).__name__)

    def _run(self) -> None:
        while True:
            try:
                order = self._orders.get(timeout=AGAIN_S if self._unfinished else None)
            except queue.Empty:
                self._close_again()
                continue
            if order is None:
                break
            if isinstance(order, StretchFinished):
                self._close()
                self._close_again()
                self._notify(order)
            else:
                self._keep(*order)
        self._close()
        self._close_again()

    def _keep(self, hearing: str, fragment: StampedFragment, offered_ns: int) -> None:
        segment = self._segment
        if segment is not None and (
            hearing != self._hearing
            or segment.run is not fragment.run
            or (fragment.key_frame and fragment.from_ns - segment.from_ns >= self._segment_ns)
        ):
            self._close()
            segment = None
        try:
            if segment is None:
                if not fragment.key_frame:
                    self._notify(FragmentRefused(hearing, fragment, RefusalCode.WAITS_FOR_KEY_FRAME, "等待关键帧"))
                    return
                folder = self._folder_of(hearing)
                self._close_again()
                self._segment = segment = self._new_segment(hearing, folder, fragment.run)
                self._hearing = hearing
            segment.append(fragment)
        except (StorageError, OSError) as error:  # whatever a dying disk says, this thread goes on
            self._notify(FragmentRefused(hearing, fragment, RefusalCode.NOT_WRITTEN, str(error)))
            self._close()
        else:
            self._notify(FragmentKept(hearing, fragment, time.monotonic_ns() - offered_ns))

    def _new_segment(self, hearing: str, folder: Path, run: WorkerRun) -> SegmentFile:
        while True:
            # Also never one that this life had: a volume that was taken away hides what was on it.
            index = max(next_index(folder), self._indices.get(hearing, 0))
            self._indices = {hearing: index + 1}
            self._first.setdefault(hearing, index)
            try:
                return SegmentFile(folder, index, run)
            except StorageError as error:
                if error.code != TAKEN:  # else recovery has just taken this number
                    raise

    def _close(self) -> None:
        segment, self._segment = self._segment, None
        if segment is None:
            return
        try:
            closed = segment.close()
        except (StorageError, OSError) as error:
            self._notify(FragmentRefused(self._hearing, None, RefusalCode.NOT_WRITTEN, str(error)))
            self._unfinished.append((self._hearing, segment.path, segment.utc_ns - segment.from_ns))
            return
        if closed is not None:
            self._notify(SegmentClosed(self._hearing, closed))

    def _close_again(self) -> None:
        """Close the files that the disk would not let be finished; their fragments are synced already."""
        for _ in range(len(self._unfinished)):
            hearing, path, utc_offset_ns = self._unfinished.popleft()
            try:
                for one in close_unclosed(path, utc_offset_ns):
                    self._notify(SegmentClosed(hearing, one.segment))
            except (StorageError, MediaError) as error:
                log.error("segment_unfinished", file=str(path), why=error.message)
                self._unfinished.append((hearing, path, utc_offset_ns))
