"""Step 7: UTC and room time run together, and where they part a clock leaf says by how much.

Services look at the system clock by themselves, and only the recorder says a step; so a leaf within `LOOK_NS` of one
may be on either side of it, and, where the recorder was away, a leaf since the last that it said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sync.record.event import Event
from wutong.verify.case import ExportCase
from wutong.verify.steps.checkpoints import witnessed_s
from wutong.verify.verdict import Reason, false, remark

TOLERANCE_NS = 500_000_000
"""What slewing may add up to before the recorder tells it as a step, and a busy machine between two readings."""
LOOK_NS = 10_000_000_000
"""The recorder looks once a second; when it had to be started again, it is back within this."""
AHEAD_S = 60
LATE_S = 3600
MOST = 10
_RECORDER = frozenset({"segment", "gap", "clock"})
_ACTS = frozenset({"open", "pause", "resume", "close", "present", "withdraw", "mark", "exhibit"})
"""Said by one service as they happen: in the order of their numbers time never runs back."""


def run(case: ExportCase) -> Iterator[Reason]:
    """Reasons `clock-jump`, `clock-back`, `media-utc`; remarks `clock-stepped`, `clock-ahead`, `witnessed-late`."""
    events = case.known
    if not events:
        return
    steps = _steps(events)
    for step in steps:
        yield remark("clock-stepped", f"{step.by_ns / 1e9:+.1f}")
    base = events[0].utc_ns - events[0].room_ns
    yield from _jumps(events, base, steps)
    yield from _back(events)
    for name, fact in case.media.items():
        if fact.utc is not None:
            off_ns = _off(fact.utc[0], fact.utc[1] - fact.utc[0], base, steps)
            if off_ns > TOLERANCE_NS:
                yield false("media-utc", name, f"{off_ns / 1e9:.1f}")
    yield from _witness(case)


@dataclass(frozen=True, slots=True)
class _Step:
    """It was between `from_ns` and `told_ns` (room time)."""

    from_ns: int
    told_ns: int
    by_ns: int


def _steps(events: Sequence[Event]) -> list[_Step]:
    steps: list[_Step] = []
    recorder_ns = events[0].room_ns
    for event in events:
        if event.kind == "clock" and event.body.get("by_ns"):
            from_ns = min(recorder_ns, event.room_ns)
            steps.append(_Step(from_ns - LOOK_NS, event.room_ns + LOOK_NS, _whole(event.body["by_ns"])))
        if event.kind in _RECORDER:
            recorder_ns = event.room_ns
    return steps


def _jumps(events: Sequence[Event], base: int, steps: Sequence[_Step]) -> Iterator[Reason]:
    said = 0
    for event in events:
        off_ns = _off(event.room_ns, event.utc_ns - event.room_ns, base, steps)
        if off_ns > TOLERANCE_NS:
            yield false("clock-jump", f"{off_ns / 1e9:.1f}", event.number)
            said += 1
            if said >= MOST:
                return


def _off(at_ns: int, offset: int, base: int, steps: Sequence[_Step]) -> int:
    """How far UTC minus room time is from what the clock leaves allow at a moment."""
    least_ns, value = abs(offset - base), base
    for step in steps:
        if step.from_ns > at_ns:
            break
        value += step.by_ns
        # A step that is over by then is in it for sure; of those that may be, the first so many are.
        off_ns = abs(offset - value)
        least_ns = off_ns if step.told_ns <= at_ns else min(least_ns, off_ns)
    return least_ns


def _back(events: Sequence[Event]) -> Iterator[Reason]:
    at_ns: int | None = None
    for event in events:
        if event.kind not in _ACTS:
            continue
        if at_ns is not None and event.room_ns < at_ns:
            yield false("clock-back", event.number)
        at_ns = event.room_ns


def _witness(case: ExportCase) -> Iterator[Reason]:
    if not case.checkpoints or case.last is None:
        return
    seconds = witnessed_s(case, case.checkpoints[-1])
    if seconds is None:
        return
    late_s = seconds - case.last.utc_ns // 1_000_000_000
    if late_s < -AHEAD_S:
        yield remark("clock-ahead", -late_s)
    elif late_s > LATE_S:
        yield remark("witnessed-late", f"{late_s / 3600:.1f} h")


def _whole(value: object) -> int:
    return value if type(value) is int else 0
