"""Keeps this process's leases: renews them, takes its fair share, gives back what is too much, and stops in time.

Promises: `owns` says yes only while no other process can own the room. A lease counts from before it was asked for, by
a clock of this machine that goes on while the process, or the machine, stands still; a `MARGIN` before it can have
ended in the database nothing is done as an owner any more. Of a process that is gone what it owned is taken as soon as
its lease has ended, at most `lease_s` and a moment later; of one that ends in order, at the next round.

Who has not reached the database for as long as a lease lasts takes nothing of others in its first round after that: all
have been cut off, and each is to find its own again. A gateway takes nothing; it learns here who owns which room.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from server.leases.center_process import CenterProcess
from server.leases.lease_fence import LeaseFence
from server.leases.lease_rows import LeaseRound, give_back, leave, renew, twin_of
from server.leases.shards import shard_of
from server.store.refusals import refusal_of
from sync.errors import ConfigError, StorageError
from sync.runtime.listeners import Listeners
from sync.runtime.units import NS_PER_S

log = structlog.get_logger(__name__)

T = TypeVar("T")

RENEWALS = 3
"""In the time of a lease."""
AGAIN_S = 0.5
"""After a round that failed."""
SOON_S = 0.05
MARGIN = 0.25
"""Of a lease: so much before it ends nothing is done as an owner any more."""
TWIN = 2
"""So many leases long another process of the same number may still be listed that is gone."""


def boot_s() -> float:
    """Seconds that go on while this process is stopped or the machine suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class LeaseKeeper:
    """All methods belong to one event loop, unless they say otherwise."""

    def __init__(
        self, engine: Engine, mine: CenterProcess, rooms: Collection[str], *, clock_s: Callable[[], float] = boot_s
    ) -> None:
        """`rooms`: all that are known at first."""
        self.mine = mine
        self.fence = LeaseFence(mine, self._lost_in_writing)
        self.gained = Listeners[[frozenset[str]]]()
        """Told of the rooms that this process owns from now on."""
        self.lost = Listeners[[frozenset[str]]]()
        """Told of those that it owns no more."""
        self.preparing: Collection[str] = frozenset()
        """Rooms that are this process's, and of which is still being read what earlier owners have left."""
        self._engine = engine
        self._clock_s = clock_s
        self._lease_s = mine.lease_s
        self._renew_s = mine.lease_s / RENEWALS
        self._soon_s = AGAIN_S if mine.is_gateway else SOON_S
        """So soon behind the end of somebody's lease it looks; who takes nothing looks who has taken it."""
        self._shards = {room: shard_of(room) for room in rooms}
        self._thread = ThreadPoolExecutor(1, "leases")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._acting: frozenset[int] = frozenset()
        self._until_s = float("-inf")
        self._asked_s = float("-inf")
        """When the last round began that was answered."""
        self._tokens: Mapping[int, int] = {}
        self._has_started = False
        self._is_ending = False
        self._addresses: dict[int, str] = {}
        self._ahead_ns = 0
        """How far the database's clock is ahead of this machine's."""
        self._why = ""
        self.rounds_failed = 0
        """Rounds that the database did not answer."""

    def owns(self, room: str) -> bool:
        """Whether this process is the owner of a room now, and ready for it."""
        return self.has(room) and room not in self.preparing

    def has(self, room: str) -> bool:
        """Whether a room is this process's now, ready or not."""
        shard = self._shards.get(room)
        return shard is not None and shard in self._acting and self._clock_s() < self._until_s

    def owns_first(self) -> bool:
        """Whether this process does what one process does for all: it is the owner of the first shard."""
        return 0 in self._acting and self._clock_s() < self._until_s

    @property
    def count(self) -> int:
        """How many shards this process owns."""
        return len(self._acting) if self._clock_s() < self._until_s else 0

    @property
    def round_age_s(self) -> float | None:
        """How long ago the last round began that was answered; None before the first."""
        return None if self._asked_s == float("-inf") else self._clock_s() - self._asked_s

    def add(self, room: str) -> None:
        """A room is new; whose it is its shard tells."""
        self._shards[room] = shard_of(room)
        if self.has(room):
            self.gained.notify(frozenset((room,)))

    def remove(self, room: str) -> None:
        """A room is none any more: it is nobody's."""
        was_mine = self.has(room)
        self._shards.pop(room, None)
        if was_mine:
            self.lost.notify(frozenset((room,)))

    def owner_of(self, room: str) -> str:
        """Where the owner of a room is reached; "" while it has none, or is this process."""
        return "" if self.has(room) else self._addresses.get(shard_of(room), "")

    def utc_ns(self) -> int:
        """UTC as the database has it: what one process says is later than what another said before it."""
        return time.time_ns() + self._ahead_ns

    async def start(self) -> None:
        """Take what is free. `ConfigError` when another process of this number runs."""
        self._loop = asyncio.get_running_loop()
        until_s = self._clock_s() + TWIN * self._lease_s
        while twin := await self._twin():
            if self._clock_s() > until_s:
                await self.stop()
                raise ConfigError(
                    f"编号 {self.mine.number} 的中心进程已在运行 (a process of this center with the number "
                    f"{self.mine.number} runs already, {twin[:8]}); give this one another --process"
                )
            await asyncio.sleep(AGAIN_S)
        self._has_started = True

    async def run(self) -> None:
        """Renew for ever."""
        while True:
            try:
                async with asyncio.timeout(await self.step()):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()

    async def step(self) -> float:
        """One round; in how many seconds the next is due."""
        if self._is_ending:  # who has said goodbye and asks again would take part of the rooms back, for nobody
            return self._renew_s
        try:
            found = await self._round()
        except StorageError as error:
            self.rounds_failed += 1
            if error.message != self._why:
                log.error("leases_not_renewed", why=error.message, until_s=round(self._until_s - self._clock_s(), 1))
            self._why = error.message
            if self._clock_s() >= self._until_s:
                self._act_for(frozenset())
            return AGAIN_S
        self._why = ""
        if found.ended:
            log.warning("transactions_ended", count=found.ended, why="a process that lives no more had left them open")
        if found.surplus:
            self._act_for(self._acting - found.surplus)
            try:
                await self._in_thread(lambda c: give_back(c, self.mine, found.surplus))
            except StorageError as error:
                log.warning("leases_not_given_back", why=error.message, next="they are given back in the next round")
        if found.next_end_ms is None:
            return self._renew_s
        return max(self._soon_s, min(self._renew_s, (found.next_end_ms - found.now_ms) / 1000 + SOON_S))

    def stop_acting(self) -> None:
        """Own nothing from now on; what is being written is still kept, or refused, by the database."""
        self._is_ending = True
        self._act_for(frozenset())

    async def stop(self) -> None:
        """Let the others take over at once."""
        self.stop_acting()
        try:
            await self._in_thread(lambda c: leave(c, self.mine))
        except StorageError as error:
            log.warning("leases_not_given_back", why=error.message, next="others take them when they have ended")
        await asyncio.to_thread(self._thread.shutdown)

    async def _twin(self) -> str:
        """Become one of the processes, unless another one of this number lives; its name."""
        return await self._in_thread(lambda c: twin_of(c, self.mine)) or (await self._round()).twin

    async def _round(self) -> LeaseRound:
        asked_s, asked_ns = self._clock_s(), time.time_ns()
        also_dead = asked_s - self._asked_s < self._lease_s
        lease_ms = round(self._lease_s * 1000)
        found = await self._in_thread(lambda c: renew(c, self.mine, lease_ms, also_dead=also_dead))
        self._asked_s = asked_s
        self._ahead_ns = found.now_ms * (NS_PER_S // 1000) - (asked_ns + time.time_ns()) // 2
        self._until_s = asked_s + self._lease_s * (1 - MARGIN)
        self._addresses = dict(found.addresses)
        self.fence.hold(found.tokens)
        if not self._is_ending and (self._has_started or not found.twin):
            # One that another has owned in between begins anew.
            same = frozenset(shard for shard in self._acting if found.tokens.get(shard) == self._tokens.get(shard))
            self._act_for(same)
            self._act_for(frozenset(found.tokens) - found.surplus)
        self._tokens = found.tokens
        return found

    async def _in_thread(self, work: Callable[[Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._do, work)

    def _do(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._engine.begin() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise refusal_of(error, "write") from error

    def _act_for(self, shards: frozenset[int]) -> None:
        before, self._acting = self._acting, shards
        gained, lost = self._rooms_of(shards - before), self._rooms_of(before - shards)
        if before != shards:
            log.info("leases_changed", shards=len(shards), gained=len(gained), lost=len(lost))
        if lost:
            self.lost.notify(lost)
        if gained:
            self.gained.notify(gained)

    def _rooms_of(self, shards: frozenset[int]) -> frozenset[str]:
        return frozenset(room for room, shard in self._shards.items() if shard in shards) if shards else frozenset()

    def _lost_in_writing(self, shards: frozenset[int]) -> None:
        """Called in the thread that writes."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._look_anew, shards)

    def _look_anew(self, shards: frozenset[int]) -> None:
        self._act_for(self._acting - shards)
        self._wake.set()
