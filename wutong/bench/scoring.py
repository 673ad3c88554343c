"""Figures over words: what was said against what was written, and when.

Promises: text is made alike before it is compared (simplified characters, Arabic numerals read as Chinese, no
punctuation, 两 as 二); nothing else is forgiven. Times are seconds from the beginning of the recording.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import cn2an
import jiwer
import numpy as np
from opencc import OpenCC

from hardware.hearing_folder import Said

_SIMPLIFY = OpenCC("t2s")


@dataclass(frozen=True, slots=True)
class Shown:
    """A caption or utterance as it arrived: whose, which speech it is about, and when it could be read."""

    channel: int
    start_s: float
    end_s: float
    arrived_s: float
    text: str


def alike(text: str) -> str:
    """`text` as it is compared."""
    text = re.sub(r"(\d),(\d{3})", r"\1\2", _SIMPLIFY.convert(text))
    with contextlib.suppress(ValueError):  # a number that no one can read, such as 0.1.2, stays as it is
        text = cn2an.transform(text, "an2cn")
    return re.sub(r"[^\w]", "", text).replace("两", "二")


def cer(reference: str, hypothesis: str) -> float:
    """Character error rate, 0.0 = identical."""
    return float(jiwer.cer(alike(reference), alike(hypothesis)))


def in_order(shown: Sequence[Shown]) -> str:
    """All text in the order in which people began to speak."""
    return "".join(s.text for s in sorted(shown, key=lambda s: s.start_s))


def _overlap_s(a: Said, b: Shown) -> float:
    return min(a.end, b.end_s) - max(a.start, b.start_s)


def first_caption_ms(said: Sequence[Said], captions: Sequence[Shown], utterances: Sequence[Shown]) -> list[float]:
    """For each that was said: from its start to the first text about it, caption or utterance."""
    out = []
    for one in said:
        about = [
            shown.arrived_s
            for shown in (*captions, *utterances)
            if shown.text and shown.channel == one.channel and _overlap_s(one, shown) > 0.2
        ]
        if about:
            out.append((min(about) - one.start) * 1000)
    return out


def utterance_ms(said: Sequence[Said], utterances: Sequence[Shown]) -> list[tuple[float, float]]:
    """For each that was said: (when it ended, from its end to the utterance that holds its end)."""
    out = []
    for one in said:
        holding = [
            u for u in utterances if u.channel == one.channel and _overlap_s(one, u) > 0.2 and u.end_s >= one.end - 0.5
        ]
        if holding:
            out.append((one.end, (min(u.arrived_s for u in holding) - one.end) * 1000))
    return out


def seat_accuracy(said: Sequence[Said], utterances: Sequence[Shown]) -> float:
    """The share of utterances during most of which somebody at their seat really spoke."""
    right = sum(
        any(s.channel == u.channel and _overlap_s(s, u) >= 0.5 * (u.end_s - u.start_s) for s in said)
        for u in utterances
    )
    return right / len(utterances) if utterances else 0.0


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
