"""Does the machine keep up? Judged second by second; answers are: go on, go on with half the pictures, give up.

A second is bad when less than `SHARE` of the asked pictures were composed in it or one was later than `LATE_NS`. When
`BAD_S` of the last `LOOK_S` seconds were bad, the composer takes one step down; a second such finding ends it. Who
works between hearings too is given all pictures again after a time without a finding.
"""

from __future__ import annotations

from collections import deque
from enum import Enum

from sync.runtime.units import NS_PER_S

SHARE = 0.75
LATE_NS = NS_PER_S
BAD_S, LOOK_S = 5, 8
GRACE_NS = 4 * NS_PER_S
"""After a hearing began or went on (decoders start, pages are drawn) nothing is judged."""
HALVED_GRACE_NS = NS_PER_S


class PaceVerdict(Enum):
    """What to do now."""

    GO_ON = "go on"
    HALVE = "halve"
    GIVE_UP = "give up"


class PictureRateGovernor:
    """Counts pictures in the seconds of `CLOCK_MONOTONIC`."""

    def __init__(self, fps: int, rested_ns: int | None = None) -> None:
        """`rested_ns`: so long after a finding all pictures are asked for again; None: when `rested` is called."""
        self.fps = self._asked = fps
        self._rested_ns = rested_ns
        self._halved_ns: int | None = None
        self._from_ns = 0
        self._until_ns: int | None = None
        self._composed = 0
        self._late_ns = 0
        self._bad: deque[bool] = deque(maxlen=LOOK_S)

    def begin(self, now_ns: int, grace_ns: int = GRACE_NS) -> None:
        """A hearing begins or goes on; what was before does not count."""
        self._from_ns = now_ns + grace_ns
        self._until_ns = None
        self._bad.clear()

    def picture(self, due_ns: int, now_ns: int) -> PaceVerdict:
        """A picture that was due at `due_ns` is done."""
        late_ns = now_ns - due_ns
        if now_ns < self._from_ns:
            return PaceVerdict.GO_ON
        if self._until_ns is None:
            self._until_ns, self._composed, self._late_ns = now_ns + NS_PER_S, 0, 0
        while now_ns >= self._until_ns:
            self._bad.append(self._composed < self.fps * SHARE or self._late_ns > LATE_NS)
            self._until_ns += NS_PER_S
            self._composed, self._late_ns = 0, 0
        self._composed += 1
        self._late_ns = max(self._late_ns, late_ns)
        if sum(self._bad) < BAD_S:
            if self._halved_ns is not None and self._rested_ns and now_ns - self._halved_ns > self._rested_ns:
                self.rested()
                self.begin(now_ns, HALVED_GRACE_NS)
            return PaceVerdict.GO_ON
        if self._halved_ns is not None:
            return PaceVerdict.GIVE_UP
        self._halved_ns = now_ns
        self.fps = max(self.fps // 2, 1)
        self.begin(now_ns, HALVED_GRACE_NS)
        return PaceVerdict.HALVE

    def rested(self) -> None:
        """The hearing is over: the next one begins with all pictures again."""
        self.fps, self._halved_ns = self._asked, None
