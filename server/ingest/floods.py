"""Who says so much that some of it was dropped: the wall names the room, and whoever looks can shut its device out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import structlog

from server.rooms import Rooms

log = structlog.get_logger(__name__)

FLOOD = "flood"
CALM_S = 60.0
"""After so long without a loss the alarm ends."""
WORDS = (
    "该法庭发来的数据远多于正常，部分已丢弃，其他法庭不受影响；请检查其设备，必要时吊销"
    " (this room sent far more than it should; some of it was dropped)"
)


class Floods:
    """All methods belong to one event loop."""

    def __init__(
        self,
        rooms: Rooms,
        dropped: Sequence[Callable[[], Mapping[str, int]]],
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`dropped`: each says how many messages of each room were dropped since it was last asked."""
        self._rooms = rooms
        self._dropped = dropped
        self._monotonic_s = monotonic_s
        self._last_s: dict[str, float] = {}

    def poll(self) -> None:
        """Raise and end the alarms; call about once a second."""
        now_s = self._monotonic_s()
        for dropped in self._dropped:
            for room, count in dropped().items():
                if room not in self._rooms:
                    continue
                if room not in self._last_s:
                    log.warning("room_floods", room=room, dropped=count)
                    self._rooms.alarm(room, FLOOD, WORDS)
                self._last_s[room] = now_s
        for room in [room for room, last_s in self._last_s.items() if now_s - last_s > CALM_S]:
            del self._last_s[room]
            self._rooms.clear(room, FLOOD)
