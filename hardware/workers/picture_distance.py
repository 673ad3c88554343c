"""How long a picture is expected to last when it leaves its worker: as long as those before it.

The next one, which would say, has not come. What a browser's media element is told must not be far too short: after a
picture that comes later than two such durations it drops all until a key frame.
"""

from __future__ import annotations

from collections import deque
from statistics import median

PICTURES_MEASURED = 50


class PictureDistance:
    """Of one run. All times are in the same unit."""

    def __init__(self, expected: int) -> None:
        """`expected`: while nothing is measured."""
        self._expected = expected
        self._apart: deque[int] = deque(maxlen=PICTURES_MEASURED)
        self._last: int | None = None

    def after(self, at: int) -> int:
        """A picture of this moment, which is later than the one before, leaves; how long it is expected to last."""
        if self._last is not None:
            self._apart.append(at - self._last)
        self._last = at
        return max(int(median(self._apart)) if self._apart else self._expected, 1)
