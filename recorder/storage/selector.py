"""Which fragments of a track are kept: the stretches in which a hearing is open, whole, or with a declared gap.

A hearing that opens begins with the last key frame at or before that moment, or before its pre-roll, which is in
memory alone until then (`recorder.storage.preroll_buffer`). What was wanted and is not on disk is declared missing
(`recorder.storage.gaps`). It knows nothing of processes, files and logs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from recorder.capture.fragment import StampedFragment
from recorder.storage.gaps import Coverage, GapTracker, MissingSpan
from recorder.storage.preroll_buffer import PreRollBuffer
from recorder.storage.stretch import Stretch
from sync.runtime.units import NS_PER_S

LATE_NS = 3 * NS_PER_S
"""A stretch that ended is given this long for its last fragments to arrive."""
LAST_DONE = 64
TOO_SLOW_WHY = "磁盘写入过慢"


@dataclass(slots=True)
class _Selection:
    """A hearing that is to be kept."""

    hearing: str
    coverage: Coverage
    stretches: list[Stretch] = field(default_factory=list)
    current: int = 0
    """The stretch that fragments go to."""
    confirmed: int = 0
    """Stretches that are on disk or declared missing to their end."""
    ended: bool = False
    """No further stretch will come."""

    @property
    def done(self) -> bool:
        return self.ended and self.confirmed >= len(self.stretches)


class FragmentSelector:
    """Selects for one track. `offer` and `finish` are those of `recorder.storage.writer.TrackWriter`."""

    def __init__(
        self,
        offer: Callable[[str, StampedFragment], bool],
        finish: Callable[[str, int], bool],
        declare: Callable[[MissingSpan], None],
        preroll_ns: int = 0,
    ) -> None:
        """`declare` gets each gap; `preroll_ns`: how long a pre-roll may be asked for."""
        self._offer = offer
        self._finish = finish
        self._gaps = GapTracker(declare)
        self._buffer = PreRollBuffer(preroll_ns)
        self._selections: list[_Selection] = []
        self._finishing: list[_Selection] = []
        self._done: deque[str] = deque(maxlen=LAST_DONE)
        """The last hearings that are over and whole: nobody begins them anew."""
        self._offered: StampedFragment | None = None
        self._began = False
        self.dropped = 0
        """Fragments for which the writer had no place."""

    def wait_for_log(self) -> None:
        """It is not known yet whether a hearing is open: what comes stays in memory, as much as there is room for."""
        self._buffer.keeps_all = True

    def informed(self) -> None:
        """It is known now."""
        self._buffer.keeps_all = False

    def wants(self, hearing: str) -> bool:
        """Whether this hearing was wanted here before."""
        return hearing in self._done or self._find(hearing) is not None

    def covered(self, hearing: str, covered_ns: int) -> None:
        """Up to here an earlier life of this service has kept or declared it; call it before the first `kept`."""
        selection = self._find(hearing)
        if selection is not None:
            selection.coverage.until_ns = max(selection.coverage.until_ns, covered_ns)

    def missed(self, hearing: str, stretches: Sequence[Stretch], covered_ns: int) -> None:
        """A hearing had ended before this service began: what is not covered is missing, and nothing else will come."""
        end_ns = stretches[-1].to_ns
        assert end_ns is not None
        self._gaps.finished(Coverage(hearing, max(covered_ns, stretches[0].from_ns)), stretches, end_ns)

    def want(self, hearing: str, stretches: Sequence[Stretch], *, ended: bool, covered_ns: int = 0) -> None:
        """What the room's log says is to be kept of a hearing; call it again whenever that changes.

        `covered_ns`: up to where an earlier life of this service has kept or declared it.
        """
        selection = next((s for s in self._selections if s.hearing == hearing), None)
        if selection is None:
            if not stretches or self.wants(hearing):
                return  # over: only the disk is still waited for, if anything
            selection = _Selection(hearing, Coverage(hearing, max(covered_ns, stretches[0].from_ns)))
            self._selections.append(selection)
        selection.stretches = list(stretches)
        selection.ended = ended
        self._advance()

    def fragment(self, fragment: StampedFragment) -> None:
        """Take the next fragment of the track."""
        self._buffer.append(fragment)
        self._advance()
        self._buffer.trim()

    def trouble(self, at_ns: int, why: str, *, alone: bool = False) -> None:
        """Something happened that may become a gap; `why` is for people. `alone`: whatever was before led to this."""
        self._gaps.trouble(at_ns, why, alone=alone)

    def tick(self, now_ns: int) -> None:
        """Call about twice a second: a stretch ends although no media comes any more."""
        self._advance(now_ns)

    def kept(self, hearing: str, fragment: StampedFragment) -> None:
        """The writer has it on disk."""
        selection = self._find(hearing)
        if selection is not None:
            self._gaps.kept(selection.coverage, selection.stretches, fragment.from_ns, fragment.to_ns)

    def finished(self, hearing: str, until_ns: int) -> None:
        """The writer has closed the stretch that ended at `until_ns`."""
        selection = self._find(hearing)
        if selection is None:
            return
        self._gaps.finished(selection.coverage, selection.stretches, until_ns)
        selection.confirmed += 1
        if selection.done:
            self._done.append(hearing)
            self._selections = [s for s in self._selections if s is not selection]
            self._finishing = [s for s in self._finishing if s is not selection]

    def is_done(self, hearing: str) -> bool:
        """Whether everything of this hearing is on disk or declared."""
        return self._find(hearing) is None

    @property
    def is_idle(self) -> bool:
        """Whether no hearing wants anything of this track any more."""
        return not self._selections and not self._finishing

    def buffered(self, from_ns: int) -> list[StampedFragment]:
        """What is in memory from the last key frame at or before a moment on."""
        return self._buffer.since(from_ns)

    @property
    def wanting(self) -> bool:
        """Whether a hearing is open, so that fragments go to disk."""
        first = self._selections[0] if self._selections else None
        return (
            first is not None and first.current < len(first.stretches) and first.stretches[first.current].to_ns is None
        )

    def _find(self, hearing: str) -> _Selection | None:
        return next((s for s in [*self._finishing, *self._selections] if s.hearing == hearing), None)

    def _advance(self, now_ns: int | None = None) -> None:
        """Offer what the first hearing wants of what is in memory, and go on to the next stretch where one is over."""
        while self._selections:
            selection = self._selections[0]
            if selection.current >= len(selection.stretches):
                if not selection.ended:
                    return
                self._selections.pop(0)
                if selection.done:
                    self._done.append(selection.hearing)
                else:
                    self._finishing.append(selection)
                continue
            stretch = selection.stretches[selection.current]
            self._offer_from(selection, stretch)
            if stretch.to_ns is None:
                return
            newest = self._buffer.newest
            passed = newest is not None and newest.from_ns >= stretch.to_ns
            if not passed and (now_ns is None or now_ns < stretch.to_ns + LATE_NS):
                return
            if not self._finish(selection.hearing, stretch.to_ns):
                return
            selection.current += 1
            self._began = False

    def _offer_from(self, selection: _Selection, stretch: Stretch) -> None:
        if not self._began:
            newest = self._buffer.newest
            if newest is None or newest.to_ns <= stretch.begin_ns:
                return  # a later key frame may still come before the beginning
            first = self._buffer.first_from(stretch.begin_ns)
            if first is None or (stretch.to_ns is not None and first.from_ns >= stretch.to_ns):
                return
            self._began = True
            self._offered = None
            start_ns = first.from_ns
        else:
            start_ns = stretch.begin_ns
        for fragment in self._buffer:
            if self._offered is None:
                if fragment.from_ns < start_ns:
                    continue
            elif fragment.from_ns <= self._offered.from_ns:
                continue
            if stretch.to_ns is not None and fragment.from_ns >= stretch.to_ns:
                break
            if not self._offer(selection.hearing, fragment):
                if fragment.to_ns <= stretch.from_ns:
                    return  # the pre-roll comes at once and is longer than the writer's line: the rest a little later
                self.dropped += 1
                self.trouble(fragment.from_ns, TOO_SLOW_WHY)
            self._offered = fragment
