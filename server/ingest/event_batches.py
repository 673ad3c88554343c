"""A batch of events that the store refuses is taken apart, so that what is wrong with one costs no other its receipt.

Promises: what can be stored of a batch is stored and answered at once; what cannot is named, neither stored nor
receipted. First the rooms are parted from each other, then the events of one room by halves. Where an act that seals
cannot be stored, nothing of its room that comes behind it in the batch is: it may be what the act hides. Refuses to go
on where nothing can be stored at all, because the disk is full or the database away: what is left is answered with
nothing, and the rooms say it again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from server.events.admission import SEALS, Received
from server.store.refusals import is_of_content
from server.store.writer import BatchOutcome

MOST_FAILURES = 64
"""Of one batch: what is still together then is left to be said again, so that a defect makes nobody wait for long."""

Store = Callable[[Sequence[Received]], Awaitable[BatchOutcome]]


@dataclass
class PartedBatch:
    """What became of a batch."""

    outcomes: list[BatchOutcome] = field(default_factory=list)
    stored: list[Sequence[Received]] = field(default_factory=list)
    """Of each outcome, in their order: the part of the batch that it is of."""
    failed: list[tuple[Received, Exception]] = field(default_factory=list)
    """Events that cannot be stored, and why."""
    left: list[Received] = field(default_factory=list)
    """Events that were not tried by themselves any more."""
    unavailable: Exception | None = None
    """Why the store takes nothing now: nothing behind `outcomes` was stored."""


async def store_parted(store: Store, batch: Sequence[Received]) -> PartedBatch:
    """Store a batch, whole or in parts. What was stored is told whatever came behind it: others must hear of it."""
    parted = PartedBatch()
    waiting: list[list[Received]] = [list(batch)]
    held: set[str] = set()
    failures = 0
    while waiting:
        part = waiting.pop()
        if failures >= MOST_FAILURES or parted.unavailable is not None or part[0].room in held:
            parted.left += part
            continue
        try:
            parted.outcomes.append(await store(part))
            parted.stored.append(part)
        except Exception as error:  # noqa: BLE001  # whoever called says it of the one event
            if not is_of_content(error):
                parted.unavailable = error
                parted.left += part
                continue
            failures += 1
            if len(part) == 1:
                parted.failed.append((part[0], error))
                if part[0].event.kind == SEALS:
                    held.add(part[0].room)
            else:
                waiting += reversed(_halves(part))
    return parted


def _halves(part: list[Received]) -> list[list[Received]]:
    """The events of each room, or of one room the first and the second half; their order is kept."""
    rooms: dict[str, list[Received]] = {}
    for received in part:
        rooms.setdefault(received.room, []).append(received)
    if len(rooms) > 1:
        return list(rooms.values())
    middle = len(part) // 2
    return [part[:middle], part[middle:]]
