"""What a person must know now: raised once, cleared when it is over; during a hearing also a durable event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sync.record.bodies.media import AlarmBody
from sync.room.messages import RoomAlarm


@dataclass(frozen=True, slots=True)
class RaisedAlarm:
    """An alarm that is on: `code` is its kind, `subject` the track or seat that it is about, `text` is for people."""

    code: str
    subject: str
    text: str
    since_ns: int


class RaisedAlarms:
    """The alarms that are on. `notify(alarm, cleared)` is called at each change."""

    def __init__(self, notify: Callable[[RaisedAlarm, bool], None]) -> None:
        self._on: dict[tuple[str, str], RaisedAlarm] = {}
        self._notify = notify

    def set(self, code: str, subject: str, text: str | None, now_ns: int) -> None:
        """Raise it with a text, or clear it with None; notifies nobody when that changes nothing."""
        key = (code, subject)
        old = self._on.get(key)
        if text is None:
            if old is not None:
                del self._on[key]
                self._notify(old, True)
        elif old is None:
            self._on[key] = alarm = RaisedAlarm(code, subject, text, now_ns)
            self._notify(alarm, False)
        else:
            self._on[key] = RaisedAlarm(code, subject, text, old.since_ns)

    def all(self) -> list[RaisedAlarm]:
        """Those that are on, the oldest first."""
        return sorted(self._on.values(), key=lambda a: a.since_ns)

    def to_json(self) -> list[RoomAlarm]:
        """What the status tells of it."""
        return [{"code": a.code, "subject": a.subject, "text": a.text, "since_ns": a.since_ns} for a in self.all()]


class AlarmEvents:
    """The alarms as events of a hearing: each is in its log once when it is raised, and once when it is cleared."""

    def __init__(self, append: Callable[[AlarmBody, str], None]) -> None:
        """`append(body, hearing)` writes an `alarm` event."""
        self._append = append
        self._raised: set[tuple[str, str, str]] = set()
        """(hearing, code, subject) of those that a log holds as raised."""

    def publish(self, hearing: str, alarm: RaisedAlarm, *, cleared: bool) -> None:
        """Write what is new to this hearing's log: nothing is cleared there that was never raised, or raised twice."""
        key = (hearing, alarm.code, alarm.subject)
        if cleared == (key not in self._raised):
            return
        (self._raised.discard if cleared else self._raised.add)(key)
        body: AlarmBody = {"code": alarm.code, "subject": alarm.subject, "text": alarm.text}
        if cleared:
            body["cleared"] = True
        self._append(body, hearing)
