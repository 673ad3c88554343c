"""The pace of a stream is measured whatever its fragments are like, and what is said of it does not come and go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.capture.stream_pace import WINDOW_NS, StreamPace
from sync.runtime.units import NS_PER_S


def play(pace: StreamPace, from_ns: int, fps: float, seconds: int = 8) -> int:
    """Fragments of a second each; where they end."""
    for second in range(seconds):
        at_ns = from_ns + second * NS_PER_S
        pace.add(at_ns, at_ns + NS_PER_S, round(fps), key_frame=True)
    return from_ns + seconds * NS_PER_S


def test_a_fragment_that_is_longer_than_the_window_is_measured_too() -> None:
    pace = StreamPace()
    pace.add(0, WINDOW_NS + NS_PER_S, 35, key_frame=True)
    assert pace.fps == 5.0
    pace.add(WINDOW_NS + NS_PER_S, 3 * WINDOW_NS, 35, key_frame=False)
    assert pace.fps is not None


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(1, 100), st.booleans()), max_size=40))
def test_no_fragments_end_the_measuring(fragments: list[tuple[int, int, int, bool]]) -> None:
    pace, end_ns = StreamPace(), 0
    for gap_s, long_s, pictures, key in fragments:
        from_ns = end_ns + gap_s * NS_PER_S // 10
        end_ns = from_ns + long_s * NS_PER_S
        pace.add(from_ns, end_ns, pictures, key_frame=key)
        assert pace.fps is None or pace.fps >= 0


def test_a_rate_beside_the_limit_is_said_once_and_stays_said() -> None:
    pace = StreamPace()
    said = []
    at_ns = 0
    for fps in (25, 19, 21, 19, 22, 21, 19, 24):
        at_ns = play(pace, at_ns, fps)
        said.append(pace.too_slow(25))
    assert said == [False, True, True, True, True, True, True, False]


def test_what_was_said_holds_while_a_new_run_is_not_known_yet() -> None:
    pace = StreamPace()
    at_ns = play(pace, 0, 5)
    assert pace.too_slow(25)
    play(pace, at_ns + 5 * NS_PER_S, 5, seconds=1)
    assert pace.fps is None
    assert pace.too_slow(25)
    assert not StreamPace().too_slow(25)


@pytest.mark.parametrize(("apart_s", "said_s"), [(1, None), (4, None), (5, 5), (12, 10), (48, 50)])
def test_key_frames_that_are_far_apart_are_said_about(apart_s: int, said_s: int | None) -> None:
    pace = StreamPace()
    for second in range(2 * apart_s + 1):
        pace.add(second * NS_PER_S, (second + 1) * NS_PER_S, 25, key_frame=second % apart_s == 0)
    assert pace.long_keys_s == said_s
