"""Who speaks: decided from the energies of all microphones, before any model runs.

A seat's microphone is *active* in a frame of 20 ms when it is well above its own noise and louder than what the other
microphones explain: speech at one seat leaks into all others, weaker and with the room's echo. How much it leaks is
learned per pair of microphones while one clearly leads. Two people who talk at once are both louder than the other's
leak, so both are kept. All levels are dB of full scale.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from transcriber.engine import RATE_HZ

FRAME = RATE_HZ // 50
FRAME_NS = 20_000_000
_SILENT_DB = -75.0
"""A digital zero is taken for this."""
_LEAST_DB = -58.0
"""Quieter than this is never speech into a microphone."""
_ABOVE_NOISE_DB = 11.0
_HOLD_ABOVE_NOISE_DB = 7.0
_ECHO_DB_PER_FRAME = 2.5
"""How fast a room's echo dies at most: 60 dB in 0.5 s."""
_LEAK_START_DB = -13.0
_LEAK_LEAST_DB, _LEAK_MOST_DB = -22.0, -7.0
_LEAK_RATE = 0.02
_LEAD_DB = 8.0
"""Learn the leak only while one microphone leads all others by this."""
_ABOVE_LEAK_DB = 6.0
_HOLD_ABOVE_LEAK_DB = 3.0
_NEW_FRAMES = 100
_NEW_NOISE_DB = -52.0
_NOISE_BLOCK = 25
_NOISE_BLOCKS = 16


class Gate:
    """The adaptive state of one room's microphones; frames must come in order."""

    def __init__(self, channels: int) -> None:
        self._channels = channels
        self._last = np.zeros(channels)
        self._smooth = np.full(channels, _SILENT_DB)
        self._echo = np.full(channels, _SILENT_DB)
        self._leak = np.full((channels, channels), _LEAK_START_DB)
        np.fill_diagonal(self._leak, -np.inf)
        self._block = np.full(channels, np.inf)
        self._in_block = 0
        self._minima = np.full((_NOISE_BLOCKS, channels), np.inf)
        self._seen = 0
        self._at = 0

    @property
    def noise_db(self) -> NDArray[np.float64]:
        """The noise of each microphone: its quietest moments of the last eight seconds."""
        floor: NDArray[np.float64] = np.minimum(self._minima.min(axis=0), self._block) + 3.0
        if self._seen < _NEW_FRAMES:
            floor = np.minimum(floor, _NEW_NOISE_DB)  # who speaks from the first moment is not noise
        return np.maximum(floor, _SILENT_DB)

    def frames(self, samples: NDArray[np.int16]) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float64]]:
        """(active, held, level) of whole frames, each of shape (frames, channels).

        `samples` has shape (frames * FRAME, channels). `held` is the weaker test that keeps a turn going.
        """
        level = self._levels(samples)
        active = np.zeros(level.shape, np.bool_)
        held = np.zeros(level.shape, np.bool_)
        for i, now in enumerate(level):
            active[i], held[i] = self._one(now)
        return active, held, level

    def _levels(self, samples: NDArray[np.int16]) -> NDArray[np.float64]:
        signal = samples.astype(np.float64) / 32768.0
        before = np.vstack([self._last, signal[:-1]])
        self._last = signal[-1]
        # Rumble and hum carry no words: weigh the high end as speech recognition does.
        weighed = signal - 0.9 * before
        power = (weighed.reshape(-1, FRAME, self._channels) ** 2).mean(axis=1)
        level: NDArray[np.float64] = np.maximum(10 * np.log10(power + 1e-10), _SILENT_DB)
        return level

    def _one(self, now: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        self._smooth += 0.5 * (now - self._smooth)
        smooth = self._smooth
        self._echo = np.maximum(smooth, self._echo - _ECHO_DB_PER_FRAME)
        noise = self.noise_db
        # What the others explain at each microphone: [from, to] -> loudest over `from`.
        leaked = (self._echo[:, None] + self._leak).max(axis=0)
        loud = np.maximum(noise + _ABOVE_NOISE_DB, _LEAST_DB)
        active = (smooth > loud) & (smooth > leaked + _ABOVE_LEAK_DB)
        held = (smooth > np.maximum(noise + _HOLD_ABOVE_NOISE_DB, _LEAST_DB)) & (smooth > leaked + _HOLD_ABOVE_LEAK_DB)
        self._learn(smooth, loud)
        self._settle(smooth)
        return active, held

    def _learn(self, smooth: NDArray[np.float64], loud: NDArray[np.float64]) -> None:
        if self._channels < 2:
            return
        order = np.argsort(smooth)
        lead = int(order[-1])
        if smooth[lead] < loud[lead] or smooth[lead] - smooth[order[-2]] < _LEAD_DB or smooth[lead] < self._echo[lead]:
            return
        leak = self._leak[lead]
        others = np.arange(self._channels) != lead
        leak[others] += _LEAK_RATE * (smooth[others] - smooth[lead] - leak[others])
        leak[others] = np.clip(leak[others], _LEAK_LEAST_DB, _LEAK_MOST_DB)

    def _settle(self, smooth: NDArray[np.float64]) -> None:
        self._block = np.minimum(self._block, smooth)
        self._seen += 1
        self._in_block += 1
        if self._in_block == _NOISE_BLOCK:
            self._minima[self._at] = self._block
            self._at = (self._at + 1) % _NOISE_BLOCKS
            self._block = np.full(self._channels, np.inf)
            self._in_block = 0
