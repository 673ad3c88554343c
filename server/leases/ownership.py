"""Whether this process is the owner of a room: always, where it is the only one of its center."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from server.leases.center_process import CenterProcess
from server.leases.lease_keeper import LeaseKeeper
from server.leases.lease_rows import living
from server.rooms import KnownRoom
from server.store.database import Database
from sync.errors import ConfigError


def owned_by(mine: CenterProcess | None, database: Database, rooms: Collection[str]) -> Ownership:
    """Of this process. `ConfigError` where it would be the only one, and there are others on this database."""
    if mine is not None:
        return Ownership(LeaseKeeper(database.engine, mine, rooms))
    numbers = database.read_now(living) if database.dialect == "postgresql" else []
    if numbers:
        raise ConfigError(
            f"本数据库上已有编号为 {numbers} 的中心进程在运行，请用 --process 启动"
            " (numbered processes of this center run on this database: start this one with --process N, or stop them)"
        )
    return Ownership()


ALONE, OWNER, GATEWAY = "alone", "owner", "gateway"


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

    @property
    def role(self) -> str:
        """What this process is among those of its center, as metrics and readiness say it."""
        if self.keeper is None:
            return ALONE
        return GATEWAY if self.keeper.mine.is_gateway else OWNER

    def of_own(self, callback: Callable[[KnownRoom], object]) -> Callable[[KnownRoom], None]:
        """`callback`, for rooms of which this process is the owner."""

        def only(room: KnownRoom) -> None:
            if self.owns(room.address):
                callback(room)

        return only

    def utc_ns(self) -> int:
        """UTC of what rooms are told: of several processes by the clock of their database."""
        return time.time_ns() if self.keeper is None else self.keeper.utc_ns()
