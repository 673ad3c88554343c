"""What a scrape looks like, read by the reader of the format's own project."""

from __future__ import annotations

import math

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from sync.http.monitoring.definitions import counter, gauge, histogram, info
from sync.http.monitoring.readings import LABEL_CHARACTERS, LEFT_OUT, Readings
from sync.runtime.logs.metrics import DurationBuckets

DISK = gauge("wutong_test_disk_bytes", 'Free space on the "disk".')
EVENTS = counter("wutong_test_events", "Events\\that came.", "room")
WRITES = histogram("wutong_test_write_seconds", "How long writes took.", "act")
ROOM = info("wutong_test", "Who speaks.", "room", "version")
CATALOG = (DISK, EVENTS, WRITES, ROOM)


def samples(text: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """(name, labels) -> value."""
    families = text_string_to_metric_families(text.decode())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def test_every_kind_is_read_by_a_strict_reader_as_it_was_said() -> None:
    readings = Readings(CATALOG)
    readings.set(DISK, 5)
    readings.set(EVENTS, 7, "jianshan/3")
    readings.set(EVENTS, 9, "jianshan/4")
    readings.set(ROOM, 1, 'a"b\nc\\', "1.0")
    buckets = DurationBuckets((0.5,))
    buckets.note(0.25)
    buckets.note(2)
    readings.durations(WRITES, buckets.read(), "write")
    text = readings.to_text()
    found = samples(text)
    assert found["wutong_test_disk_bytes", ()] == 5
    assert found["wutong_test_events_total", (("room", "jianshan/4"),)] == 9
    assert found["wutong_test_info", (("room", 'a"b\nc\\'), ("version", "1.0"))] == 1
    assert found["wutong_test_write_seconds_bucket", (("act", "write"), ("le", "0.5"))] == 1
    assert found["wutong_test_write_seconds_bucket", (("act", "write"), ("le", "+Inf"))] == 2
    assert found["wutong_test_write_seconds_sum", (("act", "write"),)] == 2.25
    assert text.endswith(b"# EOF\n")
    assert b"# UNIT wutong_test_disk_bytes bytes\n" in text


def test_what_is_not_known_is_left_out_and_never_made_up() -> None:
    readings = Readings(CATALOG)
    readings.set(DISK, None)
    readings.set(EVENTS, math.nan, "a")
    readings.set(EVENTS, math.inf, "b")
    assert readings.to_text() == b"# EOF\n"


def test_what_is_in_no_catalog_said_twice_or_of_another_kind_is_a_defect() -> None:
    readings = Readings((DISK, EVENTS))
    readings.set(DISK, 1)
    with pytest.raises(ValueError, match="twice"):
        readings.set(DISK, 2)
    with pytest.raises(ValueError, match="no catalog"):
        readings.set(EVENTS, 1)
    with pytest.raises(ValueError, match="no catalog"):
        readings.durations(WRITES, DurationBuckets().read(), "write")
    with pytest.raises(ValueError, match="given what is none"):
        readings.durations(DISK, DurationBuckets().read())


def test_series_without_end_are_cut_off_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.http.monitoring.readings.MOST_SERIES", 3)
    readings = Readings(CATALOG)
    for number in range(10):
        readings.set(EVENTS, number, f"room{number}")
    found = samples(readings.to_text())
    assert found[LEFT_OUT.name, (("metric", EVENTS.name),)] == 7
    assert len(found) == 4


def test_a_label_is_cut_at_its_length() -> None:
    readings = Readings(CATALOG)
    readings.set(EVENTS, 1, "x" * 1000)
    ((_, labels),) = samples(readings.to_text())
    assert labels == (("room", "x" * LABEL_CHARACTERS),)
