"""What no metric may be called, and what no label may say."""

from __future__ import annotations

import pytest

from edge.api.room_metrics import CATALOG as ROOM
from server.api.center_metrics import CATALOG as CENTER
from server.copy_metrics import CATALOG as COPIES
from sync.http.monitoring.catalog import MetricCatalog
from sync.http.monitoring.definitions import (
    FORBIDDEN_LABELS,
    MetricKind,
    counter,
    gauge,
    histogram,
    info,
)
from transcriber.speech_metrics import CATALOG as SPEECH


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


CATALOGS = {"room": ROOM, "center": CENTER, "copies": COPIES, "speech": SPEECH}


@pytest.mark.parametrize("name", CATALOGS)
def test_a_catalog_says_each_metric_once_and_durations_in_seconds(name: str) -> None:
    catalog = CATALOGS[name]
    names = [metric.name for metric in catalog]
    assert len(names) == len(set(names)) == len(catalog) > 10
    assert all(metric.unit == "seconds" for metric in catalog if metric.kind is MetricKind.HISTOGRAM)


def test_who_defines_a_metric_has_listed_it_and_none_is_there_twice() -> None:
    catalog = MetricCatalog(gauge("wutong_shared", "X."))
    made = catalog.counter("wutong_made", "X.", "room")
    assert [metric.name for metric in catalog] == ["wutong_shared", "wutong_made"]
    assert made in catalog
    assert counter("wutong_other", "X.") not in catalog
    with pytest.raises(ValueError, match="already"):
        catalog.gauge("wutong_made", "Y.")


def test_no_metric_of_two_services_has_one_name_but_those_that_all_have() -> None:
    shared = set.intersection(*({metric.name for metric in one} for one in CATALOGS.values()))
    assert shared == {"wutong_ready", "wutong_ready_part"}
    names = [metric.name for one in CATALOGS.values() for metric in one if metric.name not in shared]
    assert len(names) == len(set(names))
