"""Each turn is cut once, and says when it ended, whatever ended it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.rooms.transcriber_room import HEARING, RATE_HZ, S, TranscriberRoom, hearing_civil
from transcriber.audio.decode import Block
from transcriber.audio.live import LiveAudio
from transcriber.backlog import Backlog
from transcriber.progress import ProgressFile
from transcriber.turn_queue import TurnQueue
from transcriber.turn_source import TurnSource

Make = Callable[[int], TranscriberRoom]
_SPEECH_AT_S = 4


class PlayedAudio(LiveAudio):
    """Sound that is all there already."""

    def __init__(self, folder: Path, blocks: list[Block]) -> None:
        super().__init__(folder)
        self._all = blocks

    def after(self, position_ns: int) -> Block | None:
        return next((b for b in self._all if b.to_ns > position_ns), None)


def spoken_sound() -> list[Block]:
    """Silence of the room, and from the fourth second on the plaintiff, who goes on for 4 s."""
    quiet, speech = hearing_civil(0.0, 1.0)[:, 1:2], hearing_civil(34.0, 38.0)[:, 1:2]
    seconds = [quiet] * _SPEECH_AT_S + [speech[i * RATE_HZ : (i + 1) * RATE_HZ] for i in range(4)]
    return [Block(i * S, pcm) for i, pcm in enumerate(seconds)]


@pytest.mark.parametrize("ended_by", ["pause", "close"])
async def test_a_turn_that_a_recess_or_the_close_cuts_says_when_it_ended(make_room: Make, ended_by: str) -> None:
    room = make_room(1)
    room.say("open", S)
    room.say(ended_by, 6 * S)
    backlog, queue = Backlog(), TurnQueue()
    backlog.apply(room.log.since(0))
    began_ns = room.clock.now_ns()
    source = TurnSource(
        layout=room.layout,
        clock=room.clock,
        live=PlayedAudio(room.folder / "feed", spoken_sound()),
        backlog=backlog,
        channels=[0],
        progress=ProgressFile(room.layout.data / "transcriber.json", room.log, {"seat-0": 0}),
        queue=queue,
    )
    cutting = asyncio.create_task(source.run())
    async with asyncio.timeout(20):
        while queue.first is None:
            await queue.wait_for_change(1.0)
    cutting.cancel()
    job, turn = queue.first
    assert job.hearing == HEARING
    assert _SPEECH_AT_S * S - S < turn.start_ns < turn.end_ns <= 6 * S
    assert began_ns <= turn.times.seen_ns <= turn.times.ended_ns <= room.clock.now_ns()
