from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.peers.center_fixtures import broker_port, center_at, room
from tests.support.peers.center_peers import Served, fragmented_mp4
from tests.support.peers.record_databases import database_url, for_each_database, postgres, store_url

__all__ = ["broker_port", "database_url", "postgres", "room", "store_url"]

pytest_generate_tests = for_each_database


@pytest_asyncio.fixture
async def served(tmp_path: Path, broker_port: int, store_url: str) -> AsyncIterator[Served]:
    async with center_at(tmp_path, broker_port, store_url) as here:
        yield here


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Four seconds of fragmented MP4."""
    return fragmented_mp4(tmp_path_factory.mktemp("footage") / "footage.mp4")


@pytest.fixture(scope="session")
def voices(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Four seconds of two microphones, as FLAC in fragments of 160 ms."""
    path = tmp_path_factory.mktemp("voices") / "mics.mp4"
    command = (
        "ffmpeg -v error -y -f lavfi -i sine=frequency=300:sample_rate=16000:duration=4 -ac 2 -c:a flac -strict -2 "
        "-movflags empty_moov+default_base_moof -frag_duration 160000 -f mp4"
    )
    subprocess.run([*command.split(), str(path)], check=True, timeout=60)
    return path.read_bytes()
