"""What rooms say over MQTT, each message to the part of the center that it is for; nothing that it contains raises."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from server.ingest.receipts import Ingest
from server.live.hub import LiveHub
from server.rooms import Rooms
from sync import topics
from sync.errors import WutongError

log = structlog.get_logger(__name__)

_FAILED = "failed"
MOST_UNKNOWN = 1000
"""So many rooms that are not in the configuration are named in the log."""


class RoomMessages:
    """All methods belong to one event loop."""

    def __init__(
        self,
        rooms: Rooms,
        ingest: Ingest,
        witness: Callable[[str, bytes], None],
        hub: LiveHub,
        *,
        is_shut: Callable[[str], bool] = lambda room: False,
    ) -> None:
        """`witness(room, payload)` takes what rooms say on `checkpoints`; `CenterError` when it is malformed.
        `is_shut(room)`: nothing is taken from this room any more, its device was revoked."""
        self._is_shut = is_shut
        self.shut_out = 0
        """Messages of rooms from which nothing is taken."""
        self._rooms = rooms
        self._hub = hub
        self._takers: dict[str, Callable[[str, bytes], None]] = {
            topics.STATUS: rooms.status,
            topics.EVENTS: ingest.offer,
            topics.CHECKPOINTS: witness,
            topics.CAPTION: hub.caption,
            topics.LEVELS: hub.levels,
        }
        self._unknown: set[str] = set()
        self.refused = 0
        self.failed = 0
        """Messages that a defect of the center, and not the room, has cost."""

    def take(self, room: str, topic: str, payload: bytes, retained: bool) -> None:
        """One message of the room `court/room`."""
        if room not in self._rooms:
            if len(self._unknown) < MOST_UNKNOWN and room not in self._unknown:
                self._unknown.add(room)
                log.warning("unknown_room", room=room[:80], next="add it to [[rooms]] of the center's configuration")
            return
        # Its checkpoints and batches are answered: the room itself is told why none is taken.
        if topic not in (topics.CHECKPOINTS, topics.EVENTS) and self._is_shut(room):
            self.shut_out += 1
            return
        try:
            taker = self._takers.get(topic)
            if taker is not None:
                taker(room, payload)
            else:
                _, _, rest = topic.partition("/")
                track, _, what = rest.partition("/")
                self._hub.media(room, track, what, payload)
        except WutongError as error:
            self.refused += 1
            if self.refused < 100 or self.refused % 1000 == 0:
                log.warning("message_refused", room=room, topic=topic[:80], why=error.message, refused=self.refused)
        except Exception as error:
            # A message that nobody foresaw costs itself alone: neither another room's nor the center's service.
            self.failed += 1
            if self.failed < 100 or self.failed % 1000 == 0:
                log.exception("message_failed", room=room, topic=topic[:80], failed=self.failed)
            if _FAILED not in self._rooms.states[room].alarms:
                what = type(error).__name__
                words = f"处理该法庭的消息时出错，已跳过，请联系维护人员 (a message could not be handled: {what})"
                self._rooms.alarm(room, _FAILED, words)
