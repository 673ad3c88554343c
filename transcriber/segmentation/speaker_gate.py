"""Who speaks: decided from the energies of all microphones, before any model runs.

A seat's microphone is *active* in a frame of 20 ms when it is well above its own noise and louder than what the other
microphones explain: speech at one seat leaks into all others, weaker and with the room's echo. How much it leaks is
learned per pair of microphones while one clearly leads. Two people who talk at once are both louder than the other's
leak, so both are kept. Where the energies of two microphones allow two speakers, the lag between them decides
(`transcriber.segmentation.tdoa`): who only hears later what another heard before is not speaking. All levels are dB of
full scale.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from transcriber.audio.pcm import RATE_HZ
from transcriber.segmentation.tdoa import WINDOW, delayed_channels

FRAME = RATE_HZ // 50
FRAME_NS = 20_000_000
_SILENT_DB = -75.0
"""A digital zero counts as this level."""
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
_COMPARE_FRAMES = 4
"""Lags are looked at this often, while more than one microphone is active."""
_NEW_FRAMES = 100
_NEW_NOISE_DB = -52.0
_NOISE_BLOCK = 25
_NOISE_BLOCKS = 16


class SpeakerGate:
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
        self._sound = np.zeros((WINDOW, channels))
        self._lately = np.zeros(channels, np.int64)
        """Frames since each microphone was last active by its energy."""
        self._delayed = np.zeros(channels, np.bool_)

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
        weighed = self._weighed(samples)
        power = (weighed.reshape(-1, FRAME, self._channels) ** 2).mean(axis=1)
        level: NDArray[np.float64] = np.maximum(10 * np.log10(power + 1e-10), _SILENT_DB)
        active = np.zeros(level.shape, np.bool_)
        held = np.zeros(level.shape, np.bool_)
        for i, now in enumerate(level):
            active[i], held[i] = self._one(now)
            self._sound = np.concatenate([self._sound[FRAME:], weighed[i * FRAME : (i + 1) * FRAME]])
            self._compare(active[i] | held[i])
            active[i] &= ~self._delayed
            held[i] &= ~self._delayed
        return active, held, level

    def _weighed(self, samples: NDArray[np.int16]) -> NDArray[np.float64]:
        """Rumble and hum carry no words: weigh the high end as speech recognition does."""
        signal = samples.astype(np.float64) / 32768.0
        before = np.vstack([self._last, signal[:-1]])
        self._last = signal[-1]
        weighed: NDArray[np.float64] = signal - 0.9 * before
        return weighed

    def _compare(self, audible: NDArray[np.bool_]) -> None:
        """Find out who of those that seem to speak at once only hears another."""
        self._lately = np.where(audible, 0, self._lately + 1)
        if self._seen % _COMPARE_FRAMES:
            return
        self._delayed[:] = False
        candidates = [int(c) for c in np.flatnonzero(self._lately < _COMPARE_FRAMES)]
        if len(candidates) > 1:
            self._delayed[list(delayed_channels(self._sound, candidates, self._smooth))] = True

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
        loudest = int(order[-1])
        if (
            smooth[loudest] < loud[loudest]
            or smooth[loudest] - smooth[order[-2]] < _LEAD_DB
            or smooth[loudest] < self._echo[loudest]
        ):
            return
        leak = self._leak[loudest]
        others = np.arange(self._channels) != loudest
        leak[others] += _LEAK_RATE * (smooth[others] - smooth[loudest] - leak[others])
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
