"""A room's device with the product's whole uplink, in this process, at a center that serves HTTPS."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.broker_address import BrokerAddress
from sync.media.envelope import Envelope, Kind, pack_init
from sync.mqtt import MqttConnection
from sync.record.event import event_digest
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.feed import FeedClient, FeedServer
from sync.room.paths import RoomPaths
from sync.tls.identity import TlsIdentity
from sync.uplink.service import Uplink, UplinkConfig
from tests.support.peers.tls_center import ROOM, TlsDoor, files_of

COURT, NAME = ROOM.split("/")


@dataclass
class Device:
    """A machine of the room `ROOM`, with the product's whole uplink."""

    layout: RoomPaths
    log: RoomLog
    clock: RoomClock
    recorder: FeedServer
    uplink: Uplink
    link: dict[str, Any] = field(default_factory=dict)
    connects_s: list[float] = field(default_factory=list)

    @property
    def line(self) -> MqttConnection:
        """Its connection to the broker."""
        assert self.uplink._line is not None
        return self.uplink._line.broker

    def say(self, kind: str, **body: Any) -> int:
        now_ns = self.clock.now_ns()
        number = self.log.append(kind, body, hearing="h1", room_ns=now_ns, utc_ns=time.time_ns()).number
        return number

    def digests(self) -> dict[int, str]:
        found: dict[int, str] = {}
        while events := self.log.since(max(found, default=0)):
            found |= {event.number: event_digest(event) for event in events}
        return found

    def pending(self) -> set[int]:
        return {event.number for event in self.log.pending(limit=1000)}

    def picture(self, sequence: int, mark: bytes) -> None:
        at_ns = self.clock.now_ns()
        frame = Envelope(Kind.FRAGMENT, 1, sequence, at_ns, at_ns, 100_000, mark, key_frame=True)
        self.recorder.publish("frag/bench", frame.pack())
        self.recorder.publish("thumb/bench", Envelope(Kind.THUMBNAIL, 1, 0, at_ns, at_ns, 0, mark).pack())


@contextlib.asynccontextmanager
async def running(
    center: TlsDoor, folder: Path, key: Ed25519PrivateKey, client_id: str = ROOM
) -> AsyncIterator[Device]:
    """The real uplink over the disk in `folder`, with certificate and key that lie there."""
    layout = RoomPaths(folder)
    identity = TlsIdentity(files_of(layout))
    config = UplinkConfig(
        court=COURT,
        room=NAME,
        identity={"court_name": "法院", "room_name": "第三法庭", "seats": []},
        layout=layout,
        key=key,
        center_url=center.url,
        tls=identity,
        broker=BrokerAddress.of(center.broker.places, client_id, tls=identity.context),
    )
    clock = RoomClock.open(layout.clock)
    recorder = FeedServer(layout.feed("recorder"))
    await recorder.start()
    init = Envelope(Kind.INIT, 1, 0, 0, 0, 0, pack_init('video/mp4; codecs="avc1.42C01E"', b"init"))
    recorder.publish("init/bench", init.pack(), retain=True)
    device = Device(layout, RoomLog(layout.log), clock, recorder, Uplink(config, clock=clock))
    device.line.on_connected(lambda: device.connects_s.append(time.monotonic()))

    async def listen() -> None:
        async for _, payload in FeedClient(layout.feed("uplink"), ["link"], retry_s=0.05).messages():
            device.link = json.loads(payload)

    tasks = [asyncio.create_task(device.uplink.run(lambda: None)), asyncio.create_task(listen())]
    try:
        yield device
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await recorder.stop()
        device.log.close()
