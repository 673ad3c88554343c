"""Which runs of an uplink say that they are one room: one after the other, or two by turns.

Each run has a random name (`session`). A run that nobody has heard of replaces the one before: the room was started
anew. When the replaced one says something *later* than all that it said before, and not just as it ended, then there
are two devices with one identity. What came late on its way from one that has ended is none of that: its statuses
carry the room's time, which rises.

The one that came last is believed. The other is believed again when that one has said nothing for `SILENT_S`.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

ENDING_S = 2.0
"""So long the last words of a run that was replaced may be on their way."""
TWO_S = 60.0
"""Two devices are one again when only one of them was heard for so long: longer than their turns."""
SILENT_S = 45.0
MOST_RUNS = 8
"""Of which is remembered that they were replaced."""


class StatusWorth(enum.Enum):
    """What a status is worth."""

    GOOD = enum.auto()
    ANOTHER = enum.auto()
    """Good, and of another run than the one before."""
    STALE = enum.auto()
    """Older than what was heard already."""
    BY_THE_OTHER = enum.auto()
    """Of a run that was replaced and goes on all the same."""


@dataclass(slots=True)
class _Run:
    room_ns: int
    """The latest that it said."""
    replaced_s: float = 0.0


@dataclass
class RoomUplinks:
    """Of one room. Moments are of one steady clock, in seconds."""

    session: str = ""
    """The run that is believed; a room of before has no name for it."""
    last_s: float = float("-inf")
    """When any of them was last heard."""
    are_two: bool = False
    speaks_again: bool = False
    """Whether the last status was another run's than the one before."""
    _run: _Run | None = None
    _heard_s: float = float("-inf")
    """When the run that is believed was last heard."""
    _replaced: dict[str, _Run] = field(default_factory=dict)
    _two_s: float = float("-inf")
    """When two were last heard by turns."""
    _speaker: str | None = None

    def take(self, session: str, room_ns: int | None, now_s: float) -> StatusWorth:
        """Judge a status, of the moment `room_ns`; None for a last will, which has none."""
        if room_ns is None:
            return StatusWorth.STALE if session in self._replaced and session != self.session else StatusWorth.GOOD
        run = self._replaced.get(session)
        if run is not None and now_s - self._heard_s <= SILENT_S:
            return self._take_replaced(session, run, room_ns, now_s)
        if self._run is not None and session == self.session:
            # A room of before, which has one name for all its runs, may begin its time anew.
            if session and room_ns < self._run.room_ns:
                return StatusWorth.STALE
        elif self._run is not None:
            self._replace(now_s)
        said = StatusWorth.GOOD if session == self.session and self._run is not None else StatusWorth.ANOTHER
        self._replaced.pop(session, None)
        self.session, self._run, self._heard_s = session, _Run(room_ns), now_s
        self._spoke(session, now_s)
        return said

    def still_two(self, now_s: float) -> bool:
        """Whether there are two now; ask about once a second."""
        self.are_two = self.are_two and now_s - self._two_s <= TWO_S
        return self.are_two

    def _take_replaced(self, session: str, run: _Run, room_ns: int, now_s: float) -> StatusWorth:
        if room_ns <= run.room_ns or now_s - run.replaced_s <= ENDING_S:
            return StatusWorth.STALE
        run.room_ns = room_ns
        self.are_two, self._two_s = True, now_s
        self._spoke(session, now_s)
        return StatusWorth.BY_THE_OTHER

    def _replace(self, now_s: float) -> None:
        assert self._run is not None
        self._replaced[self.session] = _Run(self._run.room_ns, now_s)
        while len(self._replaced) > MOST_RUNS:
            del self._replaced[next(iter(self._replaced))]

    def _spoke(self, session: str, now_s: float) -> None:
        self.speaks_again, self._speaker, self.last_s = session != self._speaker, session, now_s
