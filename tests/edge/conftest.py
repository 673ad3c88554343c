"""A running room."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.rooms.edge_room import Room, enroll


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("people")
    return folder, enroll(folder)


@pytest_asyncio.fixture
async def room(tmp_path: Path, people: tuple[Path, str]) -> AsyncIterator[Room]:
    async with Room(tmp_path, *people) as running:
        yield running
