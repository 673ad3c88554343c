"""Which fragments of a track are kept: the stretches in which a hearing is open, whole, or with a declared gap.

The keeper remembers the last seconds of its track, so a hearing that opens begins with the last key frame at or before
that moment, or before its pre-roll, which is in memory alone until then. What was wanted and is not on disk is a gap:
found when the next fragment is on disk, at the latest when the stretch ends. A pre-roll that began late, because the
recorder did, is no gap; a hole inside of it is. It knows nothing of processes, files and logs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from recorder.capture.fragment import StampedFragment

NS_PER_S = 1_000_000_000
CACHE_NS = 3 * NS_PER_S
"""How far the memory reaches back beyond the pre-roll: an opening is heard of a little later than it happens."""
GOP_NS = 10 * NS_PER_S
"""The longest group of pictures that is kept whole in memory."""
CACHE_BYTES_PER_S = 2 * 1024 * 1024
"""Of one track: 16 Mbit/s, twice what a 1080p camera sends."""
LATE_NS = 3 * NS_PER_S
"""A stretch that ended is given this long for its last fragments to arrive."""
TOLERANCE_NS = 10_000_000
"""Smaller holes are the rounding of media time and of drift."""
NEAR_NS = 5 * NS_PER_S
"""What happened this near to a gap may be its reason."""
UNKNOWN_WHY = "未收到该设备的媒体"


@dataclass(slots=True)
class Stretch:
    """Room time in which a hearing was open and not paused; `to_ns` is None while it is."""

    from_ns: int
    to_ns: int | None = None
    preroll_ns: int = 0
    """So much before it is kept as well, as far as it is in memory."""

    @property
    def begin_ns(self) -> int:
        """Where media is wanted from."""
        return self.from_ns - self.preroll_ns


def cache_bytes(preroll_ns: int) -> int:
    """What one track may hold in memory: 26 MiB without pre-roll, 46 MiB with the longest of ten seconds."""
    return (CACHE_NS + GOP_NS + preroll_ns) * CACHE_BYTES_PER_S // NS_PER_S


@dataclass(slots=True)
class _Job:
    """A hearing that is to be kept."""

    hearing: str
    covered_ns: int
    """On disk or declared missing up to here."""
    stretches: list[Stretch] = field(default_factory=list)
    begun: bool = False
    """Something of it is on disk."""
    current: int = 0
    """The stretch that fragments go to."""
    confirmed: int = 0
    """Stretches that are on disk or declared missing to their end."""
    ended: bool = False
    """No further stretch will come."""

    @property
    def done(self) -> bool:
        return self.ended and self.confirmed >= len(self.stretches)


@dataclass(frozen=True, slots=True)
class MissingSpan:
    """A gap to be declared."""

    hearing: str
    from_ns: int
    to_ns: int
    why: str


class FragmentSelector:
    """One track. `offer` and `finish` are those of `recorder.storage.writer.TrackWriter`."""

    def __init__(
        self,
        offer: Callable[[str, StampedFragment], bool],
        finish: Callable[[str, int], bool],
        missing: Callable[[MissingSpan], None],
        preroll_ns: int = 0,
    ) -> None:
        """`preroll_ns`: how long a pre-roll may be asked for."""
        self._cache_ns = CACHE_NS + preroll_ns
        self._cache_limit = cache_bytes(preroll_ns)
        self._offer = offer
        self._finish = finish
        self._missing = missing
        self._cache: deque[StampedFragment] = deque()
        self._cache_bytes = 0
        self._jobs: list[_Job] = []
        self._finishing: list[_Job] = []
        self._offered: StampedFragment | None = None
        self._began = False
        self._troubles: deque[tuple[int, str]] = deque(maxlen=32)

    def want(self, hearing: str, stretches: Sequence[Stretch], *, ended: bool, covered_ns: int = 0) -> None:
        """What the room's log says is to be kept of a hearing; say it again whenever it changes.

        `covered_ns`: up to where an earlier life of this service has kept or declared it.
        """
        job = next((j for j in self._jobs if j.hearing == hearing), None)
        if job is None:
            if not stretches:
                return
            job = _Job(hearing, max(covered_ns, stretches[0].from_ns))
            self._jobs.append(job)
        job.stretches = list(stretches)
        job.ended = ended
        self._pump()

    def fragment(self, fragment: StampedFragment) -> None:
        """The next fragment of the track."""
        self._cache.append(fragment)
        self._cache_bytes += len(fragment.data)
        self._pump()
        self._trim()

    def trouble(self, at_ns: int, why: str, *, alone: bool = False) -> None:
        """Something happened that may become a gap; `why` is for people. `alone`: whatever was before led to this."""
        if alone:
            self._troubles.clear()
        self._troubles.append((at_ns, why))

    def tick(self, now_ns: int) -> None:
        """Call about twice a second: a stretch ends although no media comes any more."""
        self._pump(now_ns)

    def kept(self, hearing: str, fragment: StampedFragment) -> None:
        """The writer has it on disk."""
        job = self._job(hearing)
        if job is not None:
            if not job.begun and fragment.from_ns < job.covered_ns:
                job.covered_ns = fragment.from_ns  # the pre-roll begins where there is some
            job.begun = True
            self._declare(job, fragment.from_ns, TOLERANCE_NS)
            job.covered_ns = max(job.covered_ns, fragment.to_ns)

    def finished(self, hearing: str, until_ns: int) -> None:
        """The writer has closed the stretch that ended at `until_ns`."""
        job = self._job(hearing)
        if job is None:
            return
        self._declare(job, until_ns, TOLERANCE_NS)
        job.confirmed += 1
        if job.done:
            self._jobs = [j for j in self._jobs if j is not job]
            self._finishing = [j for j in self._finishing if j is not job]

    def is_done(self, hearing: str) -> bool:
        """Everything of this hearing is on disk or declared."""
        return self._job(hearing) is None

    @property
    def is_idle(self) -> bool:
        """No hearing wants anything of this track any more."""
        return not self._jobs and not self._finishing

    def cached(self, from_ns: int) -> list[StampedFragment]:
        """What is in memory from the last key frame at or before a moment on."""
        first = self._first(from_ns)
        return [] if first is None else [f for f in self._cache if f.from_ns >= first.from_ns]

    @property
    def wanting(self) -> bool:
        """A hearing is open: fragments go to disk."""
        job = self._jobs[0] if self._jobs else None
        return job is not None and job.current < len(job.stretches) and job.stretches[job.current].to_ns is None

    def _job(self, hearing: str) -> _Job | None:
        return next((j for j in [*self._finishing, *self._jobs] if j.hearing == hearing), None)

    def _declare(self, job: _Job, until_ns: int, tolerance_ns: int) -> None:
        """Say what is missing between what is covered and `until_ns`, in each stretch."""
        for stretch in job.stretches:
            from_ns = max(job.covered_ns, stretch.begin_ns)
            to_ns = until_ns if stretch.to_ns is None else min(until_ns, stretch.to_ns)
            if to_ns - from_ns > tolerance_ns:
                self._missing(MissingSpan(job.hearing, from_ns, to_ns, self._why(from_ns, to_ns)))
        job.covered_ns = max(job.covered_ns, until_ns)

    def _why(self, from_ns: int, to_ns: int) -> str:
        def away_ns(at_ns: int) -> int:
            return max(from_ns - at_ns, at_ns - to_ns, 0)

        near = [(away_ns(at), why) for at, why in self._troubles if away_ns(at) <= NEAR_NS]
        # The nearest, and of those inside the gap the first: what came later may be its consequence.
        return min(near, key=lambda found: found[0])[1] if near else UNKNOWN_WHY

    def _pump(self, now_ns: int | None = None) -> None:
        while self._jobs:
            job = self._jobs[0]
            if job.current >= len(job.stretches):
                if not job.ended:
                    return
                self._jobs.pop(0)
                if not job.done:
                    self._finishing.append(job)
                continue
            stretch = job.stretches[job.current]
            self._offer_from(job, stretch)
            if stretch.to_ns is None:
                return
            newest = self._cache[-1] if self._cache else None
            passed = newest is not None and newest.from_ns >= stretch.to_ns
            if not passed and (now_ns is None or now_ns < stretch.to_ns + LATE_NS):
                return
            if not self._finish(job.hearing, stretch.to_ns):
                return
            job.current += 1
            self._began = False

    def _offer_from(self, job: _Job, stretch: Stretch) -> None:
        if not self._began:
            if not self._cache or self._cache[-1].to_ns <= stretch.begin_ns:
                return  # a later key frame may still come before the beginning
            first = self._first(stretch.begin_ns)
            if first is None or (stretch.to_ns is not None and first.from_ns >= stretch.to_ns):
                return
            self._began = True
            self._offered = None
            start_ns = first.from_ns
        else:
            start_ns = stretch.begin_ns
        for fragment in self._cache:
            if self._offered is None:
                if fragment.from_ns < start_ns:
                    continue
            elif fragment.from_ns <= self._offered.from_ns:
                continue
            if stretch.to_ns is not None and fragment.from_ns >= stretch.to_ns:
                break
            if not self._offer(job.hearing, fragment):
                if fragment.to_ns <= stretch.from_ns:
                    return  # the pre-roll comes at once and is longer than the writer's line: the rest a little later
                self.trouble(fragment.from_ns, "磁盘写入过慢")
            self._offered = fragment

    def _first(self, from_ns: int) -> StampedFragment | None:
        """The last key frame at or before a moment, else the first after it."""
        best: StampedFragment | None = None
        for fragment in self._cache:
            if fragment.key_frame and (fragment.from_ns <= from_ns or best is None):
                best = fragment
        return best

    def _trim(self) -> None:
        """Keep whole groups of pictures that reach back over `CACHE_NS` and the pre-roll, within `cache_bytes`."""
        horizon_ns = self._cache[-1].to_ns - self._cache_ns
        keys = [i for i, f in enumerate(self._cache) if f.key_frame and f.from_ns <= horizon_ns]
        drop = keys[-1] if keys else 0
        while drop or self._cache_bytes > self._cache_limit:
            self._cache_bytes -= len(self._cache.popleft().data)
            drop = max(drop - 1, 0)
