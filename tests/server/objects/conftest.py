from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.peers.center_fixtures import center_at
from tests.support.peers.center_peers import Served
from tests.support.peers.seaweed_server import SeaweedServer, bucket_keys, seaweed

__all__ = ["bucket_keys", "seaweed"]


@pytest.fixture
def bucket(seaweed: SeaweedServer) -> str:
    """One in which nothing is."""
    return seaweed.empty_bucket()


@pytest_asyncio.fixture
async def served(tmp_path: Path, broker_port: int, seaweed: SeaweedServer, bucket: str) -> AsyncIterator[Served]:
    """A center whose files are in a bucket."""
    async with center_at(tmp_path, broker_port, objects=seaweed.table(bucket)) as here:
        yield here
