"""What the parts of one room's recorder share: its time, its paths, its feed, its events, its alarms, its hearing.

Every part gets it when it is made, and it knows none of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from hardware.profile import Profile
from recorder.alarms import AlarmEvents, RaisedAlarm, RaisedAlarms
from recorder.event_writer import EventWriter
from recorder.monitoring.camera_places import CameraPlaces
from recorder.storage.volume import RecordingVolume
from recorder.storage.write_latency import WriteLatency
from sync.record.event import Event
from sync.room.clock import ClockMap, RoomClock
from sync.room.event_log import RoomLog
from sync.room.feed import FeedServer
from sync.room.paths import RoomPaths


class RoomContext:
    """The context of one room. All methods belong to the event loop."""

    def __init__(
        self,
        profile: Profile,
        paths: RoomPaths,
        clock: RoomClock,
        clock_map: ClockMap,
        room_log: RoomLog,
        feed: FeedServer,
    ) -> None:
        self.profile = profile
        self.paths = paths
        self.clock = clock
        self.clock_map = clock_map
        self.room_log = room_log
        self.camera_places = CameraPlaces(paths.camera_places)
        self.feed = feed
        self.hearing: str | None = None
        """The hearing that is open or paused; the follower of the log sets it."""
        self.status_changed = asyncio.Event()
        """Set by whoever changes what the status tells; its publisher clears it."""
        self.volume = RecordingVolume(profile.storage.data, profile.storage.reserve_gib)
        self.write_latency = WriteLatency()
        self.alarms = RaisedAlarms(self._alarm_changed)
        self._alarm_events = AlarmEvents(lambda body, hearing: self.append_event("alarm", body, hearing))
        self.events = EventWriter(
            room_log, self._publish_number, paths.data / "hearings" / "unsaid.jsonl", self.set_log_alarm
        )

    def utc_of(self, room_ns: int) -> int:
        """UTC of a moment of room time."""
        return self.clock_map.utc_ns(room_ns)

    def append_event(self, kind: str, body: Mapping[str, Any], hearing: str, key: str | None = None) -> None:
        """Write an event of now to the room's log as soon as the log takes it; a key is written once only."""
        now_ns = self.clock.now_ns()
        self.events.append(kind, body, hearing=hearing, room_ns=now_ns, utc_ns=self.utc_of(now_ns), key=key)

    def set_alarm(self, code: str, subject: str, text: str | None) -> None:
        """Raise an alarm with a text for people, or clear it with None."""
        self.alarms.set(code, subject, text, self.clock.now_ns())

    def set_log_alarm(self, why: str | None) -> None:
        """Raise or clear the alarm that the room's log cannot be read or written."""
        text = None if why is None else f"法庭日志无法读写，录音录像照常保存，事件稍后补记：{why}"
        self.set_alarm("log", "log", text)

    def publish_alarms(self) -> None:
        """Write the alarms that are on to the log of the hearing that has just begun."""
        for alarm in self.alarms.all():
            self._alarm_changed(alarm, False)

    def _alarm_changed(self, alarm: RaisedAlarm, cleared: bool) -> None:
        self.status_changed.set()
        if self.hearing is not None:
            self._alarm_events.publish(self.hearing, alarm, cleared=cleared)

    def _publish_number(self, event: Event) -> None:
        self.feed.publish_json("log", {"number": event.number})
