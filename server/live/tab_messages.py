"""What the center tells an inspector's tab on `WS /api/live`, beside media (docs/protocol.md, "Center").

The generator of the screens' contract reads these types (`tools/make_contract.py`): a time is told as `*_ms`.
"""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from server.rooms import ShownRoom
from sync.http.live.tab import LostMessage
from sync.record.event import Event
from sync.room.messages import CaptionMessage, LevelsMessage


class CenterRooms(TypedDict):
    """All rooms, on connect; `utc_ms` is the center's clock, so that a browser measures lag with it."""

    type: Literal["rooms"]
    rooms: list[ShownRoom]
    utc_ms: float


class CenterRoom(TypedDict):
    """A room that looks different now."""

    type: Literal["room"]
    room: ShownRoom


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


CenterMessage = (
    CenterRooms | CenterRoom | CenterCaption | CenterLevels | CenterEvent | CenterSealed | CenterLink | LostMessage
)
"""One text of the center's `WS /api/live`."""
