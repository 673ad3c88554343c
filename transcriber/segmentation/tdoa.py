"""Whose sound it is when two microphones hear some: sound reaches the nearer one first.

Promises: one source that two microphones hear is given to the one that it reached first; where both hear a source of
their own (two people talk at once, or nothing is clear) neither is refused. Generalized cross-correlation with phase
transform (GCC-PHAT): Knapp & Carter 1976.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from transcriber.audio.pcm import RATE_HZ

WINDOW = 5120
"""Samples that are looked at: 0.32 s."""
_LOW_HZ, _HIGH_HZ = 150, 6000
_FARTHEST_S = 0.02
"""Seven meters between two microphones."""
_SURE = 0.3
"""Correlation from which one source explains what both hear; two that talk at once stay below or show two peaks."""
_OTHER_WAY = 0.25
"""A peak in the other direction of this share of the highest is a second source."""
_SAME_MOMENT = 2
"""So near to no lag at all (samples) it tells nothing: both are fed by the same wire."""
_SAME_SURE = 0.8
_LOUDER_DB = 2.0

_SIZE = 2 * WINDOW
_REACH = int(_FARTHEST_S * RATE_HZ)
_BINS = slice(_LOW_HZ * _SIZE // RATE_HZ, _HIGH_HZ * _SIZE // RATE_HZ)
_TAPER = np.hanning(WINDOW)
_FULL = (_BINS.stop - _BINS.start) / (_SIZE / 2)


def delayed_channels(sound: NDArray[np.float64], candidates: Sequence[int], level_db: NDArray[np.float64]) -> set[int]:
    """Find the candidate channels to which sound comes later than to another of them: these only hear it.

    `sound`: the last `WINDOW` samples of all channels, shape (WINDOW, channels); `level_db`: of each channel now.
    """
    spectra = {c: np.fft.rfft(sound[:, c] * _TAPER, _SIZE) for c in candidates}
    out: set[int] = set()
    for at, first in enumerate(candidates):
        for second in candidates[at + 1 :]:
            out |= _delayed_of_two(first, second, spectra[first], spectra[second], level_db)
    return out if len(out) < len(candidates) else set()


def _delayed_of_two(
    first: int,
    second: int,
    spectrum_1: NDArray[np.complex128],
    spectrum_2: NDArray[np.complex128],
    level_db: NDArray[np.float64],
) -> set[int]:
    cross = np.zeros(_SIZE // 2 + 1, np.complex128)
    cross[_BINS] = spectrum_2[_BINS] * np.conj(spectrum_1[_BINS])
    cross[_BINS] /= np.abs(cross[_BINS]) + 1e-12
    around = np.fft.irfft(cross, _SIZE)
    peaks = np.concatenate([around[-_REACH:], around[: _REACH + 1]]) / _FULL
    lag = int(np.argmax(peaks)) - _REACH  # > 0: the second hears it later
    peak = float(peaks[lag + _REACH])
    if abs(lag) <= _SAME_MOMENT:
        softer = first if level_db[first] < level_db[second] else second
        one = peak > _SAME_SURE and abs(level_db[first] - level_db[second]) > _LOUDER_DB
        return {softer} if one else set()
    other_way = peaks[: _REACH - _SAME_MOMENT] if lag > 0 else peaks[_REACH + _SAME_MOMENT + 1 :]
    if peak < _SURE or float(other_way.max()) > _OTHER_WAY * peak:
        return set()
    return {second if lag > 0 else first}
