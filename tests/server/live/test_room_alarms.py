"""What a room says is wrong with itself reaches the wall, whatever its recorder does and whether a hearing is open."""

from __future__ import annotations

import json

import pytest

from server.config import RoomEntry
from server.rooms import KnownRoom, Rooms
from server.status.said_status import MAX_ALARMS
from sync.errors import CenterError

ROOM = "jianshan/c03"
ALARM = {"code": "unsealed", "subject": "h", "text": "庭审 h 未能封存 (hearing h is not sealed)", "since_ns": 5_000_000}


def test_the_alarms_of_a_room_are_shown_and_a_list_without_end_is_refused() -> None:
    told: list[KnownRoom] = []
    rooms = Rooms([RoomEntry(court="jianshan", room="c03", token_sha256="0" * 64)])
    rooms.changed.add(told.append)
    status = {"online": True, "hearing": None, "recorder": None}
    rooms.status(ROOM, json.dumps(status).encode())
    assert told[-1].to_screen()["alarms"] == []
    rooms.status(ROOM, json.dumps(status | {"alarms": [ALARM]}).encode())
    [shown] = told[-1].to_screen(shown=False)["alarms"]
    assert (shown["code"], shown["since_ms"]) == ("unsealed", 5)
    assert len(told) == 2
    with pytest.raises(CenterError):
        rooms.status(ROOM, json.dumps(status | {"alarms": [ALARM] * (MAX_ALARMS + 1)}).encode())
