"""A court of many rooms as a center hears it: one connection says what all of them say, with real still pictures."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from server.config import load_config
from server.running import running
from server.service import build
from sync import topics
from sync.media.envelope import Envelope, Kind
from tests.support.peers.center_peers import CODES_OPEN, RoomPeer, Served, until

ROOM_NS = 1_000_000_000_000


def address(number: int) -> str:
    """The address of a room."""
    return f"court1/c{number:03}"


def still(number: int, sequence: int) -> bytes:
    """A JPEG that says which room's it is, and its which."""
    picture = Image.new("RGB", (320, 180), (30 + number * 53 % 160, 60 + number * 29 % 120, 90))
    ImageDraw.Draw(picture).text((110, 70), f"room {number:03}\npicture {sequence}", fill="white")
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=70)
    return out.getvalue()


class ManyRooms:
    """The rooms 0 … count - 1."""

    def __init__(self, served: Served, peer: RoomPeer, count: int) -> None:
        self.served = served
        self.count = count
        self._peer = peer
        self._room_ns = ROOM_NS

    def status(self, number: int, **more: Any) -> None:
        """A room with an open hearing says its status."""
        self._room_ns += 1
        utc_ns = time.time_ns()
        case = {
            "case_no": f"(2026)黑05民初{number}号",
            "cause": "民间借贷纠纷",
            "title": "",
            "parties": {},
            "public": True,
        }
        track = {
            "id": "bench",
            "kind": "video",
            "name": "审判席",
            "mime": "video/mp4",
            "state": "running",
            "kept": True,
        }
        said: dict[str, Any] = {
            "online": True,
            "at_utc_ns": utc_ns,
            "room_ns": self._room_ns,
            "court_name": "尖山区人民法院",
            "room_name": f"第{number}法庭",
            "hearing": {"id": f"h{number}", "state": "open", "pause": None, "case": case, "opened_utc_ns": utc_ns},
            "recorder": {"at_ns": self._room_ns, "tracks": [track], "hearing": f"h{number}", "alarms": []},
            "seats": [{"id": "judge", "role": "审判长", "roles": ["审判长"], "channel": 0}],
        }
        self._publish(number, topics.STATUS, {**said, **more})

    def thumbnail(self, number: int, sequence: int = 1) -> None:
        """A room sends a still picture."""
        picture, utc_ns = still(number, sequence), time.time_ns()
        packed = Envelope(Kind.THUMBNAIL, 1, sequence, self._room_ns, utc_ns, 0, picture, kept=True).pack()
        self._publish(number, topics.live("bench", topics.THUMBNAIL), packed)

    def caption(self, number: int, text: str) -> None:
        """The presiding judge speaks in a room."""
        said = {"id": "c1", "seat": "judge", "role": "审判长", "text": text, "stable": 0}
        times = {"start_ns": self._room_ns, "end_ns": self._room_ns + 1, "hearing": f"h{number}"}
        self._publish(number, topics.CAPTION, {**said, **times})

    def _publish(self, number: int, topic: str, payload: bytes | dict[str, Any]) -> None:
        self._peer.address = address(number)
        self._peer.publish(topic, payload)


@contextlib.asynccontextmanager
async def many_rooms(folder: Path, broker_port: int, count: int) -> AsyncIterator[ManyRooms]:
    """A center with so many rooms, each of which has said its status once."""
    data = folder / "center"
    data.mkdir(parents=True)
    rooms = "".join(
        f'[[rooms]]\ncourt = "court1"\nroom = "c{number:03}"\nroom_name = "第{number}法庭"\n' for number in range(count)
    )
    file = folder / "center.toml"
    file.write_text(f'[web]\nport = 0\n[mqtt]\nport = {broker_port}\n{CODES_OPEN}[storage]\ndata = "{data}"\n{rooms}')
    center = build(load_config(file))
    async with running(center, "127.0.0.1", 0) as port:
        await until(lambda: center.broker.connected)
        served = Served(f"http://127.0.0.1:{port}", broker_port, data, center)
        peer = await RoomPeer(broker_port, address(0)).start()
        try:
            made = ManyRooms(served, peer, count)
            for number in range(count):
                made.status(number)
            await until(lambda: all(room.online for room in center.rooms.states.values()))
            yield made
        finally:
            peer.stop()
