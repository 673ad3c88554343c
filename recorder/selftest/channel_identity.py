"""Whether a channel is a microphone of its own: not a copy of another, and the loudest when its seat speaks.

A device that is opened by another name than its own (a sound server, a plug-in, a name as aux0) may give one signal on
all channels. Every seat then seems to be heard, and the record says of nobody who spoke.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from recorder.selftest.evidence import HEARD_DB, HEARD_LEVELS, LiveLevel, Sound

SAME_RMS = 1.2
"""Two microphones differ by more than the rounding of a copy that was made louder or softer, in 16-bit units."""
LEAST_RMS = 12.0
"""Below it nothing is compared: quiet channels are alike."""
DOMINANT_DB = 3.0


def twin(sounds: Sequence[Sound], channel: int, others: Sequence[int]) -> int | None:
    """Another channel that carries the very same sound, at whatever level; None when this one is its own."""
    for sound in sounds:
        if channel >= sound.pcm.shape[1]:
            continue
        own = sound.pcm[:, channel].astype(np.float64)
        power = float(own @ own)
        if not len(own) or np.sqrt(power / len(own)) < LEAST_RMS:
            continue
        for other in others:
            if other == channel or other >= sound.pcm.shape[1]:
                continue
            theirs = sound.pcm[:, other].astype(np.float64)
            gain = float(own @ theirs) / power
            left = theirs - gain * own
            loud = float(np.sqrt(theirs @ theirs / len(theirs)))
            if loud >= LEAST_RMS and float(np.sqrt(left @ left / len(left))) < SAME_RMS * max(abs(gain), 1.0):
                return other
    return None


def dominant(levels: Mapping[str, Sequence[LiveLevel]]) -> dict[str, int]:
    """Of each seat: tenths of a second in which it was the one that spoke, by the levels that were told together."""
    counts = dict.fromkeys(levels, 0)
    at: dict[int, dict[str, float]] = {}
    for seat, told in levels.items():
        for level in told:
            at.setdefault(level.at_ns, {})[seat] = level.rms_db
    for moment in at.values():
        seat = max(moment, key=moment.__getitem__)
        others = [db for name, db in moment.items() if name != seat]
        if moment[seat] > HEARD_DB and all(moment[seat] >= db + DOMINANT_DB for db in others):
            counts[seat] += 1
    return counts


def never_alone(levels: Mapping[str, Sequence[LiveLevel]], seat: str) -> bool:
    """Whether a seat was loud, but never louder than the others: its microphone hears what another one hears."""
    loud = sum(level.rms_db > HEARD_DB for level in levels[seat])
    return loud >= HEARD_LEVELS and dominant(levels)[seat] < HEARD_LEVELS
