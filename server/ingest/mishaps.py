"""Messages of rooms of which nothing came: counted, and named in the log without filling it."""

from __future__ import annotations

import structlog

from server.rooms import Rooms

log = structlog.get_logger(__name__)

_FAILED = "failed"
_NAMED = 100
_THEN_EVERY = 1000


class Mishaps:
    """All methods belong to one event loop."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self.refused = 0
        self.failed = 0
        """Messages that a defect of the center, and not the room, has cost."""

    def refuse(self, room: str, topic: str, why: str, *, about: str = "") -> None:
        """A message was not what it must be; `about`: its id, where it has one (`sync.runtime.logs.log_ids`)."""
        self.refused += 1
        if self.refused < _NAMED or self.refused % _THEN_EVERY == 0:
            log.warning("message_refused", id=about, room=room, topic=topic[:80], why=why, refused=self.refused)

    def fail(self, room: str, topic: str, error: Exception) -> None:
        """Nobody foresaw what handling a message has raised: it costs itself alone, no other and no service."""
        self.failed += 1
        if self.failed < _NAMED or self.failed % _THEN_EVERY == 0:
            log.error("message_failed", room=room, topic=topic[:80], failed=self.failed, exc_info=error)
        if _FAILED not in self._rooms.states[room].alarms:
            what = type(error).__name__
            words = f"处理该法庭的消息时出错，已跳过，请联系维护人员 (a message could not be handled: {what})"
            self._rooms.alarm(room, _FAILED, words)
