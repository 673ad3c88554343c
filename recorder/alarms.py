"""What a person must know now: raised once, cleared when it is over; during a hearing also a durable event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sync.room.messages import RoomAlarm


@dataclass(frozen=True, slots=True)
class RaisedAlarm:
    """`code` is the kind, `subject` a track or seat, `text` for people."""

    code: str
    subject: str
    text: str
    since_ns: int


class RaisedAlarms:
    """The alarms that are on. `tell(alarm, cleared)` is called at each change."""

    def __init__(self, tell: Callable[[RaisedAlarm, bool], None]) -> None:
        self._on: dict[tuple[str, str], RaisedAlarm] = {}
        self._tell = tell

    def set(self, code: str, subject: str, text: str | None, now_ns: int) -> None:
        """Raise it with a text, or clear it with None; says nothing when that changes nothing."""
        key = (code, subject)
        old = self._on.get(key)
        if text is None:
            if old is not None:
                del self._on[key]
                self._tell(old, True)
        elif old is None:
            self._on[key] = alarm = RaisedAlarm(code, subject, text, now_ns)
            self._tell(alarm, False)
        else:
            self._on[key] = RaisedAlarm(code, subject, text, old.since_ns)

    def all(self) -> list[RaisedAlarm]:
        """Oldest first."""
        return sorted(self._on.values(), key=lambda a: a.since_ns)

    def to_json(self) -> list[RoomAlarm]:
        """For the status."""
        return [{"code": a.code, "subject": a.subject, "text": a.text, "since_ns": a.since_ns} for a in self.all()]
