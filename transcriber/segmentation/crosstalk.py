"""The same words at two seats at the same moment were said once: the seat that heard them louder keeps them.

Promises: a turn is taken for the echo of others only when three things agree: clearly louder turns of other seats cover
it, it says nearly nothing that they do not say, and its sound is theirs: what the louder microphones heard explains it
(magnitude-squared coherence, as Carter 1987). Two people who answer alike at once, each into their own microphone, both
keep their words however softly one of them speaks: a voice of its own is explained by no other microphone, only its
share of bleed is. Where the sound does not settle it, or a defect hinders this, the words stay.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from difflib import SequenceMatcher

import numpy as np
import structlog

from transcriber.audio.pcm import RATE_HZ, Samples
from transcriber.defects import DEFECTS
from transcriber.segmentation.endpointer import Turn

log = structlog.get_logger(__name__)

_REMEMBERED = 8
_LEAST_OVERLAP = 0.6
"""Of the turn in question."""
_SAME = 0.6
"""So much of its text is in the other one's: two passes over the same sound agree that far."""
_LOUDER_DB = 3.0
_EXPLAINED = 0.4
"""Of the turn's energy, what a louder turn explains. An echo in a room of 0.4 s has 0.45 and more, down to a direct
sound 6 dB below its echo; a second voice has 0.32 at most, even with the louder one in its microphone at −10 dB."""
_WINDOW = 1024
"""64 ms: longer than sound needs from one microphone to another, and than the first reflections."""
_HOP = _WINDOW // 4
_LEAST_WINDOWS = 16
"""Less sound than this (0.3 s) explains nothing."""
_BAND = slice(150 * _WINDOW // RATE_HZ, 6000 * _WINDOW // RATE_HZ)
_TAPER = np.hanning(_WINDOW)


class CrosstalkFilter:
    """Compares each turn with those that were written last, and with those that are still to be written."""

    def __init__(self) -> None:
        self._written: deque[tuple[Turn, str]] = deque(maxlen=_REMEMBERED)

    def note(self, turn: Turn, text: str) -> None:
        """Remember a turn that is in the record now."""
        self._written.append((turn, text))

    def elsewhere(self, turn: Turn, text: str, others: Iterable[tuple[Turn, str]]) -> bool:
        """Whether `turn` only echoes another seat's; `others` are turns that are not written yet, as captioned.

        Without words (`text` is empty) the sound alone decides.
        """
        try:
            return self._is_echo(turn, text, others)
        except DEFECTS as error:
            log.error("echo_not_judged", why=repr(error))
            return False

    def _is_echo(self, turn: Turn, text: str, others: Iterable[tuple[Turn, str]]) -> bool:
        level_db = turn.level_db
        louder = [
            (_shared_ns(turn, other), other, text)
            for other, text in [*self._written, *others]
            if other.channel != turn.channel and _shared_ns(turn, other) > 0 and other.level_db > level_db + _LOUDER_DB
        ]
        covered_ns = sum(shared_ns for shared_ns, _, _ in louder)
        if not louder or covered_ns < _LEAST_OVERLAP * max(turn.end_ns - turn.start_ns, 1):
            return False
        there = "".join(text for _, other, text in sorted(louder, key=lambda one: one[1].start_ns))
        if text and not _says_nothing_new(_letters(text), _letters(there)):
            return False
        explained = sum(shared_ns * explains(other, turn) for shared_ns, other, _ in louder)
        return explained >= _EXPLAINED * covered_ns


def explains(louder: Turn, turn: Turn) -> float:
    """Return how much (0…1) of the energy of `turn` is the sound of `louder`, late and colored by the room."""
    start_ns, end_ns = max(louder.start_ns, turn.start_ns), min(louder.end_ns, turn.end_ns)
    there, here = (_sound(one, start_ns, end_ns) for one in (louder, turn))
    length = min(len(there), len(here))
    if length < _WINDOW + (_LEAST_WINDOWS - 1) * _HOP:
        return 0.0
    of_there, of_here = _spectra(there[:length]), _spectra(here[:length])
    common = np.abs((of_here * of_there.conj()).mean(axis=0)) ** 2
    energy_there, energy_here = (np.abs(of_there) ** 2).mean(axis=0), (np.abs(of_here) ** 2).mean(axis=0)
    return float((common / (energy_there + 1e-12)).sum() / (energy_here.sum() + 1e-12))


def _sound(turn: Turn, start_ns: int, end_ns: int) -> Samples:
    """Return the sound of its microphone between two moments, the high end weighed as in the speaker gate."""
    first, last = (max(at_ns - turn.audio_ns, 0) * RATE_HZ // 1_000_000_000 for at_ns in (start_ns, end_ns))
    samples = turn.samples()[first:last]
    return np.concatenate([samples[:1], samples[1:] - np.float32(0.9) * samples[:-1]])


def _spectra(samples: Samples) -> np.ndarray[tuple[int, int], np.dtype[np.complex128]]:
    windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP]
    return np.fft.rfft(windows * _TAPER, axis=1)[:, _BAND]


def _shared_ns(turn: Turn, other: Turn) -> int:
    return min(turn.end_ns, other.end_ns) - max(turn.start_ns, other.start_ns)


def _says_nothing_new(letters: str, there: str) -> bool:
    same = SequenceMatcher(None, letters, there, autojunk=False).get_matching_blocks()
    return bool(letters) and sum(block.size for block in same) >= _SAME * len(letters)


def _letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum())
