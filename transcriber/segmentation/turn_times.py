"""When a turn passed each station on its way from the microphone to the record: what tells why words came late.

Promises: every moment is one that was looked at when it passed, in nanoseconds of room time, and 0 where it has not
passed. Nothing here decides anything; `wutong bench captions` reads it, and so may whoever looks for a cause.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

FIRST_CAPTION_S = 0.75
"""With so much sound the first caption of a turn is made."""
_REMEMBERED = 64
_MOST_PASSES = 64

Work = Literal["caption", "preflight", "final", "writing", "revising"]


@dataclass(frozen=True, slots=True)
class Busy:
    """What a lane did from one moment to another, and for which utterance."""

    work: Work
    utterance: str
    from_ns: int
    to_ns: int


class LaneLog:
    """What one lane of the model did lately."""

    def __init__(self) -> None:
        self._done: deque[Busy] = deque(maxlen=_REMEMBERED)

    def note(self, busy: Busy) -> None:
        """Keep what was done."""
        self._done.append(busy)

    def between(self, from_ns: int, to_ns: int) -> list[Busy]:
        """What it did between two moments, and only the part of it that lies there; the longest first."""
        parts = [
            Busy(b.work, b.utterance, max(b.from_ns, from_ns), min(b.to_ns, to_ns))
            for b in self._done
            if b.to_ns > from_ns and b.from_ns < to_ns
        ]
        return sorted(parts, key=lambda b: b.from_ns - b.to_ns)


@dataclass(slots=True)
class PassTimes:
    """One pass of the model over a turn."""

    work: Work
    sound_s: float
    """How much of the turn it was given."""
    asked_ns: int
    answered_ns: int = 0
    lane_s: float = 0.0
    """It waited so long for the model to be free."""
    engine_s: float = 0.0
    """The model was at it so long …"""
    starved_s: float = 0.0
    """… and for so long of that the machine gave its threads no processor."""


@dataclass(slots=True)
class TurnTimes:
    """The stations of one turn."""

    seen_ns: int = 0
    """The sound of its beginning had come, and was found to be speech."""
    due_ns: int = 0
    """There was enough of it for its first caption."""
    ended_ns: int = 0
    """The pause behind it was long enough, or it was cut."""
    taken_ns: int = 0
    """Its turn to be written had come."""
    settled_ns: int = 0
    """It was decided what the record is to have of it."""
    written_ns: int = 0
    passes: list[PassTimes] = field(default_factory=list)
    caption_behind: list[Busy] = field(default_factory=list)
    """What the model did meanwhile, from `due_ns` to the first question."""
    behind: list[Busy] = field(default_factory=list)
    """What was done meanwhile, from `ended_ns` to `taken_ns`."""

    def look(self, seconds: float, now_ns: int) -> None:
        """Note that so much sound of the turn has come by now."""
        self.seen_ns = self.seen_ns or now_ns
        if seconds >= FIRST_CAPTION_S:
            self.due_ns = self.due_ns or now_ns

    def ask(self, work: Work, seconds: float, now_ns: int) -> PassTimes:
        """Note that the model is asked; the answer is noted in what is returned."""
        asked = PassTimes(work, round(seconds, 3), now_ns)
        if len(self.passes) < _MOST_PASSES:
            self.passes.append(asked)
        return asked
