"""What the setup page is told, in the form in which it gets it."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

StepState = Literal["waiting", "running", "done", "failed", "note"]
SetupState = Literal["choosing", "working", "done", "failed"]
Purpose = Literal["new", "camera", "seats", "anew"]
"""What is set up: a room; of one that is there a camera, or microphones and seats, or all of it anew."""


class ChoiceFault(TypedDict):
    """What is wrong with one field of what was said."""

    field: str
    text: str


class ShownOffer(TypedDict):
    """Which room the code is for, as the center says it."""

    court: str
    room: str
    court_name: str
    room_name: str


class ShownCandidate(TypedDict):
    """A camera that could be one of the room's."""

    id: str
    driver: Literal["rtsp", "v4l2", "simulated"]
    name: str
    place: str
    """Where it is: an address without user and password, or a plug."""
    picture: int
    """Grows with each picture; 0: none was taken yet."""
    codec: str
    width: int
    height: int
    trouble: str
    """What kept it from giving one; "" for nothing."""
    code: str
    """`password` where it wants one."""


class ShownMicrophones(TypedDict):
    """An input device."""

    name: str
    driver: Literal["pyaudio", "simulated"]
    channels: int
    direct: bool


class ShownListening(TypedDict):
    """What the microphones say now."""

    name: str
    db: list[float]
    """Of each channel; empty before the first."""
    trouble: str
    role: str
    """Who is to speak now; "" for nobody."""
    proposed: int | None
    """The channel that was the loudest since then."""


class ShownSetupStep(TypedDict):
    """One of the steps that follow when everything is said."""

    id: Literal["profile", "services", "enroll", "devices", "center", "doctor"]
    state: StepState
    text: str
    """What was found, or what is wrong and what to do."""


class ShownSeatChoice(TypedDict):
    """A seat of a room that is there already."""

    role: str
    channel: int


class ShownCameraNow(TypedDict):
    """A camera of a room that is there already."""

    id: str
    name: str
    place: str


class ShownRoomNow(TypedDict):
    """The room of a machine that has a profile."""

    court_name: str
    room_name: str
    address: str
    cameras: list[ShownCameraNow]
    seats: list[ShownSeatChoice]
    microphones: str
    waiting_events: int
    """What the center has not receipted, which a move waits for; -1: nobody knows, as where the uplink does not run."""
    waiting_bytes: int
    """Of files, likewise."""
    hearing_open: bool


class ShownSetup(TypedDict):
    """Everything that the page shows."""

    purpose: Purpose
    room: ShownRoomNow | None
    offer: ShownOffer | None
    alone: bool
    searching: bool
    searched: bool
    troubles: list[str]
    cameras: list[ShownCandidate]
    microphones: list[ShownMicrophones]
    listening: ShownListening | None
    steps: list[ShownSetupStep]
    state: SetupState
    command: str
    """What starts the services where nothing does it by itself."""
