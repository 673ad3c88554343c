"""What is to be kept, read from the room's log alone: it works while every other service is dead.

An event that cannot be read is logged and left out: recording goes on, whoever wrote it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from recorder.storage.gaps import TOLERANCE_NS
from recorder.storage.stretch import Stretch
from sync.record.event import Event
from sync.record.hearing import Hearing, State
from sync.room.event_log import RoomLog
from sync.room.follower import apply_leniently

LAST_HEARINGS = 16
"""More than a day's: that many may be opened and closed before a recorder that died is back."""
KINDS = ("open", "pause", "resume", "close", "segment", "gap")


@dataclass(frozen=True, slots=True)
class RecordingPlan:
    """One hearing as the recorder needs it."""

    hearing: str
    stretches: list[Stretch]
    ended: bool
    tracks: frozenset[str]
    """Those that the room had when it was opened."""
    kept_until_ns: dict[str, int]
    """Of each track: up to where segments and declared gaps reach, according to the log."""
    holes: dict[str, list[tuple[int, int]]]
    """Of each track: (from, to) before that which neither covers: this service died before it declared them."""


class RecordingSchedule:
    """The hearings that are not closed, and the last ones: of each something may still have to be declared."""

    def __init__(self, log: RoomLog) -> None:
        self._log = log
        self._views: dict[str, Hearing] = {}
        self._number = 0
        self._changed: set[str] = set()
        self._loaded = False

    def poll(self) -> list[RecordingPlan]:
        """Read what is new; hearings that changed. `StorageError` loses nothing: the next call gives them."""
        if not self._loaded:
            self._load()
        while events := self._log.since(self._number, mark=True):
            self._changed |= self._apply(events)
        changed, self._changed = self._changed, set()
        return [_plan_of(self._views[h]) for h in self._views if h in changed]

    def all(self) -> list[RecordingPlan]:
        """Everything that is known, for a service that has just started."""
        return [_plan_of(view) for view in self._views.values()]

    def forget(self, hearing: str) -> None:
        """Everything of a closed hearing was kept or declared."""
        if hearing in self._views and self._views[hearing].state is State.CLOSED and len(self._views) > 1:
            del self._views[hearing]

    @property
    def open_hearing(self) -> str | None:
        """The hearing that is open or paused."""
        return next((h for h, view in self._views.items() if view.state is not State.CLOSED), None)

    def _load(self) -> None:
        for hearing in self._log.opened_last(LAST_HEARINGS):
            events = self._log.of_hearing(hearing, KINDS, mark=True)
            view = self._views[hearing] = Hearing(hearing)
            for event in events:
                apply_leniently(view, event)
            self._number = max(self._number, *(e.number for e in events))
        self._loaded = True

    def _apply(self, events: Iterable[Event]) -> set[str]:
        changed = set()
        for event in events:
            self._number = max(self._number, event.number)
            if event.hearing is None:
                continue
            if event.kind == "open":
                self._views.setdefault(event.hearing, Hearing(event.hearing))
            view = self._views.get(event.hearing)
            if view is not None:
                apply_leniently(view, event)
                if event.kind in ("open", "pause", "resume", "close"):
                    changed.add(event.hearing)
        return changed


def _plan_of(view: Hearing) -> RecordingPlan:
    stretches = [Stretch(view.opened_ns, preroll_ns=max(view.opened_ns - view.recorded_from_ns, 0))]
    for pause in view.pauses:
        stretches[-1].to_ns = pause.from_ns
        if pause.to_ns is not None and (view.closed_ns is None or pause.to_ns < view.closed_ns):
            stretches.append(Stretch(pause.to_ns))
    if view.closed_ns is not None and stretches[-1].to_ns is None:
        stretches[-1].to_ns = view.closed_ns
    covered: dict[str, list[tuple[int, int]]] = {}
    for segment in view.segments:
        covered.setdefault(segment.track, []).append((segment.from_ns, segment.to_ns))
    for gap in view.gaps:
        covered.setdefault(gap.track, []).append((gap.from_ns, gap.to_ns or gap.from_ns))
    kept = {track: max(to_ns for _, to_ns in spans) for track, spans in covered.items()}
    holes = {track: _holes(stretches, spans) for track, spans in covered.items()}
    tracks = frozenset(str(track.get("id")) for track in view.tracks if isinstance(track, Mapping))
    return RecordingPlan(view.id, stretches, view.closed_ns is not None, tracks, kept, holes)


def _holes(stretches: Iterable[Stretch], covered: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    spans = sorted(covered)
    holes = []
    for stretch in stretches:
        at_ns = stretch.from_ns
        for from_ns, to_ns in spans:
            until_ns = from_ns if stretch.to_ns is None else min(from_ns, stretch.to_ns)
            if until_ns - at_ns > TOLERANCE_NS:
                holes.append((at_ns, until_ns))
            at_ns = max(at_ns, to_ns)
    return holes
