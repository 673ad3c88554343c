"""The marker of a self-test is found through noise, rooms and other rates, and nothing else is taken for it."""

from __future__ import annotations

import numpy as np
import pytest

from hardware import test_signal

RATE = 16_000


def room(
    sound: np.ndarray, rate_hz: int = RATE, noise: float = 3.0, seconds: float = 5.0, at_s: float = 1.2
) -> np.ndarray:
    rng = np.random.default_rng(1)
    heard = rng.normal(0, noise, int(seconds * rate_hz))
    start = int(at_s * rate_hz)
    heard[start : start + len(sound)] += sound[: len(heard) - start]
    return np.clip(np.rint(heard), -32768, 32767).astype(np.int16)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 48_000])
def test_it_is_found_where_it_begins(rate_hz: int) -> None:
    found = test_signal.find(room(test_signal.signal("a", rate_hz), rate_hz), rate_hz, "a")
    assert found is not None
    assert found.score > 0.9
    assert abs(found.at / rate_hz - (1.2 + test_signal.TONE_S + test_signal.GAP_S)) < 0.001


def test_it_is_found_far_away_in_an_echoing_and_noisy_room() -> None:
    rng = np.random.default_rng(2)
    echo = rng.normal(0, 1, RATE // 2) * np.exp(-np.arange(RATE // 2) / (0.1 * RATE)) * 0.05
    echo[0] = 1
    far = np.convolve(test_signal.signal("a", RATE).astype(float), echo)[: 2 * RATE] / 200  # -66 dBFS
    hum = 400 * np.sin(2 * np.pi * 50 * np.arange(5 * RATE) / RATE)
    heard = (room(far, noise=6.0) + hum).astype(np.int16)
    assert test_signal.find(heard, RATE, "a") is not None


def test_a_sound_card_that_drifts_is_no_hindrance() -> None:
    fast = test_signal.signal("a", RATE).astype(float)
    moments = np.arange(len(fast)) * (1 + 200e-6)
    assert test_signal.find(room(np.interp(moments, np.arange(len(fast)), fast)), RATE, "a") is not None


def test_nothing_else_is_taken_for_it() -> None:
    rng = np.random.default_rng(3)
    assert test_signal.find(room(test_signal.signal("b", RATE)), RATE, "a") is None
    assert test_signal.find(room(np.zeros(1)), RATE, "a") is None
    assert test_signal.find(np.zeros(RATE * 5, np.int16), RATE, "a") is None
    voice = 9000 * np.sin(2 * np.pi * 440 * np.arange(RATE * 5) / RATE) * rng.uniform(0, 1, RATE * 5)
    assert test_signal.find(voice.astype(np.int16), RATE, "a") is None
    assert test_signal.find(np.zeros(100, np.int16), RATE, "a") is None
