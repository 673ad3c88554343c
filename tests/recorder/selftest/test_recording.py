"""The recorder's part of a self-test with real devices: a loudspeaker that PortAudio plays and microphones hear."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from recorder.selftest import evidence
from sync.room.feed import FeedClient, FeedServer
from tests.support.peers.pulse_peer import PulsePeer
from tests.support.rooms.recorder_room import SIMULATED_CAMERA, RecorderRoom, profile_text

pytestmark = pytest.mark.timeout(240)
RoomOf = Callable[..., RecorderRoom]


class Edge:
    """Gives the orders that the edge gives, and hears what becomes of them."""

    def __init__(self, room: RecorderRoom) -> None:
        self.room = room
        self.feed = FeedServer(room.layout.feed("edge"))

    async def test(self, name: str, **order: Any) -> dict[str, Any]:
        """The recorder's last word of a test."""
        at_ns = self.room.clock.now_ns()
        self.feed.publish_json("test-record", {"id": name, "at_ns": at_ns, **order}, retain=True)
        async for _, payload in FeedClient(self.room.layout.feed("recorder"), ["selftest"]).messages():
            outcome = dict(json.loads(payload))
            if outcome["id"] == name and outcome["state"] != "keeping":
                break
        self.feed.forget("test-record")
        return outcome


@pytest.fixture
async def edge_of() -> AsyncIterator[Callable[[RecorderRoom], Any]]:
    edges: list[Edge] = []

    async def make(room: RecorderRoom) -> Edge:
        edges.append(Edge(room))
        await edges[-1].feed.start()
        return edges[-1]

    yield make
    for edge in edges:
        await edge.feed.stop()


async def test_a_real_loudspeaker_is_heard_by_every_microphone(
    room_of: RoomOf, edge_of: Callable[[RecorderRoom], Any], tmp_path: Path
) -> None:
    card = PulsePeer(tmp_path / "pulse", channels=4, rate_hz=16_000)
    try:
        mics = 'driver = "pyaudio"\ndevice = "courtroom"\nchannels = 4\n'
        text = profile_text(mics, SIMULATED_CAMERA) + '[selftest]\nloudspeaker = "loudspeaker"\n'
        room = room_of(text, card.environment)
        edge = await edge_of(room)
        await room.until(room.running, "the sound card is heard")
        outcome = await edge.test("t1")
        assert outcome["state"] == "kept", outcome
        assert outcome["tone"] == {"played": True, "why": ""}, outcome
        files = [room.layout.selftests / "t1" / one["file"] for one in outcome["tracks"]["mics"]["files"]]
        sounds = [evidence.decode(path) for path in files]
        assert [evidence.no_marker(sounds, channel, "t1") for channel in range(4)] == [""] * 4
        assert evidence.no_marker(sounds, 0, "t2").startswith("录音中找不到"), "another test's tone proves nothing"
        assert not (room.layout.data / "hearings").exists()
        assert room.log.since(0) == [], "a test is no event of the recorder"

        # A hearing that is open is never disturbed, and an earlier test's files go when the next begins.
        room.say("open")
        await room.record(1, "bench", "mics")
        refused = await edge.test("t2")
        assert (refused["state"], refused["why"]) == ("aborted", "庭审正在进行")
        room.say("close")
        await room.until(lambda: room.status.get("hearing") is None, "the close")
        again = await edge.test("t3", listen_s=0.5)
        assert again["state"] == "kept"
        assert [path.name for path in room.layout.selftests.iterdir()] == ["t3"]
        assert "没有任何信号" in evidence.no_marker([evidence.decode(path) for path in _mics(room, again)], 0, "t3")
    finally:
        card.stop()


def _mics(room: RecorderRoom, outcome: dict[str, Any]) -> list[Path]:
    return [room.layout.selftests / outcome["id"] / one["file"] for one in outcome["tracks"]["mics"]["files"]]
