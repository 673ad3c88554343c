"""Rooms that are stopped when their test ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.rooms.transcriber_room import TranscriberRoom
from transcriber.recognition.engines.whisper import Whisper
from transcriber.recognition.model_files import locate


@pytest.fixture
def make_room(tmp_path: Path) -> Iterator[Callable[[int], TranscriberRoom]]:
    rooms: list[TranscriberRoom] = []

    def make(channels: int) -> TranscriberRoom:
        rooms.append(TranscriberRoom(tmp_path, channels))
        return rooms[-1]

    yield make
    for room in rooms:
        room.stop()
        room.log.close()


@pytest.fixture(scope="session")
def whisper() -> Whisper:
    return Whisper(locate("base"))
