"""Owners and a gateway of one center, as processes of their own that are killed and started again."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
from sqlalchemy import func, select

from server.leases.lease_rows import center_processes, leases
from server.leases.shards import SHARDS
from server.store.database import Database
from sync.errors import WutongError
from wutong.bench.center.measured_center import MeasuredCenter
from wutong.demo.preflight import check_port
from wutong.demo.processes import Child

FIRST = 2
"""The number of the first one: the port before it is the broker's."""
START_S = 120.0
AGAIN_S = 60.0
"""A take-over that takes longer ends the measurement."""
TURN_S = 0.02


@dataclass(frozen=True, slots=True)
class OneNumber:
    """One of them."""

    number: int
    url: str
    child: Child


class NumberedProcesses:
    """Made by `start`, in the place of the one process of a measured center; they end with it."""

    def __init__(self, center: MeasuredCenter, database: Database, owners: int) -> None:
        self._center = center
        self._database = database
        self._port = int(center.wires.center_url.rpartition(":")[2])
        self.owners = [self._begin(FIRST + n) for n in range(owners)]
        self.gateway = self._begin(FIRST + owners, "--gateway")

    def _begin(self, number: int, *more: str) -> OneNumber:
        check_port(self._port + number, f"process {number}")
        config = str(self._center.folder / "center.toml")
        command = [sys.executable, "-m", "wutong", "server", "--config", config, "--process", str(number), *more]
        child = self._center.processes.start(f"center-{number}", command)
        return OneNumber(number, f"http://127.0.0.1:{self._port + number}", child)

    async def ready(self) -> None:
        """Until all of them answer and each owner has its share."""
        async with httpx.AsyncClient(timeout=2, trust_env=False) as http:
            for one in (*self.owners, self.gateway):
                await self.wait(lambda one=one: _answers(http, one), f"process {one.number}", START_S)  # type: ignore[misc]
        await self.wait(self._is_shared, "the shares of the owners", START_S)

    async def name_of(self, one: OneNumber) -> str:
        """By which its leases are known, in this life."""
        c = center_processes.c
        query = select(c.name).where(c.number == one.number).order_by(c.until_ms.desc()).limit(1)
        return str(await self._database.read(lambda connection: connection.execute(query).scalar_one()))

    async def owns_nothing(self, name: str) -> bool:
        """Whether others have all that this life of a process has owned."""
        query = select(func.count()).where(leases.c.owner.in_((name, "")))
        return not await self._database.read(lambda connection: connection.execute(query).scalar_one())

    @staticmethod
    def kill(child: Child) -> None:
        """As the kernel does when memory runs out."""
        child.signal_group(signal.SIGKILL)
        if child.process is not None:
            child.process.wait()

    async def wait(self, condition: Callable[[], Awaitable[bool]], what: str, most_s: float = AGAIN_S) -> None:
        """Until it is so; `WutongError` when it takes too long."""
        begun_s = time.monotonic()
        while not await condition():
            if time.monotonic() - begun_s > most_s:
                words = [one.child.last_words(1)[:200] for one in (*self.owners, self.gateway)]
                raise WutongError(f"{what}: not there after {most_s:g} s; the last words of the processes: {words}")
            await asyncio.sleep(TURN_S)

    async def _is_shared(self) -> bool:
        c = leases.c
        names = {await self.name_of(one) for one in self.owners}
        query = select(c.owner, func.count()).group_by(c.owner)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        shares = {str(owner): int(count) for owner, count in rows}
        return shares.keys() == names and max(shares.values()) == -(-SHARDS // len(names))


async def _answers(http: httpx.AsyncClient, one: OneNumber) -> bool:
    if one.child.pid is None:
        raise WutongError(f"process {one.number} did not start: {one.child.last_words()}")
    try:
        return (await http.get(f"{one.url}/api/session")).status_code == 401
    except httpx.HTTPError:
        return False
