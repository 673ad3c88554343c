"""The catalog of a service: its metrics, each defined and listed in one place.

Whoever defines a metric has listed it, so none can be said that dashboards and rules are not tested against.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sync.http.monitoring.definitions import MetricDefinition, counter, gauge, histogram, info


class MetricCatalog(Collection[MetricDefinition]):
    """Made where its metrics are defined; nothing is added to it afterwards."""

    def __init__(self, *shared: MetricDefinition) -> None:
        """`shared`: metrics that every service has."""
        self._metrics: list[MetricDefinition] = []
        for metric in shared:
            self._add(metric)

    def gauge(self, name: str, text: str, *labels: str) -> MetricDefinition:
        """What goes up and down."""
        return self._add(gauge(name, text, *labels))

    def counter(self, name: str, text: str, *labels: str) -> MetricDefinition:
        """What only grows while a process lives; `name` without `_total`."""
        return self._add(counter(name, text, *labels))

    def histogram(self, name: str, text: str, *labels: str) -> MetricDefinition:
        """Durations by upper bounds."""
        return self._add(histogram(name, text, *labels))

    def info(self, name: str, text: str, *labels: str) -> MetricDefinition:
        """What does not change while a process lives, said by labels; `name` without `_info`."""
        return self._add(info(name, text, *labels))

    def _add(self, metric: MetricDefinition) -> MetricDefinition:
        if any(metric.name == one.name for one in self._metrics):
            raise ValueError(f"{metric.name} is in the catalog already")
        self._metrics.append(metric)
        return metric

    def __contains__(self, metric: object) -> bool:
        return metric in self._metrics

    def __iter__(self) -> Iterator[MetricDefinition]:
        return iter(self._metrics)

    def __len__(self) -> int:
        return len(self._metrics)
