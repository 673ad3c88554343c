"""Sound belongs to the microphone that it reaches first."""

from __future__ import annotations

import numpy as np

from tests.support.rooms.transcriber_room import hearing_civil
from transcriber.segmentation.tdoa import WINDOW, delayed_channels

Sound = np.ndarray[tuple[int], np.dtype[np.float64]]
EVEN_DB = np.array([-30.0, -30.0])


def person(channel: int, at_s: float) -> Sound:
    """A third of a second of somebody of the mock hearing."""
    sound = hearing_civil(at_s, at_s + 1)[: WINDOW + 200, channel].astype(np.float64) / 32768
    return np.asarray(sound / np.sqrt((sound**2).mean()))


def at_two(
    first: Sound, second: Sound, leak: float, lag: int = 60
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """What two microphones hear of two people, each nearer to their own; with a little noise of their own."""
    noise = np.random.default_rng(1).standard_normal((WINDOW, 2)) * 0.01
    ends = len(first)
    own, late = slice(ends - WINDOW, ends), slice(ends - WINDOW - lag, ends - lag)
    return np.stack([first[own] + leak * second[late], second[own] + leak * first[late]], axis=1) + noise


def test_who_hears_it_later_follows_however_loud() -> None:
    one, nobody = person(1, 80.0), np.zeros(WINDOW + 200)
    for leak in (0.3, 0.7, 1.3):
        assert delayed_channels(at_two(one, nobody, leak), [0, 1], EVEN_DB) == {1}
        assert delayed_channels(at_two(nobody, one, leak), [0, 1], EVEN_DB) == {0}


def test_two_people_at_once_follow_nobody() -> None:
    one, other = person(1, 80.0), person(2, 118.0)
    for leak in (0.0, 0.2, 0.5):
        assert delayed_channels(at_two(one, other, leak), [0, 1], EVEN_DB) == set()


def test_the_same_wire_goes_to_the_louder() -> None:
    one = person(1, 80.0)[:WINDOW]
    same = np.stack([0.4 * one, one], axis=1)
    assert delayed_channels(same, [0, 1], np.array([-38.0, -30.0])) == {0}
    assert delayed_channels(same, [0, 1], EVEN_DB) == set()  # nothing tells them apart: both are kept
