"""What an engine is: samples in, words out. Everything else in this package works with any engine behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000
"""What every engine hears: mono, float32, -1…1, at this rate."""

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Word:
    """A character or word; times in seconds from the first sample."""

    text: str
    start_s: float
    end_s: float
    probability: float


@dataclass(frozen=True, slots=True)
class Heard:
    """What an engine made of some samples; `text` is empty when nothing was said, and `why` may say what it was."""

    text: str = ""
    words: tuple[Word, ...] = ()
    confidence: float = 0.0
    """0…1: the mean probability of the words."""
    why: str = ""


class Engine(Protocol):
    """Turns one stretch of one speaker into words."""

    def transcribe(self, samples: Samples, bias: str = "", *, quick: bool = False) -> Heard:
        """Words of at most 30 s. `bias`: names likely to be heard; `quick`: for a caption that will be replaced."""
