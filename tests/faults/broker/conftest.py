"""A real broker, a real center and a room's real uplink, each in a process of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.peers.center_process import CenterProcess
from tests.support.peers.uplink_peers import Mosquitto
from tests.support.rooms.uplink_room import UplinkRoom


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Processes start slowly on a machine that is busy with other things."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(400))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    made = Mosquitto(tmp_path / "broker")
    made.start()
    yield made
    made.kill()


@pytest.fixture
async def center(tmp_path: Path, broker: Mosquitto) -> AsyncIterator[CenterProcess]:
    made = CenterProcess(tmp_path, broker)
    await made.enroll()
    try:
        await made.start()
        yield made
    finally:
        made.kill()


@pytest.fixture
async def room(tmp_path: Path, broker: Mosquitto, center: CenterProcess) -> AsyncIterator[UplinkRoom]:
    """Enrolled at the center, and on line."""
    made = UplinkRoom(tmp_path / "room", broker, center.served.url)
    async with made.open(center.key):
        made.begin()
        made.start()
        await made.online()
        yield made
