"""Who signed the words of a hearing, for the screens: that and when somebody signed, refused or objected.

The strokes of a signature are personal data: they are part of the record, of an export and of the archivist's page, and
of nothing that an inspector or a party gets. Refuses to pass on strokes unless it is told to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sync.record.event import Event
from sync.record.milliseconds import to_ms
from sync.record.signing import LISTS

PERSONAL = frozenset({"strokes", "size"})


def shown(event: Event) -> Event:
    """The event as everybody may see it who may see its hearing."""
    if event.kind != "signature":
        return event
    return Event(event.number, event.hearing, event.kind, event.room_ns, event.utc_ns, _impersonal(event.body))


def signing_of(events: Iterable[Event], *, strokes: bool) -> dict[str, list[dict[str, Any]]]:
    """What was laid before people to sign, and what they did; each with `at_utc_ms`, in the order of the events."""
    said: dict[str, list[dict[str, Any]]] = {name: [] for name in LISTS.values()}
    for event in events:
        name = LISTS.get(event.kind)
        if name is not None:
            body = event.body if strokes else _impersonal(event.body)
            said[name].append(to_ms({**body, "at_utc_ns": event.utc_ns}))
    return said


def _impersonal(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in PERSONAL}
