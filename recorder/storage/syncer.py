"""Brings to disk what the writer of a track has handed to the kernel, and says what became of it, in order.

It has a thread of its own, so that a disk that takes long keeps nothing in this process's memory: whatever happens to
the process, the kernel has every fragment but the newest. All that was written while one sync lasted shares the next.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from recorder.storage.outcomes import (
    FragmentKept,
    FragmentRefused,
    Outcome,
    RefusalCode,
    SegmentClosed,
    StretchFinished,
)
from recorder.storage.recovery import close_unclosed
from recorder.storage.segment import SegmentFile, WrittenFragment
from sync.errors import MediaError, StorageError

log = structlog.get_logger(__name__)

AGAIN_S = 2.0
"""So often a file is tried that could not be finished."""


@dataclass(frozen=True, slots=True)
class FragmentToSync:
    """A fragment that the kernel has."""

    segment: SegmentFile
    hearing: str
    written: WrittenFragment
    offered_ns: int
    """By the monotonic clock."""


@dataclass(frozen=True, slots=True)
class SegmentToClose:
    """Nothing more is written to it."""

    segment: SegmentFile
    hearing: str


Order = FragmentToSync | SegmentToClose | FragmentRefused | StretchFinished


class TrackSyncer:
    """Syncs the segments of one track. `order` is for one thread, `stop` for when that has ended."""

    def __init__(self, track: str, notify: Callable[[Outcome], None]) -> None:
        """`notify` is called in this object's thread."""
        self._notify = notify
        self._orders: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
        self._syncing = 0
        self._unfinished: deque[tuple[str, Path, int]] = deque()
        self._thread = threading.Thread(target=self._run, name=f"syncer-{track}", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Orders that are not carried out yet."""
        return self._orders.qsize() + self._syncing

    def order(self, order: Order) -> None:
        """Carry this out after what was ordered before it; a refusal, and the end of a stretch, are only said."""
        self._orders.put(order)

    def stop(self, timeout_s: float) -> None:
        """Carry out what was ordered and end the thread; blocks."""
        self._orders.put(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            try:
                first = self._orders.get(timeout=AGAIN_S if self._unfinished else None)
            except queue.Empty:
                self._close_again()
                continue
            orders = [first]
            # No more than there were: what comes meanwhile shares the next sync.
            for _ in range(self._orders.qsize()):
                orders.append(self._orders.get_nowait())
            self._syncing = len(orders)
            if not self._carry_out(deque(orders)):
                break
        self._close_again()

    def _carry_out(self, orders: deque[Order | None]) -> bool:
        """Whether there will be more."""
        while orders:
            order = orders.popleft()
            if order is None:
                return False
            if isinstance(order, FragmentToSync):
                together = [order]
                while orders and isinstance(more := orders[0], FragmentToSync) and more.segment is order.segment:
                    together.append(more)
                    orders.popleft()
                self._keep(order.segment, together)
            elif isinstance(order, SegmentToClose):
                if not order.segment.closed:  # else the disk has failed before
                    self._close(order.hearing, order.segment)
            else:
                if isinstance(order, StretchFinished):
                    self._close_again()
                self._notify(order)
            self._syncing = len(orders)
        return True

    def _keep(self, segment: SegmentFile, together: list[FragmentToSync]) -> None:
        kept, why = 0, segment.refused
        if not segment.closed:
            if not segment.fragments:
                self._close_again()  # the disk takes a new file: perhaps it lets the old ones be finished, too
            try:
                segment.sync()
                for one in together:
                    segment.enter(one.written)
                    kept += 1
                    self._notify(FragmentKept(one.hearing, one.written.fragment, time.monotonic_ns() - one.offered_ns))
            except (StorageError, OSError) as error:  # whatever a dying disk says, this thread goes on
                why = str(error)
        for one in together[kept:]:
            self._notify(FragmentRefused(one.hearing, one.written.fragment, RefusalCode.NOT_WRITTEN, why))
        if kept < len(together) and not segment.closed:
            self._close(together[0].hearing, segment)

    def _close(self, hearing: str, segment: SegmentFile) -> None:
        try:
            closed = segment.close()
        except (StorageError, OSError) as error:
            self._notify(FragmentRefused(hearing, None, RefusalCode.NOT_WRITTEN, str(error)))
            self._unfinished.append((hearing, segment.path, segment.utc_ns - segment.from_ns))
            return
        if closed is not None:
            self._notify(SegmentClosed(hearing, closed))

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
