"""Real services whose machine fails them; everything that is started here ends with its test."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS / folder) for folder in ("recorder", "peers", "sync") if str(TESTS / folder) not in sys.path]

import fault_tools  # noqa: E402 (the path first)
from pulse_peer import PulsePeer  # noqa: E402 (the path is set above)
from recorder_room import RecorderRoom, profile_text  # noqa: E402 (the path is set above)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """On a machine that is busy with other things, twenty kills take their time."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
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
