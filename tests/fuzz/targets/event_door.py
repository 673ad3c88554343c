"""The center's door for events: what it accepts can be folded, stored, searched and shown."""

from __future__ import annotations

import json
from collections.abc import Iterator

from server.events.admission import number_of, read_event
from sync.errors import CenterError
from sync.record.hearing import Hearing
from sync.record.milliseconds import event_to_ms
from tests.fuzz.seed_events import messages


def target(data: bytes) -> None:
    number = number_of(data)
    assert number is None or 1 <= number < 2**63
    try:
        received = read_event("court1/c03", data)
    except CenterError:
        return
    assert received.event.number == number
    json.dumps(Hearing.of("h1", [received.event]).to_json(), allow_nan=False).encode()
    json.dumps(event_to_ms(received.event), allow_nan=False).encode()
    assert json.loads(received.body_text) == received.event.body


def seeds() -> Iterator[bytes]:
    for message in messages():
        yield json.dumps(message, ensure_ascii=False).encode()


FOUND = (b'{"number": 5, "hearing": "1", "kind": "clock", "room_ns": 1, "utc_ns": 1, "body": {"offset_ns": "camera"}}',)
"""Accepted, stored, and then nobody could be shown it."""
