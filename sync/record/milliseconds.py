"""Times as browsers get them: JSON numbers do not hold nanoseconds, so screens are told milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sync.record.event import Event


def to_ms(value: Any) -> Any:
    """Rename every `*_ns` key to `*_ms` and scale it, at any depth; what is no number there keeps its name."""
    if isinstance(value, Mapping):
        out: dict[str, Any] = {}
        for key, item in value.items():
            if key.endswith("_ns") and (item is None or type(item) in (int, float)):
                out[key[:-3] + "_ms"] = None if item is None else item / 1_000_000
            else:
                out[key] = to_ms(item)
        return out
    if isinstance(value, list | tuple):
        return [to_ms(item) for item in value]
    return value


def event_to_ms(event: Event) -> Any:
    """An event as browsers get it: `*_ns` become `*_ms`."""
    return to_ms(event.to_json())
