"""What a room says of itself as `status`, read strictly: its shape is checked, and it is trusted no further.

`facts` is how its machine is: version, disk, clock, certificate, last self-test, what it still holds. They
are read apart from what a screen shows, since they change all the time and nobody at the wall is told of them.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter

from server.status.steady_status import without_counters
from sync.errors import CenterError
from sync.record.bodies.limits import Name
from sync.record.milliseconds import to_ms
from sync.runtime.units import NS_PER_S
from sync.text.strict_json import read_strict

MAX_STATUS_BYTES = 256 * 1024
MAX_ALARMS = 16
MOST_FURTHEST = 16
_INT64 = 2**63 - 1
_HEARING = TypeAdapter[str](Name)
_Count = Annotated[int, Field(ge=0, le=2**53)]


class SelfTestFact(BaseModel):
    """The last self-test."""

    utc_ms: _Count
    passed: bool


class RoomFacts(BaseModel):
    """How the machine of a room is; what it does not know is null."""

    version: Annotated[str, Field(max_length=64)] = ""
    disk_free_bytes: _Count | None = None
    disk_bytes: _Count | None = None
    clock_error_ms: Annotated[float, Field(ge=-1e12, le=1e12, allow_inf_nan=False)] | None = None
    clock_synced: bool | None = None
    certificate_until_utc_ms: _Count | None = None
    selftest: SelfTestFact | None = None
    pending_events: _Count | None = None
    """Facts of its log that the center has not receipted."""
    pending_bytes: _Count | None = None
    """Of files that are not at the center yet."""

    @property
    def holds_nothing(self) -> bool:
        """Whether the room says that all it has is at the center."""
        return self.pending_events == 0 and self.pending_bytes == 0


class SaidStatus(BaseModel):
    """What a room publishes as `status`; the last will has only `online`."""

    online: bool
    session: Annotated[str, Field(max_length=64)] = ""
    """Of which run of an uplink it is; a room of before says none."""
    at_utc_ns: Annotated[int, Field(ge=0, le=_INT64)] = 0
    room_ns: Annotated[int, Field(ge=-_INT64, le=_INT64)] = 0
    court_name: Annotated[str, Field(max_length=200)] = ""
    room_name: Annotated[str, Field(max_length=200)] = ""
    hearing: dict[str, Any] | None = None
    recorder: dict[str, Any] | None = None
    alarms: Annotated[list[dict[str, Any]], Field(max_length=MAX_ALARMS)] = []
    """Of the room itself, not of its recorder; between hearings too."""
    speaking: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=16)] = []
    seats: Annotated[list[dict[str, Any]], Field(max_length=16)] = []
    facts: RoomFacts | None = None
    """How its machine is; a room of before says none."""


class FurthestTold:
    """Of the last hearings that a room told of: the latest room time that it said, and when by this machine's clock."""

    def __init__(self) -> None:
        self._told: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def now_ns(self, hearing: str, now_s: float) -> int:
        """How far a hearing is now by the furthest that was ever said of it; before all times where nothing was."""
        room_ns, said_s = self._told.get(hearing, (-_INT64, 0.0))
        return room_ns + int((now_s - said_s) * NS_PER_S) if room_ns > -_INT64 else room_ns

    def note(self, hearing: str | None, room_ns: int, said_s: float) -> None:
        """It is this far, unless something further was said."""
        if hearing is None or self.now_ns(hearing, said_s) > room_ns:
            return
        self._told[hearing] = room_ns, said_s
        self._told.move_to_end(hearing)
        while len(self._told) > MOST_FURTHEST:
            self._told.popitem(last=False)


@dataclass(frozen=True, slots=True)
class ReadStatus:
    """A status, and what of it does not change with each."""

    status: SaidStatus
    hearing_text: str
    recorder: dict[str, Any] | None
    """Without counters."""
    steady: object


def read_status(payload: bytes, known: object) -> ReadStatus:
    """Read one; `CenterError` when it is none. `known`: the `steady` of the one before, which was looked through."""
    try:
        status = SaidStatus.model_validate(read_strict(payload, limit=MAX_STATUS_BYTES))
        if status.hearing is not None and status.hearing.get("id") is not None:
            _HEARING.validate_python(status.hearing["id"], strict=True)
        recorder = None if status.recorder is None else without_counters(status.recorder)
        hearing = json.dumps(status.hearing, sort_keys=True)
        steady = (hearing, recorder, status.seats, status.alarms)
        if steady != known:
            # Counters need no look: the strict reader lets no number pass that could not be shown.
            json.dumps(status.model_dump(), allow_nan=False).encode()
            to_ms(status.model_dump())
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise CenterError("a status is malformed", code="status") from error
    return ReadStatus(status, hearing, recorder, steady)
