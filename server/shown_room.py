"""A room as inspectors' screens get it, and what is left of it for people who may not see all."""

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict

from sync.record.bodies.session import OpenedSeat, is_public
from sync.room.messages import LiveHearing, RecorderStatus, RoomAlarm


class CenterAlarm(TypedDict):
    """What the center itself noticed of a room."""

    code: str
    text: str


class ShownRoom(TypedDict):
    """A room as inspectors' screens get it (`sync.record.milliseconds`)."""

    address: str
    """court/room"""
    online: bool
    known: bool
    """False at a process of the center that does not listen to the room, or not long enough: nothing is said of it, and
    not that it is away."""
    court_name: str
    room_name: str
    hearing: LiveHearing | None
    recorder: RecorderStatus | None
    speaking: list[str]
    seats: list[OpenedSeat]
    alarms: list[RoomAlarm]
    seen_utc_ns: int | None
    center_alarms: list[CenterAlarm]


def hidden_room(room: dict[str, Any]) -> dict[str, Any]:
    """A room on a screen, to people who may not see its hearing."""
    hearing = room["hearing"]
    if hearing is not None:
        hearing = {**hearing, "case": hidden_case(hearing.get("case")), "hidden": True}
    return {**room, "hearing": hearing, "speaking": []}


def silent_room(room: dict[str, Any]) -> dict[str, Any]:
    """A room on a screen, to people who may not see what goes on in its hearing just now."""
    hearing = room["hearing"]
    return {**room, "hearing": hearing and {**hearing, "part_sealed": True}, "speaking": []}


def hidden_case(case: object) -> dict[str, Any]:
    """What is left of a case for people who may not see its hearing."""
    return {"id": "", "case_no": "", "cause": "", "title": "", "parties": {}, "public": is_public(case)}
