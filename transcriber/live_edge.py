"""How far the words are behind the room, and who speaks at this moment.

Promises: whoever catches up on old sound shows nobody as speaking and makes no captions, for nobody waits for them.
"""

from __future__ import annotations

from sync.room.clock import RoomClock
from transcriber.backlog import HearingJob
from transcriber.segmentation.endpointer import Turn
from transcriber.turn_queue import TurnQueue
from transcriber.turn_source import TurnSource

_LIVE_MS = 3_000.0
_SPEAKING_S = 0.3
"""Who has been silent for longer does not speak."""


class LiveEdge:
    """What is going on now, as far as the sound is cut."""

    def __init__(self, clock: RoomClock, source: TurnSource, queue: TurnQueue) -> None:
        self._clock = clock
        self._source = source
        self._queue = queue

    @property
    def lag_ms(self) -> float:
        """How old the oldest sound is that is not in the record yet; 0 when there is none."""
        behind = [at_ns for at_ns in (self._source.position_ns, self._queue.waiting_since_ns) if at_ns is not None]
        return max(self._clock.now_ns() - min(behind), 0) / 1e6 if behind else 0.0

    def turns(self) -> tuple[HearingJob | None, list[Turn]]:
        """The turns that go on, and their hearing, which is None while catching up."""
        return None if self.lag_ms > _LIVE_MS else self._source.job, self._source.turns

    def speaking_channels(self) -> set[int]:
        """The microphones into which somebody speaks at this moment."""
        job, turns = self.turns()
        return {turn.channel for turn in turns if turn.quiet_s < _SPEAKING_S} if job is not None else set()
