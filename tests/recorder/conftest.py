"""Recorders that are started for a test and are gone after it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.support.rooms.recorder_room import RecorderRoom, hearing_folder, profile_text


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
def acted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, object]:
    return hearing_folder(tmp_path_factory.mktemp("acted") / "hearing")
