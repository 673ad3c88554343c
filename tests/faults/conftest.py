"""Real services whose machine fails them; everything that is started here ends with its test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.faults import fault_tools
from tests.support.peers.pulse_peer import PulsePeer
from tests.support.rooms.recorder_room import RecorderRoom, profile_text


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """On a machine that is busy with other things, twenty kills take their time."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(400))


@pytest.fixture
async def room_of(tmp_path: Path) -> AsyncIterator[Callable[..., RecorderRoom]]:
    rooms: list[RecorderRoom] = []

    def make(text: str | None = None, environment: dict[str, str] | None = None) -> RecorderRoom:
        rooms.append(RecorderRoom(tmp_path, text or profile_text(), environment))
        rooms[-1].start()
        return rooms[-1]

    yield make
    for room in rooms:
        await room.close()


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fault_tools.build(tmp_path_factory.mktemp("interpose"))


@pytest.fixture
def card(tmp_path: Path) -> Iterator[PulsePeer]:
    peer = PulsePeer(tmp_path / "pulse", channels=4, rate_hz=16_000)
    yield peer
    peer.stop()
