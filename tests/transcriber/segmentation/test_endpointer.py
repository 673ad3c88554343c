"""Who speaks, and from when to when: on made-up sound and on the whole mock hearing."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from hardware.simulation.hearing_folder import HearingFolder
from tests.support.paths import SHARED
from tests.support.rooms.transcriber_room import Pcm, hearing_civil
from transcriber.segmentation.endpointer import LONGEST_S, PAUSE_S, Endpointer, Turn, pause_s
from wutong.bench.captions import conditions

RATE_HZ = 16_000


def cut(pcm: Pcm, from_ns: int = 0, step: int = 1920) -> list[Turn]:
    endpointer = Endpointer(list(range(pcm.shape[1])), pcm.shape[1])
    turns: list[Turn] = []
    for first in range(0, len(pcm), step):
        turns += endpointer.feed(from_ns + first * 62_500, pcm[first : first + step])
    return turns + endpointer.end()


@cache
def talk(channel: int, start: float, end: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Somebody of the mock hearing who never pauses: their quiet moments are cut out."""
    frames = hearing_civil(start, end)[:, channel].astype(np.float64)
    frames = frames[: len(frames) // 320 * 320].reshape(-1, 320) / 32768
    loud = np.sqrt((frames**2).mean(axis=1))
    spoken = frames[loud > 0.1 * np.median(loud)].reshape(-1)
    return np.asarray(spoken / np.sqrt((spoken**2).mean()))


def voice(seconds: float, level_db: float, seed: int = 1) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """One of two people, `seconds` long and without a pause."""
    spoken = talk(1, 78.2, 95.1) if seed % 2 else talk(2, 116.6, 124.0)
    spoken = np.roll(spoken, -seed * 8000)
    return np.resize(spoken, int(seconds * RATE_HZ)) * 10 ** (level_db / 20)


def scene(seconds: float, *parts: tuple[int, float, float], channels: int = 2, leak_db: float = -15) -> Pcm:
    """(channel, start, length): speech at a seat, leaking into the other microphones."""
    mixed = np.random.default_rng(0).standard_normal((int(seconds * RATE_HZ), channels)) * 10 ** (-65 / 20)
    for number, (channel, start, length) in enumerate(parts):
        sound = voice(length, -20, seed=number + 1)
        first = int(start * RATE_HZ)
        for c in range(channels):
            mixed[first : first + len(sound), c] += sound * (1 if c == channel else 10 ** (leak_db / 20))
    return (np.clip(mixed, -1, 1) * 32767).astype(np.int16)


def test_silence_and_steady_noise_are_nobody() -> None:
    assert cut(np.zeros((RATE_HZ * 10, 2), np.int16)) == []
    hum = np.random.default_rng(3).standard_normal((RATE_HZ * 20, 2)) * 300
    assert cut(hum.astype(np.int16)) == []


@pytest.mark.slow
def test_a_room_in_which_things_knock_is_nobody(tmp_path: Path) -> None:
    room = conditions.noise(tmp_path, HearingFolder(SHARED / "hearing-civil"), 60)
    assert cut(room.samples(RATE_HZ)) == []


def test_what_is_loud_but_no_voice_is_nobody() -> None:
    random = np.random.default_rng(4)
    pcm = random.standard_normal((RATE_HZ * 12, 2)) * 20
    for at in (2, 5, 8):  # a chair is moved, paper rustles: half a second, as loud as speech
        pcm[at * RATE_HZ : at * RATE_HZ + 8000, 0] += random.standard_normal(8000) * 4000
    assert cut(pcm.astype(np.int16)) == []


def test_a_turn_has_the_speech_and_a_little_before_it() -> None:
    [turn] = cut(scene(6, (0, 2.0, 1.5)), from_ns=100 * 10**9)
    assert turn.channel == 0
    assert turn.start_ns == pytest.approx(102.0e9, abs=0.1e9)
    assert turn.end_ns == pytest.approx(103.5e9, abs=0.15e9)
    assert 0.15e9 < turn.start_ns - turn.audio_ns < 0.35e9


def test_what_leaks_into_another_microphone_is_not_its_seat() -> None:
    for leak_db in (-18, -12, -9):
        turns = cut(scene(20, *[(i % 2, 1 + 3 * i, 2.0) for i in range(6)], leak_db=leak_db))
        assert [t.channel for t in turns] == [0, 1, 0, 1, 0, 1], leak_db


def test_two_who_talk_at_once_are_both_kept() -> None:
    turns = cut(scene(14, (0, 2, 3), (1, 6, 3), (0, 8, 3)))
    assert sorted((t.channel, round(t.start_ns / 1e9)) for t in turns) == [(0, 2), (0, 8), (1, 6)]


def test_the_longer_somebody_speaks_the_shorter_a_pause_ends_the_turn() -> None:
    pauses = [pause_s(seconds) for seconds in (0, 1, 3, 5, 7, 9)]
    assert pauses == sorted(pauses, reverse=True)
    assert pauses[0] == PAUSE_S
    short = scene(9, (0, 1, 1.5), (0, 2.8, 1.5))  # 0.3 s between them
    long = scene(16, (0, 1, 5), (0, 6.3, 5))
    assert len(cut(short)) == 1
    assert len(cut(long)) == 2


def test_what_follows_a_short_pause_has_its_beginning() -> None:
    [first, second] = cut(scene(16, (0, 1, 5), (0, 6.3, 5)))
    assert first.audio_ns + len(first.samples()) * 62_500 <= second.audio_ns
    assert second.audio_ns <= 6.27e9
    assert second.start_ns == pytest.approx(6.3e9, abs=0.15e9)


def test_what_was_said_so_far_is_what_the_turn_will_be_when_nothing_follows() -> None:
    pcm = scene(6, (0, 1, 2))
    endpointer = Endpointer([0, 1], 2)
    preflights: list[np.ndarray[tuple[int], np.dtype[np.float32]]] = []
    ended: list[Turn] = []
    for first in range(0, len(pcm), 320):
        ended += endpointer.feed(first * 62_500, pcm[first : first + 320])
        preflights += [t.spoken() for t in endpointer.turns if t.quiet_s >= 0.2]
    [turn] = ended
    assert preflights
    assert all(np.array_equal(sound, turn.samples()) for sound in preflights)


def test_a_long_turn_is_cut_and_nothing_of_it_is_lost() -> None:
    turns = cut(scene(40, (0, 2, 36)))
    assert len(turns) >= 4
    assert all(t.seconds <= LONGEST_S + 0.1 for t in turns)
    for before, after in pairwise(turns):
        assert before.audio_ns + len(before.samples()) * 62_500 <= after.audio_ns + 1
        assert after.start_ns - before.end_ns < 0.4e9
    assert sum(t.end_ns - t.start_ns for t in turns) > 34.5e9
    assert turns[-1].end_ns == pytest.approx(38e9, abs=0.2e9)


def test_the_cut_of_the_stream_does_not_matter() -> None:
    pcm = scene(12, (0, 1, 2), (1, 4, 3), (0, 8, 2))
    whole = [(t.channel, t.start_ns, t.end_ns) for t in cut(pcm, step=len(pcm))]
    for step in (317, 1600, 5000):
        assert [(t.channel, t.start_ns, t.end_ns) for t in cut(pcm, step=step)] == whole


def test_a_hole_in_the_sound_ends_the_turn() -> None:
    pcm = scene(6, (0, 1, 5))
    endpointer = Endpointer([0, 1], 2)
    first = endpointer.feed(0, pcm[: 3 * RATE_HZ])
    second = endpointer.feed(10 * 10**9, pcm[3 * RATE_HZ :])
    assert first == []
    assert [round(t.end_ns / 1e9) for t in second] == [3]


def test_what_the_record_has_is_not_heard_again() -> None:
    pcm = scene(8, (0, 1, 2), (0, 5, 2))
    endpointer = Endpointer([0, 1], 2)
    endpointer.silence(0, 3_200_000_000)
    turns = endpointer.feed(0, pcm) + endpointer.end()
    assert [round(t.start_ns / 1e9) for t in turns] == [5]


def test_the_end_of_a_stretch_cuts_what_came_after_it() -> None:
    endpointer = Endpointer([0, 1], 2)
    assert endpointer.feed(0, scene(5, (0, 1, 4))) == []
    [turn] = endpointer.end(3_000_000_000)
    assert turn.end_ns == 3_000_000_000
    assert turn.audio_ns + len(turn.samples()) * 62_500 <= 3_000_000_000
    assert endpointer.feed(5 * 10**9, scene(2, (0, 0.2, 1.5))) == []
    assert endpointer.end(5 * 10**9) == []


def plain(_: Path) -> Pcm:
    return hearing_civil(0, 1000)


def bled(bleed_db: float) -> Callable[[Path], Pcm]:
    def make(folder: Path) -> Pcm:
        return conditions.bleed(folder, HearingFolder(SHARED / "hearing-civil"), bleed_db).samples(RATE_HZ)

    return make


def wired(_: Path) -> Pcm:
    """Every channel in all others 10 dB softer and at the same moment: a badly set mixer."""
    pcm = hearing_civil(0, 1000).astype(np.float64)
    rest = pcm.sum(axis=1, keepdims=True) - pcm
    return np.asarray(np.clip(pcm + rest * 10 ** (-10 / 20), -32768, 32767), np.int16)


@pytest.mark.slow
@pytest.mark.parametrize("make", [plain, bled(-6), wired], ids=["plain", "-6 dB", "wired"])
def test_the_mock_hearing_is_cut_by_its_seats(make: Callable[[Path], Pcm], tmp_path: Path) -> None:
    reference = json.loads((SHARED / "hearing-civil" / "reference.json").read_text(encoding="utf-8"))["utterances"]
    turns = cut(make(tmp_path))

    def overlap_s(said: dict[str, float], turn: Turn) -> float:
        if said["channel"] != turn.channel:
            return 0.0
        return min(said["end"], turn.end_ns / 1e9) - max(said["start"], turn.start_ns / 1e9)

    for turn in turns:  # nobody's bleed became a turn
        assert max(overlap_s(said, turn) for said in reference) > 0.8 * (turn.end_ns - turn.start_ns) / 1e9
    for said in reference:  # everybody was heard, the two who talk at once too
        asked_s = sum(max(overlap_s(said, turn), 0) for turn in turns)
        assert asked_s > 0.9 * (said["end"] - said["start"]) - 0.15


def test_a_voice_that_is_hardly_loud_is_a_turn() -> None:
    sentence = np.concatenate([np.zeros((RATE_HZ, 1)), hearing_civil(34.0, 38.8)[:, 1:2], np.zeros((RATE_HZ, 1))])
    sentence += np.random.default_rng(1).normal(0, 1, sentence.shape)
    [turn] = cut((sentence * 10 ** (-32 / 20)).astype(np.int16))
    assert turn.active_frames < 8
    assert turn.voiced > 20
