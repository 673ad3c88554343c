"""What a metric is, before anything was counted: name, kind, help and labels, each said once in a catalog.

A catalog is all that a service can ever say. Dashboards and alert rules are tested against the catalogs, and a reading
that is in none is a defect. Labels are of small sets that are known beforehand (a track, a room, a code): never of a
case, a hearing, a person or a word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

UNITS = ("seconds", "bytes")
"""In base units; a name ends with its unit, and a counter's with `_total` behind that."""
FORBIDDEN_LABELS = frozenset({"hearing", "case", "case_no", "name", "party", "text", "word", "utterance", "seat"})
"""What no label is ever called, because no value of it is for who watches machines."""
_NAME = re.compile(r"wutong(?:_[a-z0-9]+)+")
_LABEL = re.compile(r"[a-z][a-z_]{0,30}")


class MetricKind(StrEnum):
    """What OpenMetrics calls its type."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"
    INFO = "info"


@dataclass(frozen=True)
class MetricDefinition:
    """One metric. `name` is as scrapes and rules write it, but for the ends that OpenMetrics adds (`suffixes`)."""

    name: str
    kind: MetricKind
    help: str
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """`ValueError` for a name, a label or a help that is none."""
        if _NAME.fullmatch(self.name) is None or self.name.endswith(("_total", "_info", "_count", "_sum", "_bucket")):
            raise ValueError(f"{self.name!r} is no name of a metric of ours")
        if any(_LABEL.fullmatch(label) is None or label in FORBIDDEN_LABELS for label in self.labels):
            raise ValueError(f"{self.name} has a label that it may not have: {', '.join(self.labels)}")
        if not self.help.endswith("."):
            raise ValueError(f"the help of {self.name} is a sentence")

    @property
    def unit(self) -> str:
        """The end of the name, where that is a unit."""
        return next((unit for unit in UNITS if self.name.endswith(f"_{unit}")), "")

    @property
    def samples(self) -> frozenset[str]:
        """Names under which a scrape has it, as dashboards and rules ask for them."""
        suffixes = {
            MetricKind.GAUGE: ("",),
            MetricKind.COUNTER: ("_total",),
            MetricKind.INFO: ("_info",),
            MetricKind.HISTOGRAM: ("_bucket", "_count", "_sum"),
        }
        return frozenset(self.name + suffix for suffix in suffixes[self.kind])


def gauge(name: str, text: str, *labels: str) -> MetricDefinition:
    """What goes up and down."""
    return MetricDefinition(name, MetricKind.GAUGE, text, labels)


def counter(name: str, text: str, *labels: str) -> MetricDefinition:
    """What only grows while a process lives; `name` without `_total`."""
    return MetricDefinition(name, MetricKind.COUNTER, text, labels)


def histogram(name: str, text: str, *labels: str) -> MetricDefinition:
    """Durations by upper bounds."""
    return MetricDefinition(name, MetricKind.HISTOGRAM, text, labels)


def info(name: str, text: str, *labels: str) -> MetricDefinition:
    """What does not change while a process lives, said by labels; `name` without `_info`."""
    return MetricDefinition(name, MetricKind.INFO, text, labels)
