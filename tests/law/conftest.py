"""The lines of the law, shown with the real parts: a center with its broker, a room's edge, a room's recorder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.exports.honest_exports import authority, center, forge, honest, media, place
from tests.support.peers.center_fixtures import broker_port, center_at
from tests.support.peers.center_peers import RoomPeer, Served
from tests.support.rooms.edge_room import Room, enroll
from tests.support.rooms.recorder_room import RecorderRoom, profile_text

__all__ = ["authority", "broker_port", "center", "forge", "honest", "media", "place"]
"""The honest exports of tests/attacks; `center` there is a key, a center that runs is `archive` here."""


@pytest_asyncio.fixture
async def archive(tmp_path: Path, broker_port: int) -> AsyncIterator[Served]:
    """A center in this process, connected to its broker."""
    async with center_at(tmp_path, broker_port) as here:
        yield here


@pytest_asyncio.fixture
async def sender(archive: Served) -> AsyncIterator[RoomPeer]:
    """The room court1/c03 as the center knows it."""
    peer = await RoomPeer(archive.broker_port).start()
    yield peer
    peer.stop()


@pytest.fixture(scope="session")
def clerk_of_all(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("people")
    return folder, enroll(folder)


@pytest_asyncio.fixture
async def courtroom(tmp_path: Path, clerk_of_all: tuple[Path, str]) -> AsyncIterator[Room]:
    """A real edge with a signed-in clerk."""
    async with Room(tmp_path, *clerk_of_all) as running_room:
        yield running_room


@pytest_asyncio.fixture
async def recorder(tmp_path: Path) -> AsyncIterator[RecorderRoom]:
    """A real recorder with simulated devices."""
    room = RecorderRoom(tmp_path, profile_text())
    room.start()
    yield room
    await room.close()
