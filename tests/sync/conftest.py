"""Peers of the uplink, started on free ports and stopped by pid."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from sync.uplink.trust.trusted_center import TrustedCenter
from tests.support.peers.device_signatures import know_center
from tests.support.peers.uplink_peers import ADDRESS, CenterPeer, Mosquitto


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    mosquitto = Mosquitto(tmp_path / "broker")
    mosquitto.start()
    yield mosquitto
    mosquitto.kill()


@pytest.fixture
def center(broker: Mosquitto) -> Iterator[CenterPeer]:
    peer = CenterPeer(broker)
    yield peer
    peer.stop()


@pytest.fixture
def layout(tmp_path: Path) -> RoomPaths:
    """Of a room that is enrolled at the center of these tests."""
    made = RoomPaths(tmp_path / "data")
    know_center(made)
    return made


@pytest.fixture
def trusted(layout: RoomPaths) -> TrustedCenter:
    return TrustedCenter(layout, ADDRESS)


@pytest.fixture
def room_log(layout: RoomPaths) -> Iterator[RoomLog]:
    log = RoomLog(layout.log)
    yield log
    log.close()


@pytest.fixture
def clock(layout: RoomPaths) -> RoomClock:
    return RoomClock.open(layout.clock)


@pytest.fixture(scope="session")
def moving_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds of fragmented H.264 as a worker writes it."""
    path = tmp_path_factory.mktemp("media") / "moving.mp4"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25", "-t", "6"]
    command += ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p"]
    command += ["-movflags", "empty_moov+default_base_moof+frag_every_frame+skip_trailer", "-y", str(path)]
    subprocess.run(command, check=True)
    return path
