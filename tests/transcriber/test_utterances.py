"""Words that no record can hold: the turn is a line all the same, and nobody is asked for it for ever."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from hardware.profile import load_profile
from sync.room.feed import FeedServer
from tests.support.rooms.transcriber_room import HEARING, S, TranscriberRoom
from transcriber.backlog import HearingJob
from transcriber.recognition.recognizer import Transcription, Word
from transcriber.segmentation.endpointer import Turn
from transcriber.unheard import UNHEARD
from transcriber.utterances import UtteranceWriter


class OneVoice:
    """Whoever sits there says it."""

    async def whose(self, hearing: str, seat: Any, samples: Any) -> tuple[str, str]:
        return "v1", seat.role


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (Transcription("没有异议", (Word("没有异议", 0.1, 0.9, 0.9),), 0.9), "没有异议"),
        (Transcription("没有异议", (), math.nan), UNHEARD),
        (Transcription("没有异议", (), math.inf), UNHEARD),
        (Transcription("没有异议", (Word("没有异议", 0.1, 0.9, math.nan),), 0.9), UNHEARD),
        (Transcription("没有异议", (Word("没有异议", math.nan, 0.9, 0.9),), 0.9), UNHEARD),
        (Transcription("没有异议", (Word("没有异议", 0.1, math.inf, 0.9),), 0.9), UNHEARD),
        (Transcription("没有\ud800", (), 0.9), UNHEARD),
    ],
    ids=["honest", "nan", "infinite", "a word's nan", "no beginning", "no end", "half a character"],
)
async def test_a_turn_whose_words_cannot_be_written_is_one_that_was_not_heard(
    tmp_path: Path, made: Transcription, text: str
) -> None:
    room = TranscriberRoom(tmp_path, 1)
    room.say("open", 0, case={})
    profile = load_profile(room.profile)
    writer = UtteranceWriter(
        seats={seat.channel: seat for seat in profile.seats},
        room_log=room.log,
        clock=room.clock,
        feed=FeedServer(tmp_path / "feed"),
        voices=OneVoice(),  # type: ignore[arg-type]  # of whom only this is asked
    )
    turn = Turn(profile.seats[0].channel, S, S, 2 * S)
    event = await writer.write(HearingJob(HEARING, 0, 1), turn, made)
    assert event.body["text"].rstrip("。") == text
    assert [e.body["id"] for e in room.utterances()] == [event.body["id"]]
    room.log.close()
