"""How high a voice is: the cheap print that tells a high voice from a low one, with nothing but NumPy.

Promises: the median pitch of the voiced parts in semitones, within a few tenths for the same samples at any loudness.
Refuses to guess from too little. It knows nothing else: two people whose voices are about as high are one to it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from transcriber.audio.pcm import RATE_HZ, Samples

_WINDOW, _HOP = 640, 160
_SIZE = 2048
_LOW_HZ, _HIGH_HZ = 70, 400
_VOICED = 0.6
"""Of the energy, what must come again one period later."""
_FIRST = 0.85
"""The shortest period that is nearly as good as the best: a multiple of it is as good, and an octave too low."""
_QUIET = 0.02
_LEAST_FRAMES = 30
_AT_ONCE = 500


def pitch(samples: Samples) -> tuple[float, ...]:
    """The median pitch in semitones (12·log2 Hz) of `samples` (16 kHz); empty under 0.3 s of voiced sound."""
    if len(samples) < _WINDOW:
        return ()
    frames = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP]
    energies = np.concatenate([_energy(part) for part in _parts(frames)])
    loud = energies > _QUIET * np.percentile(energies, 90)
    voiced_hz = np.concatenate([_pitches(part) for part in _parts(frames[loud])]) if loud.any() else np.zeros(0)
    voiced_hz = voiced_hz[voiced_hz > 0]
    if len(voiced_hz) < _LEAST_FRAMES:
        return ()
    return (round(float(12 * np.log2(np.median(voiced_hz))), 3),)


def _parts(frames: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    return [frames[i : i + _AT_ONCE] for i in range(0, len(frames), _AT_ONCE)]


def _energy(frames: NDArray[np.float32]) -> NDArray[np.float64]:
    centered = frames - frames.mean(axis=1, keepdims=True)
    return np.asarray((centered.astype(np.float64) ** 2).mean(axis=1))


def _pitches(frames: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the pitch of each frame in Hz, by autocorrelation, and 0 where the frame is not voiced."""
    window = np.hanning(_WINDOW)
    centered = (frames - frames.mean(axis=1, keepdims=True)) * window
    again = np.fft.irfft(np.abs(np.fft.rfft(centered, _SIZE)) ** 2)[:, :_WINDOW]
    own = np.fft.irfft(np.abs(np.fft.rfft(window, _SIZE)) ** 2)[:_WINDOW]
    again = again / (again[:, :1] + 1e-9) / (own / own[0] + 1e-3)
    shortest, longest = RATE_HZ // _HIGH_HZ, RATE_HZ // _LOW_HZ
    band = again[:, shortest:longest]
    best = band.max(axis=1)
    # The top of the first hill that is high enough.
    rising = np.diff(band, axis=1, append=-np.inf) > 0
    top = (band >= _FIRST * best[:, None]) & ~rising
    period = shortest + top.argmax(axis=1)
    return np.where(best > _VOICED, RATE_HZ / period, 0.0)
