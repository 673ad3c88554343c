"""Two processes of one center in this process of the tests, on a PostgreSQL, each the owner of half of the rooms."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from tests.support.peers.center_peers import Served
from tests.support.peers.process_here import process_at


@contextlib.asynccontextmanager
async def two_processes(file: Path, broker_port: int, room: str) -> AsyncIterator[tuple[Served, Served]]:
    """The owner of a room, which is enrolled, and the other one."""
    async with process_at(file, broker_port, 1) as first, process_at(file, broker_port, 2) as second:
        await first.enroll()
        await second.center.enrollment.refresh()
        keepers = [one.center.share.keeper for one in (first, second)]
        while not (keepers[0].count == keepers[1].count == 128 and any(one.owns(room) for one in keepers)):
            for keeper in keepers:
                await keeper.step()  # not at its time, so that nobody waits
        for keeper in keepers:
            await keeper.step()
        yield (first, second) if keepers[0].owns(room) else (second, first)
