"""The readings of one scrape, and how they are written: OpenMetrics text 1.0.

Refuses what no catalog has, a second value for the same labels, and more than `MOST_SERIES` of one metric: what is
beyond is left out and counted, because a scrape that grows without end stops the monitoring of everything else.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector, CollectorRegistry
from prometheus_client.utils import floatToGoString

from sync.http.monitoring.definitions import MetricDefinition, MetricKind, gauge
from sync.runtime.logs.metrics import CountedDurations

CONTENT_TYPE = CONTENT_TYPE_LATEST
MOST_SERIES = 12_000
"""Of one metric: what the largest configuration of a center can have, twice."""
LABEL_CHARACTERS = 64
LEFT_OUT = gauge("wutong_scrape_series_left_out", "Series that had no place in this scrape, by their metric.", "metric")


class Readings:
    """Used by one event loop."""

    def __init__(self, catalog: Iterable[MetricDefinition]) -> None:
        self._known = frozenset(catalog) | {LEFT_OUT}
        self._values: dict[MetricDefinition, dict[tuple[str, ...], float | CountedDurations]] = {}
        self._left_out: Counter[str] = Counter()

    def set(self, metric: MetricDefinition, value: float | bool | None, *labels: str) -> None:
        """What a gauge, a counter or (with 1) an info says; nothing where `value` is None or no finite number."""
        if value is not None and math.isfinite(value):
            self._put(metric, labels, float(value))

    def durations(self, metric: MetricDefinition, value: CountedDurations, *labels: str) -> None:
        """What a histogram has counted."""
        self._put(metric, labels, value)

    def take(self, other: Readings) -> None:
        """Add all of another, made of the same catalog."""
        for metric, values in other._values.items():
            for labels, value in values.items():
                self._put(metric, labels, value)
        self._left_out += other._left_out

    def to_text(self) -> bytes:
        """The scrape."""
        for name, count in self._left_out.items():
            self._put(LEFT_OUT, (name,), float(count))
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Families(list(self._families())))
        text: bytes = generate_latest(registry)
        return text

    def _put(self, metric: MetricDefinition, labels: tuple[str, ...], value: float | CountedDurations) -> None:
        if metric not in self._known or len(labels) != len(metric.labels):
            raise ValueError(f"{metric.name} with {len(labels)} labels is in no catalog of this service")
        if isinstance(value, CountedDurations) != (metric.kind is MetricKind.HISTOGRAM):
            raise ValueError(f"{metric.name} is a {metric.kind}, and was given what is none")
        series = self._values.setdefault(metric, {})
        key = tuple(label[:LABEL_CHARACTERS] for label in labels)
        if key in series:
            raise ValueError(f"{metric.name} was said twice for {', '.join(key)}")
        if len(series) >= MOST_SERIES:
            self._left_out[metric.name] += 1
            return
        series[key] = value

    def _families(self) -> Iterator[Metric]:
        for metric, values in sorted(self._values.items(), key=lambda item: item[0].name):
            family = _empty(metric)
            for labels, value in sorted(values.items(), key=lambda item: item[0]):
                _add(family, metric, labels, value)
            yield family


class _Families(Collector):
    """What the package asks a registry for."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _empty(metric: MetricDefinition) -> Metric:
    names = list(metric.labels)
    match metric.kind:
        case MetricKind.COUNTER:
            return CounterMetricFamily(metric.name, metric.help, labels=names, unit=metric.unit)
        case MetricKind.HISTOGRAM:
            return HistogramMetricFamily(metric.name, metric.help, labels=names, unit=metric.unit)
        case MetricKind.INFO:
            return InfoMetricFamily(metric.name, metric.help, labels=[])
    return GaugeMetricFamily(metric.name, metric.help, labels=names, unit=metric.unit)


def _add(family: Metric, metric: MetricDefinition, labels: tuple[str, ...], value: float | CountedDurations) -> None:
    if isinstance(value, CountedDurations):
        assert isinstance(family, HistogramMetricFamily)
        buckets = [(floatToGoString(bound), count) for bound, count in value.upto]
        family.add_metric(list(labels), buckets=buckets, sum_value=value.sum_s)
    elif isinstance(family, InfoMetricFamily):
        family.add_metric([], dict(zip(metric.labels, labels, strict=True)))
    else:
        assert isinstance(family, GaugeMetricFamily | CounterMetricFamily)
        family.add_metric(list(labels), value)
