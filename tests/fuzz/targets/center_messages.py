"""What a room says to the center beside its events: status, captions and levels. The first byte says which."""

from __future__ import annotations

import json
from collections.abc import Iterator

from server.config import RoomEntry
from server.live.hub import _json
from server.rooms import Rooms
from sync.errors import CenterError

_STATUS = {
    "online": True,
    "at_utc_ns": 10**18,
    "room_ns": 10**12,
    "hearing": {"id": "h1", "state": "open", "case": {"case_no": "1", "public": True}, "opened_ns": 1},
    "recorder": {"state": "recording", "tracks": [], "free_bytes": 10**9},
    "speaking": ["judge"],
    "seats": [{"id": "judge", "role": "审判长", "roles": ["审判长"], "channel": 0}],
    "alarms": [{"code": "disk", "text": "disk", "at_ns": 5}],
    "court_name": "法院",
    "room_name": "第三法庭",
}


def target(data: bytes) -> None:
    kind, rest = data[:1], data[1:]
    try:
        if kind == b"s":
            rooms = Rooms([RoomEntry(court="court1", room="c03", token_sha256="0" * 64)])
            rooms.status("court1/c03", rest)
            room = rooms.states["court1/c03"]
            for shown in (True, False):
                json.dumps(room.to_screen(shown=shown), allow_nan=False).encode()
            rooms.opened("court1/c03", "h1", 10**12)
            now_ns = rooms.now_ns("court1/c03")
            assert now_ns is None or abs(now_ns) < 2**64
        else:
            json.dumps(_json(rest), allow_nan=False).encode()
    except CenterError:
        return


def seeds() -> Iterator[bytes]:
    yield b"s" + json.dumps(_STATUS, ensure_ascii=False).encode()
    yield b"s" + b'{"online": false}'
    yield b'l{"room_ns": 1000000000000, "seats": {"judge": {"rms_db": -30.5, "peak_db": -12, "clipped": false}}}'
    yield 'c{"seat": "judge", "stable": "现在", "text": "现在开庭", "hearing": "h1", "start_ns": 5}'.encode()
