"""Watches the clock map: once a second it compares the clocks, and writes to each hearing's log what its UTC is worth.

Every hearing gets a `clock` event when it begins (`by_ns` 0: no step; the event's own room_ns and utc_ns are the map),
at each step, and when the source of UTC or the bound it gives changes much.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

import structlog

from recorder.clock import chrony
from recorder.clock.chrony import ClockSource
from sync.record.bodies.media import ClockBody
from sync.record.event import Event
from sync.room.clock import ClockMap, ClockStep

log = structlog.get_logger(__name__)

ASK_EVERY = 30
"""Polls from one question to chrony to the next."""
MUCH = 2.0
"""The bound has changed much when it grew or shrank by this factor ..."""
MUCH_MS = 5.0
"""... and by more than this."""


def logged_offset_ns(events: Iterable[Event]) -> int | None:
    """UTC minus room time according to the last `clock` event of a hearing's log; None when it has none."""
    offsets = [event.utc_ns - event.room_ns for event in events if event.kind == "clock"]
    return offsets[-1] if offsets else None


class ClockWatch:
    """`append(body, hearing)` writes a `clock` event."""

    def __init__(
        self,
        clock_map: ClockMap,
        append: Callable[[ClockBody, str], None],
        ask: Callable[[], Awaitable[ClockSource]] = chrony.query,
    ) -> None:
        self._map = clock_map
        self._append = append
        self._ask = ask
        self._polls = 0
        self._published: tuple[str, ClockSource] | None = None
        self.source = ClockSource()

    def recovered(self, events: Iterable[Event]) -> None:
        """The log of the hearing that was open when this service ended: a step since then is found, and published."""
        offset_ns = logged_offset_ns(events)
        if offset_ns is not None:
            self._map.told(offset_ns)

    async def poll(self, hearing: str | None) -> ClockStep | None:
        """Call about once a second with the hearing that is open."""
        if self._polls % ASK_EVERY == 0:
            self.source = await self._ask()
        self._polls += 1
        step = self._map.poll()
        if step is not None:
            log.warning("clock_step", ms=step.by_ns / 1e6)
        if hearing is not None and (step is not None or self._news(hearing)):
            self._published = (hearing, self.source)
            self._append({"by_ns": 0 if step is None else step.by_ns, **self.source.to_json()}, hearing)
        return step

    def _news(self, hearing: str) -> bool:
        if self._published is None or self._published[0] != hearing:
            return True
        before, now = self._published[1], self.source
        if before.source != now.source or before.error_ms is None or now.error_ms is None:
            return before != now
        low, high = sorted((before.error_ms, now.error_ms))
        return high > low * MUCH and high - low > MUCH_MS
