"""Refusals of strangers, counted: the first of an address are lines of their own, what follows is one line a minute.

Promises: no refusal is left out of the audit log. What has no line of its own is in the count of its address (of IPv6
its /64) and minute; beyond `MOST_ADDRESSES` in a minute, in one count of all others. Refuses: to grow with the zeal of
whoever hammers at the door.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from sync.http.wire.connection import neighborhood

FREE_LINES = 10
"""So many refusals of an address in a minute have lines of their own, if they are different ones."""
MOST_ADDRESSES = 50
MOST_CODES = 20
MINUTE_S = 60.0
OTHERS = "others"
"""The address of a count of many addresses."""


class RefusalCounter:
    """All methods belong to one event loop."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._began_s = now_s()
        self._said: dict[str, set[str]] = {}
        self._counted: dict[str, Counter[str]] = {}

    def counts(self, address: str, detail: str) -> bool:
        """Whether this refusal is only counted; otherwise it is to have a line of its own."""
        key = neighborhood(address)
        if key not in self._said and len(self._said) >= MOST_ADDRESSES:
            key = OTHERS
        said = self._said.setdefault(key, set())
        if key != OTHERS and len(said) < FREE_LINES and detail not in said:
            said.add(detail)
            return False
        codes = self._counted.setdefault(key, Counter())
        code = detail.partition(" ")[0][:32] or "?"
        codes[code if code in codes or len(codes) < MOST_CODES else OTHERS] += 1
        return True

    def due(self, *, now: bool = False) -> list[tuple[str, str]]:
        """(address, detail) of the counts of the minute that is over, or of what there is `now`."""
        if not now and self._now_s() - self._began_s < MINUTE_S:
            return []
        lines = [
            (address, f"{codes.total()} more: " + ", ".join(f"{code} {n}" for code, n in codes.most_common()))
            for address, codes in self._counted.items()
        ]
        self._began_s = self._now_s()
        self._said, self._counted = {}, {}
        return lines
