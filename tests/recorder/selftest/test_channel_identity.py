"""A seat's channel is its own: a copy of another seat's is found out, and so is one that never speaks alone."""

from __future__ import annotations

import numpy as np
import pytest

from recorder.selftest.channel_identity import dominant, never_alone, twin
from recorder.selftest.evidence import LiveLevel, Sound

RATE = 16_000


def room(seconds: int = 3, noise: float = 3.0) -> np.ndarray:
    """Two microphones in one room: the same voice, later and softer in the second, and each its own noise."""
    rng = np.random.default_rng(4)
    voice = rng.normal(0, 2500, seconds * RATE)
    both = np.stack([voice, 0.4 * np.roll(voice, 40)], axis=1) + rng.normal(0, noise, (seconds * RATE, 2))
    return np.rint(both).astype(np.int16)


def sound(*channels: np.ndarray) -> Sound:
    return Sound(np.stack(channels, axis=1).astype(np.int16), RATE, 0)


def test_two_microphones_that_hear_one_voice_are_two() -> None:
    heard = room()
    assert twin([sound(heard[:, 0], heard[:, 1])], 0, [0, 1]) is None


def test_two_that_hear_it_at_the_same_moment_are_two_by_their_noise() -> None:
    rng = np.random.default_rng(6)
    voice = rng.normal(0, 2500, 3 * RATE)
    assert twin([sound(voice + rng.normal(0, 3, len(voice)), voice + rng.normal(0, 3, len(voice)))], 0, [0, 1]) is None


@pytest.mark.parametrize("gain", [1.0, 0.5, 2.0, -1.0])
def test_one_signal_on_two_channels_is_one_at_whatever_level(gain: float) -> None:
    mono = room()[:, 0] // 2
    copy = np.rint(mono * gain)
    assert twin([sound(mono, copy)], 0, [0, 1]) == 1
    assert twin([sound(mono, copy)], 1, [0, 1]) == 0


def test_quiet_and_missing_channels_are_no_copies_of_each_other() -> None:
    zeros = np.zeros(RATE)
    assert twin([sound(zeros, zeros)], 0, [0, 1]) is None
    assert twin([sound(room()[:, 0], np.zeros(3 * RATE))], 0, [0, 1, 5]) is None
    assert twin([], 0, [0, 1]) is None


def levels(**told: list[float]) -> dict[str, list[LiveLevel]]:
    return {seat: [LiveLevel(n, db) for n, db in enumerate(values)] for seat, values in told.items()}


def test_who_is_louder_than_all_others_is_the_one_that_speaks() -> None:
    heard = levels(judge=[-20, -20, -20, -50, -60], plaintiff=[-32, -30, -31, -18, -60])
    assert dominant(heard) == {"judge": 3, "plaintiff": 1}
    assert not never_alone(heard, "judge")


def test_a_seat_that_is_loud_only_together_with_another_has_proven_nothing() -> None:
    heard = levels(judge=[-20, -21, -20, -22], plaintiff=[-20, -20, -21, -22], clerk=[-60, -60, -60, -60])
    assert dominant(heard) == {"judge": 0, "plaintiff": 0, "clerk": 0}
    assert never_alone(heard, "judge")
    assert not never_alone(heard, "clerk"), "it was not heard at all, which is another reason"
