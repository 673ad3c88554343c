"""Fault 1: `kill -9` of each process at random moments, also inside an `mdat`; of all at once.

Done: twenty kills of a real room, in turns the recorder (in every second case at the moment in which a file grows), its
camera, its microphones, their encoder, its uplink, and every process of the room at once. `wutong bench kill` does two
hundred.
Lost: nothing that was acknowledged; less than half a second of media that was captured and on no disk yet.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from sync.record.hearing import Hearing
from tests.support.rooms.recorder_room import RecorderRoom
from wutong.bench.kill.measure import measure


@pytest.mark.alone
async def test_twenty_kills_lose_nothing_acknowledged(tmp_path: Path) -> None:
    os.sync()  # what tests before this one wrote is not to be waited for by the recorder's first syncs
    figures = await measure(tmp_path, 20, Console(quiet=True), seed=8, services=("recorder", "uplink"))
    assert figures["times"] == 20
    assert figures["acknowledged_fragments"] > 100
    assert figures["acknowledged_lost"] == 0
    assert figures["media_lost_ms_max"] <= 500
    assert figures["recording_again_s_max"] <= 5
    assert figures["gaps_undeclared_ms"] == 0
    assert figures["gaps_false_ms"] == 0
    assert figures["orphans"] == 0


async def test_what_an_earlier_hearing_lacks_is_declared_though_another_is_open(
    room_of: Callable[..., RecorderRoom],
) -> None:
    room = room_of()
    await room.until(room.running, "all sources run")
    room.say("open", case={}, seats=[], tracks=[])
    await room.pass_media("mics", 1)
    await room.end(signal.SIGKILL)
    closed_ns = room.say("close")
    room.hearing = "h-2"
    room.say("open", case={}, seats=[], tracks=[])
    room.start()
    await room.until(lambda: room.running() and all(t["kept"] for t in room.status["tracks"]), "the second is kept")

    def first() -> Hearing:
        return Hearing.of("h-1", room.log.of_hearing("h-1"))

    await room.until(
        lambda: len({g.track for g in first().gaps if g.to_ns == closed_ns}) == 3,
        "the end of the first is declared for each track",
    )
    assert {max(g.to_ns or 0 for g in first().gaps if g.track == t) for t in ("bench", "mics", "mix")} == {closed_ns}
    room.say("close")
    view = await room.closed("bench", "mics", "mix")
    assert {min(g.from_ns for g in view.gaps if g.track == t) for t in ("bench", "mics", "mix")} == {view.opened_ns}
