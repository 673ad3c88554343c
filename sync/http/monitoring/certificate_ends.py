"""How long certificates still last: looked at for a scrape, in their files."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509

from sync.http.monitoring.definitions import MetricDefinition
from sync.http.monitoring.readings import Readings
from sync.runtime.keys.foreign_certificates import FOREIGN_ERRORS


def ends_of(files: Mapping[str, Path]) -> dict[str, float]:
    """name -> UTC in seconds at which the first certificate of a file ends; what cannot be read has none. Blocks."""
    found: dict[str, float] = {}
    for name, path in files.items():
        try:
            certificate = x509.load_pem_x509_certificates(path.read_bytes())[0]
        except (OSError, IndexError, *FOREIGN_ERRORS):
            continue
        found[name] = certificate.not_valid_after_utc.timestamp()
    return found


def read_ends(readings: Readings, metric: MetricDefinition, ends: Mapping[str, float]) -> None:
    """Say what is left of each, in seconds; less than nothing once it has ended."""
    now_s = time.time()
    for name, ends_s in ends.items():
        readings.set(metric, ends_s - now_s, name)
