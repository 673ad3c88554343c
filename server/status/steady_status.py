"""What a room's recorder says that stays as it is, without the counters and clocks that run by the second.

A status comes once a second and is never the same twice. What is wrong, what is recorded and what runs changes seldom,
and only that is a change that screens are told of. Nothing here is trusted: a recorder may say anything of any form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_OF_RECORDER = frozenset({"at_ns", "disk", "readback"})
"""`disk` and `readback` are numbers that run and nothing else: what is wrong with either is an alarm."""
_WITHIN: Mapping[str, frozenset[str]] = {
    "tracks": frozenset({"kept_bytes", "last_fragment_ns", "fps", "key_s"}),
    "clock": frozenset({"error_ms"}),
    "copy": frozenset({"pending_files", "pending_bytes"}),
}
"""A field of the recorder's status -> the counters in it, or in each of its items."""
COUNTERS = _OF_RECORDER | {f"{field}.{name}" for field, names in _WITHIN.items() for name in names}
"""All of them, by their names in `sync.room.messages.RecorderStatus`."""


def without_counters(recorder: Mapping[str, Any]) -> dict[str, Any]:
    """A recorder's status without its counters."""
    return {
        field: _without(value, _WITHIN[field]) if field in _WITHIN else value
        for field, value in recorder.items()
        if field not in _OF_RECORDER
    }


def _without(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {name: item for name, item in value.items() if name not in names}
    if isinstance(value, list):
        return [_without(item, names) if isinstance(item, dict) else item for item in value]
    return value
