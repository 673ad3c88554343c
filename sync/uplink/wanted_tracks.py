"""What is watched of a room, as each process of its center says it: the room sends what any of them wants.

Each says its own by its name (`center`), and what it said is over `DEMAND_S` after the last time. A process that asks
for what only others have asked for, or under a new `session`, has nothing of it yet: the track begins once more, for
all. A center of before has one process, without a name. Bounded: the last `MOST_CENTERS` that spoke.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, Field

DEMAND_S = 15.0
MOST_CENTERS = 32
MOST_PROCESS_CHARS = 64


class Demand(BaseModel):
    """Which tracks somebody watches."""

    tracks: list[Annotated[str, Field(max_length=64)]] = Field(max_length=32)
    levels: bool = False
    session: Annotated[str, Field(max_length=64)] = ""
    """Another one than before: whoever asks has nothing any more of what was sent."""
    uplink: Annotated[str, Field(max_length=64)] = ""
    """The `session` of the status by which the center knows this room now."""
    twice: bool = False
    """Two uplinks say by turns that they are this room."""
    center: Annotated[str, Field(max_length=MOST_PROCESS_CHARS)] = ""
    """Which process of the center says so."""


@dataclass(frozen=True, slots=True)
class _OfOneProcess:
    session: str
    tracks: frozenset[str]
    levels: bool
    until_s: float


class WantedTracks:
    """All methods belong to one event loop. Moments are of one steady clock, in seconds."""

    def __init__(self) -> None:
        self._said: OrderedDict[str, _OfOneProcess] = OrderedDict()

    @property
    def tracks(self) -> set[str]:
        """What somebody watches."""
        return {track for one in self._said.values() for track in one.tracks}

    @property
    def levels(self) -> bool:
        """Whether somebody wants to see how loud the seats are."""
        return any(one.levels for one in self._said.values())

    def take(self, demand: Demand, now_s: float, *, ours: bool) -> list[str]:
        """A process says what it wants, of this run of the uplink (`ours`) or of another; the tracks that begin for
        it."""
        before = self._said.pop(demand.center, None)
        tracks = frozenset(demand.tracks) if ours else frozenset()
        self._said[demand.center] = _OfOneProcess(demand.session, tracks, demand.levels and ours, now_s + DEMAND_S)
        while len(self._said) > MOST_CENTERS:
            self._said.popitem(last=False)
        had = before.tracks if before is not None and before.session == demand.session else frozenset()
        return sorted(tracks - had)

    def expire(self, now_s: float) -> None:
        """Forget what was not repeated."""
        for name in [name for name, one in self._said.items() if now_s > one.until_s]:
            del self._said[name]

    def clear(self) -> None:
        """The line is new: nobody has anything of what was sent."""
        self._said.clear()
