"""Which stretches of time are to be transcribed: hearings from the room's log, without their pauses.

Promises: hearings come one after the other in the order in which they were opened, each exactly once over all restarts:
where the last process left off is in a small file (`transcriber.progress`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sync.record.event import Event


@dataclass(slots=True)
class HearingJob:
    """Which time of one hearing is to be transcribed: from its opening to its close, without the pauses."""

    hearing: str
    opened_ns: int
    number: int
    """Of its event `open`."""
    pauses: list[tuple[int, int | None]] = field(default_factory=list)
    closed_ns: int | None = None

    def apply(self, event: Event) -> None:
        """Take one event of this hearing, in the order of their numbers."""
        last = self.pauses[-1] if self.pauses else None
        if event.kind == "pause" and (last is None or last[1] is not None):
            self.pauses.append((event.room_ns, None))
        elif event.kind == "resume" and last is not None and last[1] is None:
            self.pauses[-1] = (last[0], event.room_ns)
        elif event.kind == "close":
            self.closed_ns = event.room_ns

    def ends_ns(self, at_ns: int) -> int | None:
        """Say when the stretch around `at_ns`, which must not lie in a pause, ends; None while nobody knows."""
        ends = [start for start, _ in self.pauses if start > at_ns]
        if self.closed_ns is not None:
            ends.append(self.closed_ns)
        return min(ends, default=None)

    def resumes_ns(self, at_ns: int) -> int | None:
        """Say from when on words are kept again: from `at_ns` if they are now; None while nobody knows, or if never."""
        if self.closed_ns is not None and at_ns >= self.closed_ns:
            return None
        for start, end in self.pauses:
            if start <= at_ns and end is None:
                return None
            if end is not None and start <= at_ns < end:
                return self.resumes_ns(end)
        return max(at_ns, self.opened_ns)


class Backlog:
    """The hearings that are still to be transcribed, the one in work first."""

    def __init__(self, finished: int = 0) -> None:
        """`finished`: the number of the last event with which an earlier process was done."""
        self.waiting: list[HearingJob] = []
        self.seen = finished
        """The number of the last event that was taken."""
        self.finished = finished
        """Up to this event there is nothing left to transcribe, as far as hearings were finished here."""
        self._worded: set[str] = set()

    def apply(self, events: Iterable[Event]) -> None:
        """Take events in the order of their numbers."""
        for event in events:
            self.seen = event.number
            if event.kind == "open" and event.hearing is not None:
                self.waiting.append(HearingJob(event.hearing, event.room_ns, event.number))
            elif event.kind == "utterance" and event.hearing is not None:
                self._worded.add(event.hearing)
            elif event.kind in ("pause", "resume", "close"):
                for job in self.waiting:
                    if job.hearing == event.hearing:
                        job.apply(event)

    def begin_anew(self) -> None:
        """Nobody knows where it was left off: the last hearing first, it may be going on now; then those without words.

        Of the others the log has words up to their end, or up to where this service died: those are left as they are.
        """
        if self.waiting:
            *earlier, last = self.waiting
            self.waiting = [last, *(s for s in earlier if s.hearing not in self._worded)]

    @property
    def current(self) -> HearingJob | None:
        """The hearing in work, which is the first; None when nothing is left."""
        return self.waiting[0] if self.waiting else None

    def done(self) -> None:
        """Drop the hearing in work, of which all is written."""
        del self.waiting[0]
        self.finished = self.seen if self.current is None else self.current.number - 1
