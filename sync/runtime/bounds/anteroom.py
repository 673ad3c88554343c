"""Those who have come to a door and have not said yet what they want: how many may wait, in all and of one origin.

Promises: whoever comes is let in. Where there are too many, whoever has waited longest of the origin with the most
makes room: a crowd displaces its own, and who comes alone is not kept out by it.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from typing import Generic, TypeVar

Who = TypeVar("Who", bound=Hashable)


class Anteroom(Generic[Who]):
    """Counts who waits. Belongs to one event loop; looks at all origins only when it is full."""

    def __init__(self, most: int, most_of_origin: int, *, boundless: Collection[Hashable] = ()) -> None:
        """`most`: in all. `boundless`: origins behind which many people are; only the count of all holds for them."""
        self._most = most
        self._most_of_origin = most_of_origin
        self._boundless = frozenset(boundless)
        self._waiting: dict[Hashable, dict[Who, int]] = {}
        self._count = 0
        self._came = 0

    def __len__(self) -> int:
        return self._count

    def enters(self, origin: Hashable, who: Who) -> Who | None:
        """Let somebody in; who has to go for it, and is counted no more."""
        group = self._waiting.setdefault(origin, {})
        self._came += 1
        group[who] = self._came
        self._count += 1
        if len(group) > self._most_of_origin and origin not in self._boundless:
            return self._longest(origin)
        if self._count > self._most:
            return self._longest(max(self._waiting, key=self._weight))
        return None

    def leaves(self, origin: Hashable, who: Who) -> None:
        """Count somebody no more; a second time does nothing."""
        group = self._waiting.get(origin, {})
        if who in group:
            del group[who]
            self._count -= 1
            if not group:
                del self._waiting[origin]

    def _weight(self, origin: Hashable) -> tuple[int, int]:
        """More is the sooner to make room; of origins with equally many, the one that has waited longest."""
        group = self._waiting[origin]
        return len(group), -next(iter(group.values()))

    def _longest(self, origin: Hashable) -> Who:
        who = next(iter(self._waiting[origin]))
        self.leaves(origin, who)
        return who
