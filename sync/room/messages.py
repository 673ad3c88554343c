"""What the services of a room say on their feeds (docs/protocol.md, "Services"), and the uplink of them to the center.

The types say the form; whoever makes a message builds it from here. A screen gets the same with every `*_ns` as `*_ms`
(`sync.record.milliseconds`).
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from sync.record.bodies.media import UtcSource
from sync.record.bodies.session import LawfulReason, OpenedCase, OpenedSeat
from sync.record.hearing import State


class SeatLevel(TypedDict):
    """How loud a seat is, in dBFS."""

    peak_db: float
    rms_db: float


class LevelsMessage(TypedDict):
    """The levels of all seats, ten times a second."""

    at_ns: int
    seats: dict[str, SeatLevel]


class TrackStatus(TypedDict):
    """A track as the recorder has it now."""

    id: str
    kind: Literal["video", "audio"]
    name: str
    mime: str
    state: Literal["starting", "running", "failed", "off"]
    kept: bool
    kept_bytes: int
    last_fragment_ns: int | None
    restarts: int
    why: str | None
    """Why it does not run; null while there is nothing to say."""
    fault: NotRequired[str]
    """The device's own code for it (`password`, `path`, `codec`, `refused` …), where it has one."""
    fps: NotRequired[float | None]
    """Pictures a second, measured; null for sound, and while too little was seen."""
    key_s: NotRequired[float | None]
    """Seconds from one key frame to the next, measured."""
    long_keys_s: NotRequired[int | None]
    """About as much, where it keeps whoever begins waiting; it changes seldom."""


class DiskStatus(TypedDict):
    """The volume of the record."""

    free_bytes: int
    hours_left: float
    longest_wait_ms: float
    """The longest that the volume let a write wait in the last minute."""


class CopyStatus(TypedDict):
    """The second copy of the record; `why` is what holds it up."""

    target: str
    pending_files: int
    pending_bytes: int
    why: str | None


class ReadbackStatus(TypedDict):
    """Closed files that were read and decoded again."""

    checked: int
    longest_s: float


class RoomAlarm(TypedDict):
    """Something that is wrong now: `code` is the kind, `subject` a track, seat or hearing, `text` for people."""

    code: str
    subject: str
    text: str
    since_ns: int


class TileStatus(TypedDict):
    """The room's small picture, which is there for whoever asks for the track `tile`."""

    of: str | None
    """The camera that it shows; null while none runs."""
    why: str | None
    """Why there is none just now; null while it can be asked for."""


class RecorderStatus(TypedDict):
    """The recorder, once a second and on a change."""

    at_ns: int
    tracks: list[TrackStatus]
    hearing: str | None
    disk: DiskStatus
    clock: UtcSource
    copy: CopyStatus | None
    """Null where the profile names no second copy."""
    readback: ReadbackStatus
    alarms: list[RoomAlarm]
    tile: NotRequired[TileStatus]
    """A recorder of before makes none."""


class CaptionMessage(TypedDict):
    """Replaces the caption of the same id; an utterance of that id ends it; empty text withdraws it."""

    id: str
    seat: str
    role: str
    start_ns: int
    end_ns: int
    text: str
    stable: int
    """How many leading characters will not change any more."""
    hearing: NotRequired[str | None]
    """Of which hearing it is; said on the way to the center."""


class TurnTimesMessage(TypedDict):
    """When a turn that was written passed each station: for benches and for whoever looks why words came late.

    `times` is `transcriber.segmentation.turn_times.TurnTimes`, moments in nanoseconds of room time, 0 for never.
    """

    id: str
    seat: str
    start_ns: int
    end_ns: int
    times: dict[str, Any]


class SpeakingMessage(TypedDict):
    """The seats that speak, on a change."""

    at_ns: int
    seats: list[str]


TranscriberState = Literal["loading", "ready", "catching-up", "failed", "off"]


class TranscriberStatus(TypedDict):
    """The speech model; `hearings` are those of which words may still come."""

    state: TranscriberState
    lag_ms: float
    why: str
    hearings: NotRequired[list[str]]


LinkTrust = Literal["ok", "not-enrolled", "twice", "refused", "clock", "plain"]
"""Whether room and center believe each other. `twice`: two devices have the identity of this room. `plain`: without
signatures, as it was before there were any."""


class LinkStatus(TypedDict):
    """The room's way to the center."""

    broker: bool
    center: bool
    pending_events: int
    pending_bytes: int
    refused_events: int
    """Of those that are pending: the center does not take them, and they stay in the room."""
    last_receipt_utc_ns: int | None
    watched: list[str]
    trust: LinkTrust


class LiveHearing(TypedDict):
    """The hearing that a room tells of in its status."""

    id: str
    state: State
    pause: LawfulReason | None
    case: OpenedCase
    opened_utc_ns: int
    hidden: NotRequired[bool]
    """Said by the center alone: it runs, and who asks may not see it."""
    part_sealed: NotRequired[bool]
    """Said by the center alone: what goes on just now is in a sealed part, which who asks may not see."""


class RoomIdentity(TypedDict):
    """What every status says of the room."""

    court_name: str
    room_name: str
    seats: list[OpenedSeat]


class SelfTestSaid(TypedDict):
    """The last self-test."""

    utc_ms: int
    passed: bool


class MachineFacts(TypedDict):
    """How the room's machine is; null is what nobody knows."""

    version: str
    disk_free_bytes: int | None
    disk_bytes: int | None
    certificate_until_utc_ms: int | None
    selftest: SelfTestSaid | None
    pending_events: NotRequired[int]
    """Facts of the log that the center has not receipted."""
    pending_bytes: NotRequired[int]
    """Of files that are not at the center yet."""
    clock_synced: NotRequired[bool]
    """Whether the recorder knows what UTC is worth."""
    clock_error_ms: NotRequired[float | None]


class RoomStatus(RoomIdentity):
    """What a room says of itself while it is online."""

    online: bool
    hearing: LiveHearing | None
    recorder: RecorderStatus | None
    speaking: list[str]
    alarms: list[RoomAlarm]
    facts: MachineFacts | None
    """Null before the first look."""


class StampedRoomStatus(RoomStatus):
    """The same as it is published (`sync.topics.STATUS`)."""

    session: str
    """A random name of this run of the uplink: two devices with one identity are told apart by it."""
    at_utc_ns: int
    room_ns: int
