"""Which stretches of time are to be transcribed: hearings from the room's log, without their pauses.

Promises: hearings come one after the other in the order in which they were opened, each exactly once over all restarts;
where one was left off is in a small file (`ResumePoint`), and the log itself says what is already in the record.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sync.record.event import Event


@dataclass(slots=True)
class HearingJob:
    """What of one hearing is spoken for the record."""

    hearing: str
    opened_ns: int
    number: int
    """Of its event `open`."""
    pauses: list[tuple[int, int | None]] = field(default_factory=list)
    closed_ns: int | None = None

    def apply(self, event: Event) -> None:
        """Take one event of this hearing."""
        last = self.pauses[-1] if self.pauses else None
        if event.kind == "pause" and (last is None or last[1] is not None):
            self.pauses.append((event.room_ns, None))
        elif event.kind == "resume" and last is not None and last[1] is None:
            self.pauses[-1] = (last[0], event.room_ns)
        elif event.kind == "close":
            self.closed_ns = event.room_ns

    def ends_ns(self, at_ns: int) -> int | None:
        """When the stretch that holds `at_ns` ends, as far as is known; `at_ns` must be `kept`."""
        ends = [start for start, _ in self.pauses if start > at_ns]
        if self.closed_ns is not None:
            ends.append(self.closed_ns)
        return min(ends, default=None)

    def resumes_ns(self, at_ns: int) -> int | None:
        """When what is said is kept again: `at_ns` itself if it is now, None if that is not known yet or never."""
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

    def __init__(self) -> None:
        self.waiting: list[HearingJob] = []
        self._worded: set[str] = set()

    def apply(self, events: Iterable[Event]) -> None:
        """Take events in the order of their numbers."""
        for event in events:
            if event.kind == "open" and event.hearing is not None:
                self.waiting.append(HearingJob(event.hearing, event.room_ns, event.number))
            elif event.kind == "utterance" and event.hearing is not None:
                self._worded.add(event.hearing)
            elif event.kind in ("pause", "resume", "close"):
                for sitting in self.waiting:
                    if sitting.hearing == event.hearing:
                        sitting.apply(event)

    def begin_anew(self) -> None:
        """Nobody knows where it was left off: the last hearing first, it may be going on now; then those without words.

        Of the others the log has words up to their end, or up to where this service died: those are left as they are.
        """
        if self.waiting:
            *earlier, last = self.waiting
            self.waiting = [last, *(s for s in earlier if s.hearing not in self._worded)]

    @property
    def current(self) -> HearingJob | None:
        """The one in work."""
        return self.waiting[0] if self.waiting else None

    def done(self) -> None:
        """The one in work is finished."""
        del self.waiting[0]


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """Where to go on after a restart: events up to `number` are dealt with; of `hearing`, all before `done_ns`."""

    number: int = 0
    hearing: str = ""
    done_ns: int = 0
    lost: bool = False
    """There was none that could be read."""

    @classmethod
    def read(cls, path: Path) -> ResumePoint:
        """The last one written; the beginning when there is none that can be read (then the log tells the rest)."""
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
            return cls(int(value["number"]), str(value["hearing"]), int(value["done_ns"]))
        except (OSError, ValueError, KeyError, TypeError):
            return cls(lost=True)

    def write(self, path: Path) -> None:
        """Replace the file as a whole."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        value = {"number": self.number, "hearing": self.hearing, "done_ns": self.done_ns}
        with draft.open("w", encoding="utf-8") as file:
            json.dump(value, file)
            file.flush()
            os.fsync(file.fileno())  # a power cut must not leave an empty file: all hearings would be heard again
        draft.replace(path)
