"""What the room's web server tells its screens: the whole state, what changes of it, and what hangs on the wall.

The generator of the screens' contract reads these types (`tools/make_contract.py`). A time is told as `*_ms`, also
where a type says `*_ns`; a class that is no `TypedDict` stands for the JSON that is made of its objects.
"""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from edge.state.shown import ShownFinding, ShownSelfTest, ShownSigning
from sync.http.live.tab import LostMessage
from sync.ledger.progress import ProofProgress
from sync.record.bodies.session import OpenedCase, OpenedSeat
from sync.record.docket import Docket
from sync.record.event import Event
from sync.record.hearing import State
from sync.record.sealed_parts import UnseenSpan
from sync.record.shown_hearing import ShownHearing
from sync.record.timeline import Exhibit
from sync.room.messages import (
    CaptionMessage,
    LevelsMessage,
    LinkStatus,
    RecorderStatus,
    RoomAlarm,
    SpeakingMessage,
    TranscriberStatus,
)


class RoomNames(TypedDict):
    """Which room this is."""

    court: str
    room: str
    court_name: str
    room_name: str


class CameraName(TypedDict):
    """A camera of the room."""

    id: str
    name: str


class ShownRoomState(TypedDict):
    """`GET /api/state` of a room. A part is null until its service has spoken."""

    room: RoomNames
    now_ms: float
    utc_ms: float
    seats: list[OpenedSeat]
    cameras: list[CameraName]
    hearing: ShownHearing | None
    """The one that was opened last, closed or not."""
    docket: Docket | None
    recorder: RecorderStatus | None
    transcriber: TranscriberStatus | None
    link: LinkStatus | None
    integrity: ProofProgress | None
    alarms: list[RoomAlarm]
    selftest: ShownSelfTest | None
    signing: ShownSigning | None
    checks: list[ShownFinding]
    captions: list[CaptionMessage]
    speaking: list[str]
    unseen: list[UnseenSpan]
    """What of the hearing this session may not see; its `sealed_parts` are all that is sealed, seen or not."""


class PanelState(ShownRoomState):
    """The first message of the panel's WebSocket, and again whenever the session may see more or less than before."""

    type: Literal["state"]


class PanelEvent(TypedDict):
    """Something durable has happened."""

    type: Literal["event"]
    event: Event


class PanelCaption(TypedDict):
    """A caption."""

    type: Literal["caption"]
    value: CaptionMessage


class PanelSpeaking(TypedDict):
    """Who speaks."""

    type: Literal["speaking"]
    value: SpeakingMessage


class PanelLevels(TypedDict):
    """How loud the seats are."""

    type: Literal["levels"]
    value: LevelsMessage


class PanelRecorder(TypedDict):
    """The recorder's status."""

    type: Literal["recorder"]
    value: RecorderStatus


class PanelTranscriber(TypedDict):
    """The transcriber's status."""

    type: Literal["transcriber"]
    value: TranscriberStatus


class PanelLink(TypedDict):
    """The way to the center."""

    type: Literal["link"]
    value: LinkStatus


class PanelIntegrity(TypedDict):
    """How far the record is proven."""

    type: Literal["integrity"]
    value: ProofProgress


class PanelSelfTest(TypedDict):
    """The self-test."""

    type: Literal["selftest"]
    value: ShownSelfTest


class PanelAlarms(TypedDict):
    """All alarms of the room that are on."""

    type: Literal["alarms"]
    value: list[RoomAlarm]


class PanelSigning(TypedDict):
    """Who has signed."""

    type: Literal["signing"]
    value: ShownSigning | None


class PanelChecks(TypedDict):
    """What the checks found."""

    type: Literal["checks"]
    value: list[ShownFinding]


class PanelDocket(TypedDict):
    """The day's hearings."""

    type: Literal["docket"]
    value: Docket


PanelMessage = (
    PanelState
    | PanelEvent
    | PanelCaption
    | PanelSpeaking
    | PanelLevels
    | PanelRecorder
    | PanelTranscriber
    | PanelLink
    | PanelIntegrity
    | PanelSelfTest
    | PanelAlarms
    | PanelSigning
    | PanelChecks
    | PanelDocket
    | LostMessage
)
"""One text of `WS /api/live`."""


class WallCaption(TypedDict):
    """One of the last two things that were said."""

    id: str
    seat: str
    role: str
    start_ns: int
    end_ns: int
    text: str


class WallPresentation(TypedDict):
    """The exhibit on the wall, and which part of it."""

    exhibit: Exhibit
    page: int
    zoom: float
    x: float
    y: float
    from_ns: int
    to_ns: int | None


class WallState(TypedDict):
    """What the room's screen shows now."""

    court_name: str
    room_name: str
    case: OpenedCase | None
    state: State | None
    recording: bool
    presented: WallPresentation | None
    captions: list[WallCaption]
    part_sealed: bool
    """What goes on just now is sealed: neither words nor exhibits are shown."""
    withheld: bool
    """So it is of the whole hearing, as the center has said."""
    utc_ms: float
