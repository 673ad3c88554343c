"""Which speech has no line: not its words, and not a line that says why there are none.

Promises: measured from the sound and the reference, never from what the transcriber took for speech. A stretch counts
where the speaker's own microphone is loud within what the reference says was spoken, and no line of that seat is about
it. The edge of a line is forgiven (`EDGE_S`): the beginning of a breath is no word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardware.simulation.hearing_folder import Said
from transcriber.audio.pcm import RATE_HZ
from wutong.bench.captions.character_errors import ShownWords

EDGE_S = 0.2
_FRAME = RATE_HZ // 50
_FRAME_MS = 20
_BELOW_DB = 25.0
"""So far below the loud moments of an utterance its own soft ones still count."""


@dataclass(frozen=True, slots=True)
class UnwrittenSpeech:
    """An utterance of the reference, and how much of it has no line."""

    said: Said
    spoken_ms: int
    unwritten_ms: int


def unwritten(said: Sequence[Said], sound: NDArray[np.int16], lines: Sequence[ShownWords]) -> list[UnwrittenSpeech]:
    """Look at each utterance; `sound` has shape (samples, channels) at 16 kHz, `lines` are the transcript's."""
    return [_of(one, sound[:, one.channel], [x for x in lines if x.channel == one.channel]) for one in said]


def _of(one: Said, sound: NDArray[np.int16], lines: Sequence[ShownWords]) -> UnwrittenSpeech:
    loud = _loud(sound[round(one.start * RATE_HZ) : round(one.end * RATE_HZ)])
    at_s = one.start + (np.arange(len(loud)) + 0.5) * _FRAME / RATE_HZ
    written = np.zeros(len(loud), np.bool_)
    for line in lines:
        written |= (at_s >= line.start_s - EDGE_S) & (at_s <= line.end_s + EDGE_S)
    return UnwrittenSpeech(one, int(loud.sum()) * _FRAME_MS, int((loud & ~written).sum()) * _FRAME_MS)


def _loud(sound: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Which frames of 20 ms of an utterance hold its voice."""
    whole = len(sound) // _FRAME * _FRAME
    if not whole:
        return np.zeros(0, np.bool_)
    power = (sound[:whole].astype(np.float64).reshape(-1, _FRAME) ** 2).mean(axis=1)
    level_db = 10 * np.log10(power + 1.0)
    loud: NDArray[np.bool_] = level_db > np.percentile(level_db, 95) - _BELOW_DB
    return loud
