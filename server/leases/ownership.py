"""Whether this process is the owner of a room: always, where it is the only one of its center."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from server.leases.lease_keeper import LeaseKeeper
from server.rooms import KnownRoom


@dataclass(frozen=True, slots=True)
class Ownership:
    """What the parts of a center ask."""

    keeper: LeaseKeeper | None = None
    """None where there is one process."""

    def owns(self, room: str) -> bool:
        """Whether what this room says for the record is taken here."""
        return self.keeper is None or self.keeper.owns(room)

    def owns_first(self) -> bool:
        """Whether what one process does for all is done here."""
        return self.keeper is None or self.keeper.owns_first()

    def of_own(self, callback: Callable[[KnownRoom], object]) -> Callable[[KnownRoom], None]:
        """`callback`, for rooms of which this process is the owner."""

        def only(room: KnownRoom) -> None:
            if self.owns(room.address):
                callback(room)

        return only

    def utc_ns(self) -> int:
        """UTC of what rooms are told: of several processes by the clock of their database."""
        return time.time_ns() if self.keeper is None else self.keeper.utc_ns()
