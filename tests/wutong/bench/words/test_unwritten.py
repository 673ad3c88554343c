"""Speech without a line is found wherever it is, and a line without words counts as one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hardware.simulation.hearing_folder import Said
from sync.errors import ConfigError
from transcriber.audio.pcm import RATE_HZ
from wutong.bench.captions.character_errors import ShownWords
from wutong.bench.words import spoken_cases
from wutong.bench.words.measure import parts_of
from wutong.bench.words.unwritten import unwritten


def sound(*spoken: tuple[float, float]) -> np.ndarray[tuple[int, int], np.dtype[np.int16]]:
    """A voice at seat 0 from and to some seconds, in ten seconds."""
    random = np.random.default_rng(3)
    out = random.normal(0, 3, (10 * RATE_HZ, 2))
    for first, last in spoken:
        out[int(first * RATE_HZ) : int(last * RATE_HZ), 0] += random.normal(0, 3000, int((last - first) * RATE_HZ))
    return out.astype(np.int16)


def said(start: float, end: float) -> Said:
    return Said(channel=0, role="原告", start=start, end=end, text="没有。")


def line(start_s: float, end_s: float, channel: int = 0, text: str = "没有。") -> ShownWords:
    return ShownWords(channel=channel, start_s=start_s, end_s=end_s, arrived_s=0, text=text)


def test_speech_with_a_line_is_written_and_a_pause_in_it_needs_none() -> None:
    [one] = unwritten([said(1, 5)], sound((1, 2), (4, 5)), [line(1.1, 2), line(4, 4.9)])
    assert (one.spoken_ms, one.unwritten_ms) == (2000, 0)


def test_speech_without_a_line_counts_as_long_as_it_is() -> None:
    [one] = unwritten([said(1, 5)], sound((1, 2), (4, 5)), [line(1, 2)])
    assert one.unwritten_ms == 1000


def test_a_line_of_another_seat_is_none_of_this_one() -> None:
    [one] = unwritten([said(1, 2)], sound((1, 2)), [line(1, 2, channel=1)])
    assert one.unwritten_ms == one.spoken_ms == 1000


def test_a_line_that_says_why_it_has_no_words_is_a_line() -> None:
    [one] = unwritten([said(1, 2)], sound((1, 2)), [line(1, 2, text="〔此处有人声，未识别出文字，以录音为准〕")])
    assert one.unwritten_ms == 0


def test_a_part_that_is_not_there_is_refused() -> None:
    assert parts_of("") == ("hearing", "spoken")
    with pytest.raises(ConfigError, match="no part is called 'silence'"):
        parts_of("silence")


@pytest.mark.process
def test_numbers_are_spoken_one_after_the_other_in_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spoken_cases, "SPOKEN", (("phone", ("幺三八八八",)), ("answer", ("是",))))
    folder = spoken_cases.make(tmp_path)
    first, second = folder.reference.utterances
    assert [(s.channel, s.text) for s in (first, second)] == [(0, "幺三八八八"), (1, "是")]
    assert second.start > first.end + 1
    heard = folder.samples(RATE_HZ).astype(np.float64)
    own, other = (heard[int(first.start * RATE_HZ) : int(first.end * RATE_HZ), c].std() for c in (0, 1))
    assert own > 5 * other
    [one, _] = unwritten((first, second), folder.samples(RATE_HZ), [])
    assert one.unwritten_ms == one.spoken_ms > 500


@pytest.mark.process
def test_without_espeak_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="apt install espeak-ng"):
        spoken_cases.make(tmp_path / "spoken")
