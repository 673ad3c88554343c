"""What the other services of the room have said last, kept for whoever measures the room.

It listens beside `RoomState`, which is for screens: what is here is for no person. What a service of another version
says in another form is thrown away, and costs nothing but its own numbers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import structlog
from pydantic import TypeAdapter, ValidationError

from sync.room.counts import COUNTS, MOST_BYTES, RecorderCounts, TranscriberCounts, UplinkCounts
from sync.room.feed import FeedClient
from sync.room.paths import RoomPaths
from sync.text.strict_json import UnreadableError, read_strict

log = structlog.get_logger(__name__)

FRESH_S: Final = 15.0
"""Who counts says so every few seconds: who has said nothing for so long hangs."""
MOST_STATUS_BYTES: Final = 1024 * 1024
_FORMS: Final[dict[str, TypeAdapter[Any]]] = {
    "recorder": TypeAdapter(RecorderCounts),
    "transcriber": TypeAdapter(TranscriberCounts),
    "uplink": TypeAdapter(UplinkCounts),
}
_STATUS: Final = {"recorder": "status", "transcriber": "status", "uplink": "link"}


@dataclass(slots=True)
class HeardService:
    """The last words of one service."""

    heard_s: float = 0.0
    status: dict[str, Any] | None = None
    counts: Any = None


class RoomCounts:
    """All methods belong to one event loop."""

    def __init__(self, layout: RoomPaths, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._services = {name: HeardService() for name in _FORMS}
        self._feeds = {name: FeedClient(layout.feed(name), [_STATUS[name], COUNTS]) for name in _FORMS}

    async def run(self) -> None:
        """Listen for ever."""
        async with asyncio.TaskGroup() as group:
            for name, feed in self._feeds.items():
                group.create_task(self._listen(name, feed))

    def is_up(self, name: str) -> bool:
        """Whether a service holds its feed open and, where it counts, has done so just now."""
        service = self._services[name]
        is_fresh = service.counts is None or self._monotonic_s() - service.heard_s < FRESH_S
        return self._feeds[name].connected and is_fresh

    def status(self, name: str) -> dict[str, Any] | None:
        """Its status (of the uplink its link), as it said it; None while it is not up."""
        return self._services[name].status if self.is_up(name) else None

    @property
    def recorder(self) -> RecorderCounts | None:
        """What it counts; None while it is not up or does not count."""
        counts: RecorderCounts | None = self._counts("recorder")
        return counts

    @property
    def transcriber(self) -> TranscriberCounts | None:
        """The same."""
        counts: TranscriberCounts | None = self._counts("transcriber")
        return counts

    @property
    def uplink(self) -> UplinkCounts | None:
        """The same."""
        counts: UplinkCounts | None = self._counts("uplink")
        return counts

    def _counts(self, name: str) -> Any:
        return self._services[name].counts if self.is_up(name) else None

    async def _listen(self, name: str, feed: FeedClient) -> None:
        service = self._services[name]
        async for topic, payload in feed.messages():
            service.heard_s = self._monotonic_s()
            try:
                if topic == COUNTS:
                    value = read_strict(payload, limit=MOST_BYTES)
                    service.counts = _FORMS[name].validate_python(value, strict=True)
                else:
                    said = read_strict(payload, limit=MOST_STATUS_BYTES)
                    service.status = said if isinstance(said, dict) else None
            except (UnreadableError, ValidationError) as error:
                if topic == COUNTS:
                    service.counts = None
                log.warning("counts_unreadable", service_of=name, topic=topic, why=type(error).__name__)
