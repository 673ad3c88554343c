from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.support.peers.entrance_here import EntranceHere, entrance_here


@pytest_asyncio.fixture
async def here(tmp_path: Path) -> AsyncIterator[EntranceHere]:
    async with entrance_here(tmp_path) as running:
        yield running
