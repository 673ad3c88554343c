"""The test tone and the marker that go through every microphone in a self-test, and how they are found again.

A test has a name; the marker (a second of noise between 300 and 2400 Hz) is made from it, so a copy of an earlier test
proves nothing. It is a sum of whole-numbered frequencies with random phases: the same sound at any sample rate.
`find` promises not to take a voice, a hum or another test's marker for it.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TONE_HZ = 880
TONE_S = 0.4
GAP_S = 0.1
MARKER_S = 1
SIGNAL_S = TONE_S + GAP_S + MARKER_S
LOW_HZ, HIGH_HZ = 300, 2400
RMS = 0.1
"""Of full scale: -20 dBFS."""
FOUND = 0.15
"""Share of the sound that is the marker. Ten times what noise of that length gives by chance."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where the marker begins, in samples, and how sure that is (0…1)."""

    at: int
    score: float


def _marker(test: str, rate_hz: int) -> NDArray[np.float64]:
    """Shape (rate_hz * MARKER_S,), RMS 1."""
    samples = rate_hz * MARKER_S
    spectrum = np.zeros(samples // 2 + 1, np.complex128)
    tones = np.arange(LOW_HZ * MARKER_S, HIGH_HZ * MARKER_S)
    phases = np.random.default_rng(zlib.crc32(test.encode())).uniform(0, 2 * np.pi, len(tones))
    spectrum[tones] = np.exp(1j * phases)
    sound = np.fft.irfft(spectrum, samples)
    return np.asarray(sound / np.sqrt(np.mean(sound**2)))


def signal(test: str, rate_hz: int) -> NDArray[np.int16]:
    """The tone, a pause and the marker: what the loudspeaker plays, shape (samples,)."""
    time = np.arange(round(TONE_S * rate_hz)) / rate_hz
    ramp = np.minimum(1, np.minimum(time, time[::-1]) / 0.02)  # no click
    tone = np.sin(2 * np.pi * TONE_HZ * time) * ramp * np.sqrt(2)
    parts = [tone, np.zeros(round(GAP_S * rate_hz)), _marker(test, rate_hz)]
    return np.asarray(np.clip(np.concatenate(parts) * RMS * 32_767, -32_767, 32_767), np.int16)


def find(sound: NDArray[np.int16], rate_hz: int, test: str) -> Found | None:
    """The marker of `test` in one channel, shape (samples,); None when it is not there for sure."""
    marker = _marker(test, rate_hz)
    if len(sound) < len(marker):
        return None
    size = 1 << (len(sound) + len(marker) - 1).bit_length()
    spectrum = np.fft.rfft(sound.astype(np.float64), size)
    frequencies = np.fft.rfftfreq(size, 1 / rate_hz)
    spectrum[(frequencies < LOW_HZ) | (frequencies > HIGH_HZ)] = 0  # a hum must not drown it
    heard = np.fft.irfft(spectrum, size)[: len(sound)]
    places = len(sound) - len(marker) + 1
    likeness = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(marker, size)), size)[:places]
    energy = np.concatenate(([0.0], np.cumsum(heard**2)))
    around = energy[len(marker) :] - energy[: len(energy) - len(marker)]
    # The least that counts is one step of 16 bits: dividing by silence finds anything anywhere.
    score = np.abs(likeness) / (np.sqrt(len(marker)) * np.sqrt(np.maximum(around, float(len(marker)))))
    at = int(np.argmax(score))
    return Found(at, float(score[at])) if score[at] >= FOUND else None
