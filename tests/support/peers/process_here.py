"""One of several processes of a center, run in the test's own process."""

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
async def process_at(file: Path, broker_port: int, number: int, *, is_gateway: bool = False) -> AsyncIterator[Served]:
    """The process of this number while the block runs, connected to the broker."""
    config, mine = as_process(load_config(file), number, is_gateway=is_gateway)
    center = build(config, mine)
    async with running(center, config.web.host, config.web.port) as port:
        await until(lambda: center.broker.connected)
        yield Served(f"http://127.0.0.1:{port}", broker_port, config.storage.data, center)
