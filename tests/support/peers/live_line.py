"""What a live publisher talks to: a line that notes what it is given."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sync.media.envelope import Envelope, Kind, pack_init
from sync.mqtt import RECONNECT_S
from sync.record.hearing import Hearing, State
from sync.room.paths import RoomPaths
from sync.uplink.live.live_publisher import LivePublisher
from sync.uplink.trust.trusted_center import TrustedCenter
from tests.support.peers.device_signatures import center_says, know_center
from tests.support.peers.uplink_peers import ADDRESS

INIT = Envelope(Kind.INIT, 7, 0, 0, 0, 0, pack_init("video/mp4", b"init")).pack()


def fragment(sequence: int, *, key: bool = False, init_id: int = 7, size: int = 10) -> bytes:
    return Envelope(Kind.FRAGMENT, init_id, sequence, sequence, 0, 100_000, bytes(size), key_frame=key).pack()


def tiny(at_ns: int, *, key: bool = False) -> bytes:
    """A picture that lasts for no time."""
    return Envelope(Kind.FRAGMENT, 7, at_ns, at_ns, 0, 0, b"picture", key_frame=key).pack()


def thumbnail(at_ns: int = 1) -> bytes:
    return Envelope(Kind.THUMBNAIL, 7, 0, at_ns, 0, 0, b"jpeg", key_frame=True).pack()


class Line:
    """Stands where the broker's connection stands: notes what it is given, and can be slow."""

    def __init__(self) -> None:
        self.connected = True
        self.backlog_bytes = 0
        self.waits_s: tuple[int, int] = RECONNECT_S
        self.said: list[tuple[str, bytes, int]] = []
        self.handlers: dict[str, Callable[[bytes], None]] = {}
        self.callbacks: list[Callable[[], None]] = []

    def reconnect_after(self, first_s: int, longest_s: int) -> None:
        self.waits_s = first_s, longest_s

    def subscribe(self, topic: str, qos: int, handler: Callable[[bytes], None]) -> None:
        self.handlers[topic] = handler

    def on_connected(self, callback: Callable[[], None]) -> None:
        self.callbacks.append(callback)

    def publish(self, topic: str, payload: bytes, *, qos: int = 0) -> bool:
        if self.connected:
            self.said.append((topic.removeprefix("p/"), payload, qos))
        return self.connected

    def fragments(self, track: str = "bench") -> list[int]:
        return [Envelope.unpack(m).sequence for topic, m, _ in self.said if topic == f"live/{track}/frag"]

    def of(self, topic: str) -> list[dict[str, Any]]:
        return [json.loads(message) for said, message, _ in self.said if said == topic]


class Stand:
    def __init__(self, folder: Path) -> None:
        layout = RoomPaths(folder)
        know_center(layout)
        self._stamps = itertools.count(1)
        self.line = Line()
        self.now = 100.0
        self.hearing: Hearing | None = Hearing("h", state=State.OPEN)
        self.live = LivePublisher(
            self.line,  # type: ignore[arg-type]  # it has all that Live uses
            "p",
            TrustedCenter(layout, ADDRESS, utc_ns=lambda: 2),
            session="this-run",
            identity={"court_name": "x", "room_name": "y", "seats": []},
            room_ns=lambda: 1,
            utc_ns=lambda: 2,
            hearing=lambda: self.hearing,
            monotonic=lambda: self.now,
        )
        self.demand()  # the center has heard this room, and nobody watches it

    def demand(self, *tracks: str, levels: bool = False, session: str = "", **more: object) -> None:
        wanted = {"tracks": tracks, "levels": levels, "session": session, "uplink": "", "twice": False, **more}
        self.line.handlers["p/demand"](center_says("demand", ADDRESS, wanted, next(self._stamps)))

    def take(self, *messages: bytes, track: str = "bench") -> None:
        for message in messages:
            self.live.take(f"frag/{track}", message)
