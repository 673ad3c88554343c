from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from server.config import load_config
from server.service import build, running
from tests.support.peers.center_peers import RoomPeer, Served, config_text, fragmented_mp4, free_port, mosquitto


@pytest.fixture
def broker_port(tmp_path: Path) -> Iterator[int]:
    port = free_port()
    with mosquitto(tmp_path, port):
        yield port


@pytest_asyncio.fixture
async def served(tmp_path: Path, broker_port: int) -> AsyncIterator[Served]:
    """A center in this process, connected to its broker."""
    data = tmp_path / "center"
    file = tmp_path / "center.toml"
    file.write_text(config_text(data, broker_port))
    center = build(load_config(file))
    async with running(center, "127.0.0.1", 0) as port:
        here = Served(f"http://127.0.0.1:{port}", broker_port, data, center)
        await here.enroll()
        yield here


@pytest_asyncio.fixture
async def room(served: Served) -> AsyncIterator[RoomPeer]:
    """The room court1/c03, connected."""
    peer = await RoomPeer(served.broker_port).start()
    yield peer
    peer.stop()


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
