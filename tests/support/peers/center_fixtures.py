"""A center in the process of the test, connected to a broker of its own: fixtures, for whoever names them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from server.config import load_config
from server.running import running
from server.service import build
from tests.support.files.migrated import new_store
from tests.support.peers.center_peers import RoomPeer, Served, config_text, mosquitto, until
from tests.support.ports import free_port


@contextlib.asynccontextmanager
async def center_at(folder: Path, broker_port: int, database: str = "", *, objects: str = "") -> AsyncIterator[Served]:
    """A center whose broker is reached at this port; the devices of both its rooms are enrolled. `objects`: the table
    `[s3]` of a bucket for its files."""
    file = folder / "center.toml"
    file.write_text(config_text(folder / "center", broker_port, database=database, objects=objects))
    config = load_config(file)
    if not database:
        new_store(config.storage.data / "center.db")
    center = build(config)
    async with running(center, "127.0.0.1", 0) as port:
        here = Served(f"http://127.0.0.1:{port}", broker_port, folder / "center", center)
        await here.enroll()
        # A peer sends nothing twice: what it publishes before the center has subscribed would be lost.
        await until(lambda: center.broker.connected)
        yield here


@pytest.fixture
def broker_port(tmp_path: Path) -> Iterator[int]:
    port = free_port()
    with mosquitto(tmp_path, port):
        yield port


@pytest_asyncio.fixture
async def served(tmp_path: Path, broker_port: int) -> AsyncIterator[Served]:
    async with center_at(tmp_path, broker_port) as here:
        yield here


@pytest_asyncio.fixture
async def room(served: Served) -> AsyncIterator[RoomPeer]:
    """The room court1/c03, connected."""
    peer = await RoomPeer(served.broker_port).start()
    yield peer
    peer.stop()
