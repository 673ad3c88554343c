"""How much of what reaches a process may be on its way to others at a time, and how that went, in numbers.

Bounded for each room, for each owner and in all, so that a flood for the rooms of one owner leaves places for those of
the others. A room with nothing under way finds a place for as long as there is any; who has something under way already
has only half of an owner's, so a few rooms that pour cannot keep the others from their owner. The owner has places for
all of it at its door, apart from those of people and rooms (`sync.http.wire.connection.Doorkeeper`).
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Final

OF_ONE_ROOM = 8
OF_ONE_OWNER = 160
IN_ALL = 256
NO_OWNER, FULL, UNREACHABLE, AGAIN = "no-owner", "full", "unreachable", "again"
FAILURES: Final = (NO_OWNER, FULL, UNREACHABLE, AGAIN)
"""The room has no owner just now; there is no place; the owner did not answer; what had been handed on to here is not
this process's."""


class ForwardBounds:
    """All methods belong to one event loop."""

    def __init__(self) -> None:
        self._of_room: Counter[str] = Counter()
        self._of_owner: Counter[str] = Counter()
        self.answered = 0
        """Requests that an owner has answered."""
        self.failed: Counter[str] = Counter()
        """Those that were refused with 503, by one of `FAILURES`."""

    @property
    def under_way(self) -> int:
        """Requests that are being handed on."""
        return self._of_owner.total()

    def has_place(self, room: str, owner: str) -> bool:
        """Whether one more of this room may go to this owner."""
        more = self._of_room[room]
        most = OF_ONE_OWNER // 2 if more else OF_ONE_OWNER
        return more < OF_ONE_ROOM and self._of_owner[owner] < most and self.under_way < IN_ALL

    @contextlib.contextmanager
    def place(self, room: str, owner: str) -> Iterator[None]:
        """Take a place while the block runs."""
        self._of_room[room] += 1
        self._of_owner[owner] += 1
        try:
            yield
        finally:
            for counts, key in ((self._of_room, room), (self._of_owner, owner)):
                counts[key] -= 1
                if not counts[key]:
                    del counts[key]
