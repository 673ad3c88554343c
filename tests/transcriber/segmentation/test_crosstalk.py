"""What is said at two seats at once: an echo is written once, two people who answer alike are both written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.clocks.paced_scheduler import Played
from tests.support.rooms.transcriber_room import RATE_HZ, Pcm, TranscriberRoom, hearing_civil
from transcriber.segmentation.crosstalk import CrosstalkFilter, explains
from transcriber.segmentation.endpointer import Endpointer, Turn

Sound = NDArray[np.float64]
SAME = "没有异议。"


def said(from_s: float, to_s: float, channel: int) -> Sound:
    """A part of the mock hearing at the seat of who speaks, with silence after it."""
    part = hearing_civil(from_s, to_s)[:, channel].astype(np.float64)
    return np.concatenate([part, np.zeros(RATE_HZ)])


def two_answers() -> tuple[Sound, Sound]:
    """The plaintiff's and the defendant's 没有异议, each as loud as it was said."""
    one, other = said(49.3, 50.4, 1), said(50.9, 52.0, 2)
    length = min(len(one), len(other))
    return one[:length], other[:length]


def below(sound: Sound, of: Sound, db: float) -> Sound:
    """`sound`, so many dB below another."""
    scaled: Sound = sound * np.sqrt((of**2).mean() / (sound**2).mean()) * 10 ** (db / 20)
    return scaled


def through_the_room(sound: Sound, direct_db: float) -> Sound:
    """As a far microphone hears it: 3 ms later, with an echo that dies in 0.4 s and is `direct_db` below the sound."""
    chance = np.random.default_rng(7)
    times = np.arange(int(0.35 * RATE_HZ)) / RATE_HZ
    echo = chance.standard_normal(len(times)) * 10 ** (-3 * times / 0.4)
    echo *= 10 ** (-direct_db / 20) / np.sqrt((echo**2).sum())
    echo[48] += 1
    return np.convolve(sound, echo)[: len(sound)]


def microphones(*sounds: Sound) -> Pcm:
    """Channels with a little noise of their own."""
    noise = np.random.default_rng(2).standard_normal((len(sounds[0]), len(sounds))) * 10
    return np.clip(np.stack(sounds, axis=1) + noise, -32768, 32767).astype(np.int16)


def turns(*sounds: Sound) -> list[Turn]:
    """The turn of each microphone, as if the gate had let it through."""
    found = []
    pcm = microphones(*sounds)
    for channel in range(len(sounds)):
        endpointer = Endpointer([0], 1)
        [turn] = [*endpointer.feed(0, pcm[:, channel : channel + 1]), *endpointer.end()]
        turn.channel = channel
        found.append(turn)
    return found


def with_written(louder: Turn) -> CrosstalkFilter:
    with_it = CrosstalkFilter()
    with_it.note(louder, SAME)
    return with_it


@pytest.mark.parametrize("softer_db", [-4.0, -6.0, -10.0])
@pytest.mark.parametrize("bleed_db", [None, -15.0, -10.0])
def test_two_people_who_answer_alike_at_once_both_keep_their_words(softer_db: float, bleed_db: float | None) -> None:
    one, other = two_answers()
    other = below(other, one, softer_db)
    first, second = one, other
    if bleed_db is not None:
        bleed_db = min(bleed_db, softer_db - 4)  # else the gate hears no second voice in it
        first = one + below(through_the_room(other, 0), other, bleed_db)
        second = other + below(through_the_room(one, 0), one, bleed_db)
    louder, softer = turns(first, second)
    assert not with_written(louder).elsewhere(softer, SAME, [])
    assert not CrosstalkFilter().elsewhere(softer, SAME, [(louder, "没有异议")])


@pytest.mark.parametrize("direct_db", [20.0, 6.0, 0.0, -6.0])
@pytest.mark.parametrize("softer_db", [-5.0, -12.0])
def test_an_echo_is_known_by_its_sound(direct_db: float, softer_db: float) -> None:
    one, _ = two_answers()
    louder, softer = turns(one, below(through_the_room(one, direct_db), one, softer_db))
    assert with_written(louder).elsewhere(softer, SAME, [])
    assert not with_written(softer).elsewhere(louder, SAME, [])  # the louder one is nobody's echo
    assert not with_written(louder).elsewhere(softer, "我不同意他的意见。", [])
    assert not with_written(louder).elsewhere(louder, SAME, [])


def test_too_little_sound_explains_nothing() -> None:
    one, _ = two_answers()
    louder, softer = turns(one, below(one, one, -6))
    assert explains(louder, softer) > 0.9
    softer.end_ns = softer.start_ns + 200_000_000
    assert explains(louder, softer) == 0.0


@pytest.fixture
def room(tmp_path: Path) -> Iterator[TranscriberRoom]:
    made = TranscriberRoom(tmp_path, 2)
    made.say("open", 0, case={})
    yield made
    made.log.close()


def test_the_record_has_both_answers(room: TranscriberRoom) -> None:
    one, other = two_answers()
    played = Played(room, microphones(one, below(other, one, -6)))  # this engine hears the same words in both
    assert [u["seat"] for u in sorted(played.utterances, key=lambda u: u["seat"])] == ["seat-0", "seat-1"]
    texts = [u["text"][:2] for u in played.utterances]
    assert texts[0] == texts[1] != ""
