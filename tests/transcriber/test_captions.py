"""What is shown of a turn while it goes on, and what is taken back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hardware.profile import Seat
from sync.room.feed import FeedServer
from transcriber.backlog import HearingJob
from transcriber.captions import Captions
from transcriber.recognition.recognizer import Transcription
from transcriber.segmentation.endpointer import Turn

JOB = HearingJob("h-1", 1_000_000_000, 1)
SEATS = {0: Seat(id="judge", roles=["审判长"], channel=0), 1: Seat(id="plaintiff", roles=["原告"], channel=1)}


class Published(FeedServer):
    """Keeps what is published."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.bodies: list[dict[str, Any]] = []

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        assert topic == "caption"
        self.bodies.append(json.loads(payload))


@pytest.fixture
def feed(tmp_path: Path) -> Published:
    return Published(tmp_path / "feed")


def turn(channel: int, start_s: float) -> Turn:
    start_ns = int(start_s * 1e9)
    return Turn(channel, start_ns, start_ns, start_ns + 500_000_000)


def test_a_caption_bears_the_name_of_its_utterance_and_the_role_of_its_seat(feed: Published) -> None:
    captions = Captions(SEATS, feed)
    captions.show(captions.of(JOB, turn(0, 3.0)), Transcription("现在开庭。"))
    [shown] = feed.bodies
    assert (shown["id"], shown["seat"], shown["role"]) == ("h-1-judge-2000", "judge", "审判长")
    assert "现在开庭。".startswith(shown["text"])
    assert shown["text"]


def test_what_turns_out_to_be_no_speech_is_withdrawn_once(feed: Published) -> None:
    captions = Captions(SEATS, feed)
    cough, speech, silent = turn(0, 3.0), turn(1, 3.0), turn(1, 9.0)
    for one in (cough, speech):
        captions.show(captions.of(JOB, one), Transcription("同意。"))
    captions.of(JOB, silent)
    captions.withdraw_all_but([speech])
    captions.withdraw_all_but([speech])
    assert [(body["seat"], body["text"]) for body in feed.bodies[2:]] == [("judge", "")]


def test_an_answer_about_a_turn_that_was_withdrawn_is_overtaken(feed: Published) -> None:
    """Who waits for the model shows its answer only where nothing was asked or decided since."""
    captions = Captions(SEATS, feed)
    caption = captions.of(JOB, turn(0, 3.0))
    caption.asked = mine = caption.asked + 1
    captions.withdraw_all_but([])
    assert caption.asked != mine


def test_a_finished_turn_is_no_longer_withdrawn_by_others_nor_compared(feed: Published) -> None:
    captions = Captions(SEATS, feed)
    first, second = turn(0, 3.0), turn(1, 3.0)
    for one in (first, second):
        captions.show(captions.of(JOB, one), Transcription("同意。"))
    assert captions.at_other_seats(second) == [(first, "同意。")]
    taken = captions.take(JOB, first)
    assert taken.shown
    assert captions.at_other_seats(second) == []
    captions.withdraw_all_but([second])
    assert len(feed.bodies) == 2
