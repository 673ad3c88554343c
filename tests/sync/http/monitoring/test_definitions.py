"""What no metric may be called, and what no label may say."""

from __future__ import annotations

import pytest

from edge.api.room_metrics import CATALOG as ROOM
from server.api.center_metrics import CATALOG as CENTER
from sync.http.monitoring.definitions import (
    FORBIDDEN_LABELS,
    MetricDefinition,
    MetricKind,
    counter,
    gauge,
    histogram,
    info,
)


@pytest.mark.parametrize("name", ["events", "wutong_Events", "wutong_x_total", "wutong_a b", "wutong_x_info"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        gauge(name, "Something.")


@pytest.mark.parametrize("label", [*sorted(FORBIDDEN_LABELS), "Room", "a-b", ""])
def test_a_label_of_a_case_a_person_or_a_word_is_refused(label: str) -> None:
    with pytest.raises(ValueError, match="may not have"):
        gauge("wutong_x", "Something.", label)


def test_help_is_a_sentence() -> None:
    with pytest.raises(ValueError, match="sentence"):
        gauge("wutong_x", "something")


def test_samples_are_what_a_scrape_calls_them() -> None:
    assert gauge("wutong_x_bytes", "X.").samples == {"wutong_x_bytes"}
    assert counter("wutong_x", "X.").samples == {"wutong_x_total"}
    assert info("wutong_x", "X.").samples == {"wutong_x_info"}
    assert histogram("wutong_x_seconds", "X.").samples == {
        "wutong_x_seconds_bucket",
        "wutong_x_seconds_count",
        "wutong_x_seconds_sum",
    }


@pytest.mark.parametrize("catalog", [ROOM, CENTER], ids=["room", "center"])
def test_a_catalog_says_each_metric_once_and_durations_in_seconds(catalog: tuple[MetricDefinition, ...]) -> None:
    names = [metric.name for metric in catalog]
    assert len(names) == len(set(names))
    assert all(metric.unit == "seconds" for metric in catalog if metric.kind is MetricKind.HISTOGRAM)
