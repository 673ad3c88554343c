"""What somebody says who sets a room up, read strictly; each field has its own words for what is wrong with it.

A door reads the form (`SetupChoices`, pydantic, bounded and closed), `faults_of` says what of it makes no room. What
passes makes a profile that `hardware.profile` takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from sync.errors import WutongError
from sync.text.fields import LINE
from wutong.setup.messages import ChoiceFault

MOST_CAMERAS = 8
MOST_SEATS = 8
MOST_CARRIED = 400
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
_LINE = Annotated[str, LINE, Field(max_length=200)]
_ID = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]


class InvalidChoicesError(WutongError):
    """Fields that make no room; `faults` says of each what is wrong."""

    code = "invalid"

    def __init__(self, faults: list[ChoiceFault]) -> None:
        super().__init__("；".join(f["text"] for f in faults), code="invalid")
        self.faults = faults


class _Choice(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ChosenCenter(_Choice):
    """Which center, or none. What the center says by itself need not be said."""

    alone: bool = False
    carried: Annotated[str, Field(max_length=MOST_CARRIED)] = ""
    """What was carried here from the center: `https://center:8800/#CODE.FINGERPRINT`, or without the address."""
    url: Annotated[str, Field(max_length=300)] = ""
    court: Annotated[str, Field(max_length=31)] = ""
    room: Annotated[str, Field(max_length=31)] = ""
    court_name: _LINE = ""
    room_name: _LINE = ""
    broker: Annotated[str, Field(max_length=300)] = ""


class ChosenCamera(_Choice):
    """A camera that was found or typed, and what it is called in the room."""

    candidate: _ID
    name: _LINE


class ChosenSeat(_Choice):
    """Who speaks into which channel."""

    role: _LINE
    channel: Annotated[int, Field(ge=0, lt=MOST_SEATS)]


class ChosenMicrophones(_Choice):
    """An input device by its name."""

    name: Annotated[str, Field(max_length=200)]
    channels: Annotated[int, Field(ge=1, le=MOST_SEATS)]


class SetupChoices(_Choice):
    """All that makes the profile, beside the center that was said before."""

    cameras: Annotated[list[ChosenCamera], Field(max_length=MOST_CAMERAS)]
    microphones: ChosenMicrophones | None
    seats: Annotated[list[ChosenSeat], Field(max_length=MOST_SEATS)]
    replaces: Annotated[str, Field(max_length=40)] = ""
    """The camera in whose place the one of `cameras` comes."""


def slug_fault(field: str, text: str) -> Iterator[ChoiceFault]:
    """Short names, as addresses have them."""
    if _SLUG.fullmatch(text) is None:
        words = "只能用小写字母、数字和连字符，最多 31 个 (small letters, digits and hyphens, 31 at most)"
        yield {"field": field, "text": words}


def name_fault(field: str, text: str) -> Iterator[ChoiceFault]:
    """Names as people read them."""
    if not text:
        yield {"field": field, "text": "请填写名称 (a name is missing)"}
    elif len(text) > 100:
        yield {"field": field, "text": "名称最多 100 个字 (100 characters at most)"}


def faults_of(choices: SetupChoices, *, cameras: bool = True) -> list[ChoiceFault]:
    """What makes no room, field by field; empty when all of it does. `cameras`: whether they are asked about."""
    found: list[ChoiceFault] = []
    if cameras and not choices.cameras:
        found.append({"field": "cameras", "text": "至少需要一台摄像机 (a room needs at least one camera)"})
    names: dict[str, int] = {}
    for number, camera in enumerate(choices.cameras):
        found += name_fault(f"cameras.{number}.name", camera.name)
        if camera.name and camera.name in names:
            found.append({"field": f"cameras.{number}.name", "text": "两台摄像机同名 (two cameras have this name)"})
        names[camera.name] = number
    if choices.microphones is None:
        found.append({"field": "microphones", "text": "请选择录音设备 (choose the microphones)"})
        return found
    if not choices.seats:
        found.append({"field": "seats", "text": "至少需要一个席位 (a room needs at least one seat)"})
    roles: set[str] = set()
    channels: set[int] = set()
    for number, seat in enumerate(choices.seats):
        found += name_fault(f"seats.{number}.role", seat.role)
        if seat.role and seat.role in roles:
            found.append({"field": f"seats.{number}.role", "text": "两个席位同名 (two seats have this role)"})
        if seat.channel >= choices.microphones.channels:
            words = f"录音设备只有 {choices.microphones.channels} 路 (the device has no such channel)"
            found.append({"field": f"seats.{number}.channel", "text": words})
        elif seat.channel in channels:
            words = "这一路话筒已属于另一席位 (this microphone is another seat's)"
            found.append({"field": f"seats.{number}.channel", "text": words})
        roles.add(seat.role)
        channels.add(seat.channel)
    return found
