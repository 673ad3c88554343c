"""Who speaks, and from when to when: on made-up sound and on the whole mock hearing."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from transcriber_room import SHARED, Pcm, hearing_civil

from transcriber.cutter import LONGEST_S, Cutter, Turn

RATE_HZ = 16_000


def cut(pcm: Pcm, from_ns: int = 0, step: int = 1920) -> list[Turn]:
    cutter = Cutter(list(range(pcm.shape[1])), pcm.shape[1])
    turns: list[Turn] = []
    for first in range(0, len(pcm), step):
        turns += cutter.feed(from_ns + first * 62_500, pcm[first : first + step])
    return turns + cutter.end()


def voice(seconds: float, level_db: float, seed: int = 1) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Noise in the rhythm of syllables."""
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    noise = np.random.default_rng(seed).standard_normal(len(t))
    return noise * (0.55 + 0.45 * np.sin(2 * np.pi * 4 * t)) * 10 ** (level_db / 20)


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
    assert [t for t in cut(hum.astype(np.int16)) if t.start_ns > 2e9] == []


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


def test_a_long_turn_is_cut_and_nothing_of_it_is_lost() -> None:
    turns = cut(scene(50, (0, 2, 45)))
    assert len(turns) == 3
    assert all(t.seconds <= LONGEST_S + 0.1 for t in turns)
    for before, after in pairwise(turns):
        assert before.end_ns == after.start_ns == after.audio_ns
        assert before.audio_ns + len(before.samples()) * 62_500 == after.audio_ns
    assert turns[-1].end_ns == pytest.approx(47e9, abs=0.2e9)


def test_the_cut_of_the_stream_does_not_matter() -> None:
    pcm = scene(12, (0, 1, 2), (1, 4, 3), (0, 8, 2))
    whole = [(t.channel, t.start_ns, t.end_ns) for t in cut(pcm, step=len(pcm))]
    for step in (317, 1600, 5000):
        assert [(t.channel, t.start_ns, t.end_ns) for t in cut(pcm, step=step)] == whole


def test_a_hole_in_the_sound_ends_the_turn() -> None:
    pcm = scene(6, (0, 1, 5))
    cutter = Cutter([0, 1], 2)
    first = cutter.feed(0, pcm[: 3 * RATE_HZ])
    second = cutter.feed(10 * 10**9, pcm[3 * RATE_HZ :])
    assert first == []
    assert [round(t.end_ns / 1e9) for t in second] == [3]


def test_what_the_record_has_is_not_heard_again() -> None:
    pcm = scene(8, (0, 1, 2), (0, 5, 2))
    cutter = Cutter([0, 1], 2)
    cutter.silence(0, 3_200_000_000)
    turns = cutter.feed(0, pcm) + cutter.end()
    assert [round(t.start_ns / 1e9) for t in turns] == [5]


def test_the_end_of_a_stretch_cuts_what_came_after_it() -> None:
    cutter = Cutter([0, 1], 2)
    assert cutter.feed(0, scene(5, (0, 1, 4))) == []
    [turn] = cutter.end(3_000_000_000)
    assert turn.end_ns == 3_000_000_000
    assert turn.audio_ns + len(turn.samples()) * 62_500 <= 3_000_000_000
    assert cutter.feed(5 * 10**9, scene(2, (0, 0.2, 1.5))) == []
    assert cutter.end(5 * 10**9) == []


def test_the_mock_hearing_is_cut_by_its_seats() -> None:
    reference = json.loads((SHARED / "hearing-civil" / "reference.json").read_text(encoding="utf-8"))["utterances"]
    turns = cut(hearing_civil(0, 1000))

    def overlap_s(said: dict[str, float], turn: Turn) -> float:
        if said["channel"] != turn.channel:
            return 0.0
        return min(said["end"], turn.end_ns / 1e9) - max(said["start"], turn.start_ns / 1e9)

    for turn in turns:  # nobody's bleed became a turn
        assert max(overlap_s(said, turn) for said in reference) > 0.9 * (turn.end_ns - turn.start_ns) / 1e9
    for said in reference:  # everybody was heard, the two who talk at once too
        heard_s = sum(max(overlap_s(said, turn), 0) for turn in turns)
        assert heard_s > 0.95 * (said["end"] - said["start"]) - 0.1
