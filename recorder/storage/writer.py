"""One thread for each track that writes its segments, so that a slow disk never holds up media or another track.

Orders go in through a bounded queue; what became of them comes back, in order, as outcomes on the event loop. Files
are cut at key frames, at a change of run and at the end of each stretch that is kept. This thread hands each fragment
to the kernel as it comes, which keeps it whatever becomes of this process; another (`TrackSyncer`) brings it to disk.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from recorder.capture.fragment import StampedFragment, WorkerRun
from recorder.storage.outcomes import FragmentRefused, Outcome, RefusalCode, StretchFinished
from recorder.storage.segment import TAKEN, SegmentFile, next_index
from recorder.storage.syncer import FragmentToSync, SegmentToClose, TrackSyncer
from sync.errors import StorageError

log = structlog.get_logger(__name__)

QUEUE_FRAGMENTS = 256
"""Half a minute of a track: a disk that is slower than that is a failed disk."""


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
        self._orders: queue.SimpleQueue[tuple[str, StampedFragment, int] | StretchFinished | None] = queue.SimpleQueue()
        self._segment: SegmentFile | None = None
        self._hearing = ""
        self._indices: dict[str, int] = {}
        self._first: dict[str, int] = {}
        """Of each hearing: the first number that this life took."""
        self._syncer = TrackSyncer(track, self._notify)
        self._thread = threading.Thread(target=self._run, name=f"writer-{track}", daemon=True)
        self._thread.start()

    def offer(self, hearing: str, fragment: StampedFragment) -> bool:
        """Keep a fragment; False when the disk is so far behind that it had to be dropped."""
        if self.waiting >= QUEUE_FRAGMENTS:
            return False
        self._orders.put((hearing, fragment, time.monotonic_ns()))
        return True

    @property
    def waiting(self) -> int:
        """Orders that are not carried out yet."""
        return self._orders.qsize() + self._syncer.waiting

    def finish(self, hearing: str, until_ns: int) -> bool:
        """Close the segment after what was offered; False when the queue is full (ask again)."""
        if self.waiting >= QUEUE_FRAGMENTS:
            return False
        self._orders.put(StretchFinished(hearing, until_ns))
        return True

    def first_index(self, hearing: str) -> int | None:
        """The first number that this life took, known before there is a file of it; segments before are older."""
        return self._first.get(hearing)

    def stop(self, timeout_s: float = 5.0) -> None:
        """Write what was offered, close the segment, end the threads. Blocks; call it when nothing else matters."""
        until_s = time.monotonic() + timeout_s
        self._orders.put(None)
        self._thread.join(timeout_s)
        if not self._thread.is_alive():
            self._syncer.stop(max(until_s - time.monotonic(), 0))

    def _notify(self, outcome: Outcome) -> None:
        try:
            self._loop.call_soon_threadsafe(self._on_outcome, outcome)
        except RuntimeError:  # the loop is gone: recovery will find the file
            log.info("outcome_untold", track=self._track, outcome=type(outcome).__name__)

    def _run(self) -> None:
        while (order := self._orders.get()) is not None:
            if isinstance(order, StretchFinished):
                self._close()
                self._syncer.order(order)
            else:
                self._keep(*order)
        self._close()

    def _keep(self, hearing: str, fragment: StampedFragment, offered_ns: int) -> None:
        segment = self._segment
        if segment is not None and (
            hearing != self._hearing
            or segment.run is not fragment.run
            or segment.refused  # its disk has failed meanwhile: a key frame begins another
            or (fragment.key_frame and fragment.from_ns - segment.began_ns >= self._segment_ns)
        ):
            self._close()
            segment = None
        try:
            if segment is None:
                if not fragment.key_frame:
                    refused = FragmentRefused(hearing, fragment, RefusalCode.WAITS_FOR_KEY_FRAME, "等待关键帧")
                    self._syncer.order(refused)
                    return
                self._segment = segment = self._new_segment(hearing, self._folder_of(hearing), fragment.run)
                self._hearing = hearing
            written = segment.write(fragment)
        except (StorageError, OSError) as error:  # whatever a dying disk says, this thread goes on
            self._syncer.order(FragmentRefused(hearing, fragment, RefusalCode.NOT_WRITTEN, str(error)))
            self._close()
        else:
            self._syncer.order(FragmentToSync(segment, hearing, written, offered_ns))

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
        if segment is not None:
            self._syncer.order(SegmentToClose(segment, self._hearing))
