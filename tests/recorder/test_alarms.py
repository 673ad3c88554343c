"""What a person must know now, and what of it becomes an event of a hearing."""

from __future__ import annotations

from recorder.alarms import AlarmEvents, RaisedAlarm, RaisedAlarms
from sync.record.bodies.media import AlarmBody

ALARM = RaisedAlarm("source", "bench", "设备中断：无", 5)


class Log:
    """The bodies that were written, with their hearing."""

    def __init__(self) -> None:
        self.written: list[tuple[str, AlarmBody]] = []
        self.events = AlarmEvents(lambda body, hearing: self.written.append((hearing, body)))


def test_it_is_raised_once_and_cleared_once() -> None:
    changes: list[tuple[str, bool]] = []
    alarms = RaisedAlarms(lambda alarm, cleared: changes.append((alarm.text, cleared)))
    alarms.set("disk", "disk", None, 1)
    alarms.set("disk", "disk", "full", 2)
    alarms.set("disk", "disk", "fuller", 3)
    assert alarms.to_json() == [{"code": "disk", "subject": "disk", "text": "fuller", "since_ns": 2}]
    alarms.set("disk", "disk", None, 4)
    alarms.set("disk", "disk", None, 5)
    assert changes == [("full", False), ("fuller", True)]
    assert alarms.all() == []


def test_the_oldest_comes_first() -> None:
    alarms = RaisedAlarms(lambda alarm, cleared: None)
    alarms.set("silence", "clerk", "b", 9)
    alarms.set("source", "bench", "a", 3)
    assert [alarm.subject for alarm in alarms.all()] == ["bench", "clerk"]


def test_a_log_holds_each_alarm_once_and_clears_only_what_it_holds() -> None:
    log = Log()
    log.events.publish("h-1", ALARM, cleared=True)  # raised before this hearing began
    log.events.publish("h-1", ALARM, cleared=False)
    log.events.publish("h-1", ALARM, cleared=False)
    log.events.publish("h-1", ALARM, cleared=True)
    body = {"code": "source", "subject": "bench", "text": "设备中断：无"}
    assert log.written == [("h-1", body), ("h-1", {**body, "cleared": True})]


def test_an_alarm_that_lasts_is_in_the_log_of_the_next_hearing_too() -> None:
    log = Log()
    log.events.publish("h-1", ALARM, cleared=False)
    log.events.publish("h-2", ALARM, cleared=False)
    log.events.publish("h-2", ALARM, cleared=True)
    assert [(hearing, body.get("cleared", False)) for hearing, body in log.written] == [
        ("h-1", False),
        ("h-2", False),
        ("h-2", True),
    ]
