"""Two processes of one center in this process of the tests, on a PostgreSQL, each the owner of half of the rooms."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from server.config import load_config
from server.leases.center_process import as_process
from server.running import running
from server.service import build
from tests.support.peers.center_peers import Served, until


@contextlib.asynccontextmanager
async def process_at(file: Path, broker_port: int, number: int) -> AsyncIterator[Served]:
    """The process of this number of the center that is configured in `file`."""
    config, mine = as_process(load_config(file), number)
    center = build(config, mine)
    async with running(center, config.web.host, config.web.port) as port:
        await until(lambda: center.broker.connected)
        yield Served(f"http://127.0.0.1:{port}", broker_port, config.storage.data, center)


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
