"""Figures over words: what was said against what was written.

Promises: text is made alike before it is compared (simplified characters, Arabic numerals read as Chinese, no
punctuation, 两 as 二); nothing else is forgiven. Times are seconds from the beginning of the recording. When the words
came is `wutong.bench.captions.timing_errors`, on whose seat `wutong.bench.captions.seat_errors`.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import cn2an
import jiwer
import numpy as np
from opencc import OpenCC
from rapidfuzz.distance import Levenshtein

from hardware.simulation.hearing_folder import Said

_SIMPLIFY = OpenCC("t2s")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A word of an utterance and when it was said."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class ShownWords:
    """A caption or utterance as it arrived: whose, which speech it is about, and when it could be read."""

    channel: int
    start_s: float
    end_s: float
    arrived_s: float
    text: str
    id: str = ""
    stable: int = 0
    """Of a caption: so many leading characters were promised not to change."""
    words: tuple[Spoken, ...] = ()
    """Of an utterance."""


def alike(text: str) -> str:
    """`text` as it is compared."""
    text = re.sub(r"(\d),(\d{3})", r"\1\2", _SIMPLIFY.convert(text))
    with contextlib.suppress(ValueError):  # a number that no one can read, such as 0.1.2, stays as it is
        text = cn2an.transform(text, "an2cn")
    return re.sub(r"[^\w]", "", text).replace("两", "二")


def cer(reference: str, hypothesis: str) -> float:
    """Character error rate, 0.0 = identical."""
    return float(jiwer.cer(alike(reference), alike(hypothesis)))


def cpcer(reference: Mapping[int, str], hypothesis: Mapping[int, str]) -> float:
    """cp-WER over characters: each seat's words joined, the seats then matched as fits best (Watanabe et al., CHiME-6).

    Seats that one side lacks are empty there. A court has a handful of them: every matching is tried.
    """
    said = [alike(text) for text in reference.values()]
    written = [alike(text) for text in hypothesis.values()]
    seats = max(len(said), len(written))
    said += [""] * (seats - len(said))
    written += [""] * (seats - len(written))
    wrong = [[Levenshtein.distance(one, other) for other in written] for one in said]
    fewest = min(sum(wrong[seat][other] for seat, other in enumerate(order)) for order in permutations(range(seats)))
    return fewest / sum(map(len, said))


def wer(reference: str, hypothesis: str) -> float:
    """Word error rate of text in a language with blanks; case and punctuation do not count."""
    one, other = (" ".join(re.findall(r"[\w']+", text.lower())) for text in (reference, hypothesis))
    return float(jiwer.wer(one, other))


def in_order(shown: Sequence[ShownWords], between: str = "") -> str:
    """All text in the order in which people began to speak."""
    return between.join(s.text for s in sorted(shown, key=lambda s: s.start_s))


def by_seat(shown: Sequence[ShownWords]) -> dict[int, str]:
    """All text of each channel, in the order of speaking."""
    return {c: in_order([s for s in shown if s.channel == c]) for c in sorted({s.channel for s in shown})}


def said_by_seat(said: Sequence[Said]) -> dict[int, str]:
    """The reference's text of each channel, in the order of speaking."""
    ordered = sorted(said, key=lambda s: s.start)
    return {c: "".join(s.text for s in ordered if s.channel == c) for c in sorted({s.channel for s in said})}


def cer_by_seat(said: Sequence[Said], shown: Sequence[ShownWords]) -> dict[int, float]:
    """The character error rate of each channel on which the reference has words."""
    written = by_seat(shown)
    return {seat: cer(text, written.get(seat, "")) for seat, text in said_by_seat(said).items()}


def overlap_s(one: Said, shown: ShownWords) -> float:
    """For how long both go on at once; negative when they do not."""
    return min(one.end, shown.end_s) - max(one.start, shown.start_s)


def growth_per_min(points: Sequence[tuple[float, float]]) -> float:
    """The slope of (second, value): how much the value grows in a minute."""
    if len(points) < 2:
        return 0.0
    at, value = np.array(points, dtype=np.float64).T
    if np.ptp(at) == 0:
        return 0.0
    return float(np.polyfit(at, value, 1)[0] * 60)


def percentile(values: Sequence[float], q: float) -> float | None:
    """A percentile, rounded; None of nothing."""
    return round(float(np.percentile(values, q)), 1) if values else None
