"""What the center tells an inspector's tab on `WS /api/live`, beside media (docs/protocol.md, "Center").

The generator of the screens' contract reads these types (`tools/make_contract.py`): a time is told as `*_ms`.
"""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from server.shown_room import CenterAlarm
from sync.http.live.tab import LostMessage
from sync.record.bodies.session import OpenedSeat
from sync.record.event import Event
from sync.room.messages import CaptionMessage, LevelsMessage, LiveHearing, RoomAlarm, TileStatus


class SteadyTrack(TypedDict):
    """A track as the recorder has it, without counters."""

    id: str
    kind: Literal["video", "audio"]
    name: str
    mime: str
    state: Literal["starting", "running", "failed", "off"]
    kept: bool
    restarts: int
    why: str | None
    fault: NotRequired[str]
    long_keys_s: NotRequired[int | None]


class SteadyClock(TypedDict):
    """What the room's clock follows."""

    source: str


class SteadyCopy(TypedDict):
    """The second copy of the record; `why` is what holds it up."""

    target: str
    why: str | None


class SteadyRecorder(TypedDict):
    """What a recorder says, without counters and clocks (`server.status.steady_status`)."""

    tracks: list[SteadyTrack]
    hearing: str | None
    clock: SteadyClock
    copy: SteadyCopy | None
    alarms: list[RoomAlarm]
    tile: NotRequired[TileStatus]


class WallRoom(TypedDict):
    """A room as a tab is told of it; `speaking` is empty for a room that the tab has not in sight."""

    address: str
    """court/room"""
    online: bool
    known: NotRequired[bool]
    """False: nothing is known of it yet, and not that it is away. A center of before does not say it."""
    court_name: str
    room_name: str
    hearing: LiveHearing | None
    recorder: SteadyRecorder | None
    speaking: list[str]
    seats: list[OpenedSeat]
    alarms: list[RoomAlarm]
    seen_utc_ns: int | None
    center_alarms: list[CenterAlarm]


class RoomNews(TypedDict):
    """What is new of the room with this address; what is not said is as it was."""

    address: str
    online: NotRequired[bool]
    known: NotRequired[bool]
    court_name: NotRequired[str]
    room_name: NotRequired[str]
    hearing: NotRequired[LiveHearing | None]
    recorder: NotRequired[SteadyRecorder | None]
    speaking: NotRequired[list[str]]
    seats: NotRequired[list[OpenedSeat]]
    alarms: NotRequired[list[RoomAlarm]]
    seen_utc_ns: NotRequired[int | None]
    center_alarms: NotRequired[list[CenterAlarm]]


class CenterRooms(TypedDict):
    """All rooms, on connect and when a tab asks; `utc_ms` is the center's clock, so that a browser measures lag with
    it, `number` 0."""

    type: Literal["rooms"]
    rooms: list[WallRoom]
    utc_ms: float
    number: NotRequired[int]
    """Not told to a tab of before."""


class CenterChanges(TypedDict):
    """What is new of some rooms; `number` is one more than that of the message of this kind before."""

    type: Literal["changes"]
    number: int
    rooms: list[RoomNews]


class CenterCaption(TypedDict):
    """A caption of the room with this address."""

    type: Literal["caption"]
    room: str
    value: CaptionMessage


class CenterLevels(TypedDict):
    """Levels of a room."""

    type: Literal["levels"]
    room: str
    value: LevelsMessage


class CenterEvent(TypedDict):
    """An event of a room that is stored."""

    type: Literal["event"]
    room: str
    value: Event


class CenterSealed(TypedDict):
    """A part of a hearing was sealed, ended or lifted: who shows the hearing asks for it anew."""

    type: Literal["sealed"]
    hearing: str


class CenterLinked(TypedDict):
    """Whether the center hears its broker; false: what is shown of the rooms is old."""

    broker: bool


class CenterLink(TypedDict):
    """On connect, on a change and every few seconds."""

    type: Literal["link"]
    value: CenterLinked
    utc_ms: float
    """The center's clock."""


CenterMessage = (
    CenterRooms | CenterChanges | CenterCaption | CenterLevels | CenterEvent | CenterSealed | CenterLink | LostMessage
)
"""One text of the center's `WS /api/live?told=changes`."""
