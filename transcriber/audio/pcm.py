"""The one form of sound in this package: mono, float32, -1…1, 16 kHz."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000
"""What every gate, every engine and every test of voices is given."""

Samples = NDArray[np.float32]
"""Shape (samples,): one speaker or one microphone."""
