"""Which events the center accepts: everything that it could not fold, show or store later is refused at the door.

`admit` promises that what it returns has bounded numbers, storable text and a body that `sync.record.hearing` can
apply; of the kinds in `sync.record.bodies.CHECKED` the body is of its type there. Its `digest` is the same for the same
content in any order of keys.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from sync.errors import CenterError
from sync.ledger.messages.event_batch import MAX_EVENT_BYTES
from sync.record.bodies import BODIES, CHECKED
from sync.record.bodies.limits import INT64, Limits, Name, Ns
from sync.record.event import Event, canonical_text, event_digest
from sync.record.hearing import Hearing
from sync.text.strict_json import read_strict

_HEAD = re.compile(rb'\s{0,8}\{\s{0,8}"number"\s{0,8}:\s{0,8}([0-9]{1,19})\s{0,8},')
_HEAD_BYTES = 128
_BODIES: Mapping[str, TypeAdapter[Any]] = {kind: TypeAdapter(BODIES[kind]) for kind in CHECKED}


SEALS = "sealed_part"


class _Head(BaseModel):
    number: Annotated[int, Limits(strict=True, ge=1, le=INT64)]
    hearing: Name | None
    kind: Annotated[str, Limits(min_length=1, max_length=32)]
    room_ns: Ns
    utc_ns: Ns
    body: dict[str, Any]


class _Numbered(BaseModel):
    number: Annotated[int, Limits(strict=True, ge=1, le=INT64)]


@dataclass(frozen=True, slots=True)
class Received:
    """A valid event of a room."""

    room: str
    event: Event
    body_text: str
    digest: str
    """SHA-256 of the event (`sync.record.event.event_digest`)."""
    batch: str = ""
    """SHA-256 of the signed batch that brought it; empty for one that came unsigned."""
    about: tuple[tuple[int, int], ...] | None = None
    """Of a change of lines that is stored: the room times [from, to] of those lines."""


def number_of(payload: bytes) -> int | None:
    """The number of an event that `read_event` refuses, so that its room can be told; None when it has none."""
    try:
        return _Numbered.model_validate(read_strict(payload, limit=MAX_EVENT_BYTES)).number
    except ValueError:
        # What is too large, or no JSON that is taken, is not read any further than its beginning, as rooms write it.
        head = _HEAD.match(payload, 0, _HEAD_BYTES)
        number = 0 if head is None else int(head[1])
        return number if 1 <= number <= INT64 else None


def read_event(room: str, payload: bytes) -> Received:
    """Read an event that came alone and unsigned; `CenterError` says why it is refused."""
    if len(payload) > MAX_EVENT_BYTES:
        raise CenterError(f"an event of {len(payload)} bytes is larger than any honest one", code="event")
    try:
        value = read_strict(payload, limit=MAX_EVENT_BYTES)
    except ValueError as error:
        raise CenterError(f"an event is malformed: {type(error).__name__}", code="event") from error
    return admit(room, value)


def admit(room: str, value: Any, *, batch: str = "") -> Received:
    """One event, as the strict reader of JSON has it; `CenterError` says why it is refused."""
    try:
        head = _Head.model_validate(value)
        event = Event(head.number, head.hearing, head.kind, head.room_ns, head.utc_ns, head.body)
        _check_body(event)
        body_text = canonical_text(head.body)
        digest = event_digest(event)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        raise CenterError(f"an event is malformed at {where}: {first['msg']}", code="event") from error
    except (ValueError, TypeError, KeyError, OverflowError, AttributeError, RecursionError) as error:
        raise CenterError(f"an event is malformed: {type(error).__name__}", code="event") from error
    return Received(room, event, body_text, digest, batch)


def _check_body(event: Event) -> None:
    # Whatever is wrong with an act that seals, it is taken, and seals: refused, it would let be seen what its room hid.
    if event.kind in _BODIES and event.kind != SEALS:
        _BODIES[event.kind].validate_python(event.body)
    # What the fold cannot take, or what JSON cannot say to a screen, must not get into the record.
    view = Hearing(event.hearing or "")
    view.apply(event)
    canonical_text(view.to_json())
