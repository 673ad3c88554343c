"""The sending half of a courtroom, of the product's own parts: its log, its outbox, its line to the broker."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sync import topics
from sync.broker_address import BrokerAddress, Will
from sync.ledger.signing_key import SigningKey
from sync.mqtt import MqttConnection
from sync.record.event import event_digest
from sync.record.hearing import Hearing
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from sync.uplink.events.outbox import Outbox
from sync.uplink.live.live_publisher import LivePublisher
from sync.uplink.trust.trusted_center import TrustedCenter
from tests.support.files import databases
from tests.support.peers.center_peers import opening
from tests.support.peers.device_signatures import device_key


@dataclass
class SendingRoom:
    """Made by `sending_room`."""

    log: RoomLog
    line: MqttConnection
    outbox: Outbox
    live: LivePublisher
    trusted: TrustedCenter

    def open(self, hearing: str) -> int:
        """The opening of a hearing; its number."""
        return self.say("open", hearing, **opening(1)["body"])

    def utter(self, hearing: str, text: str) -> int:
        """A sentence; its number."""
        now_ns = time.monotonic_ns()
        body = {"seat": "judge", "role": "审判长", "text": text, "confidence": 0.9, "words": []}
        return self.say("utterance", hearing, id=f"u{now_ns}", start_ns=now_ns, end_ns=now_ns + 1, **body)

    def say(self, kind: str, hearing: str | None, **body: Any) -> int:
        """An event; its number."""
        now_ns = time.monotonic_ns()
        number = self.log.append(kind, body, hearing=hearing, room_ns=now_ns, utc_ns=time.time_ns()).number
        self.outbox.kick()
        return number

    def digests(self) -> dict[int, str]:
        """number -> digest of all that this room's log has."""
        found: dict[int, str] = {}
        while events := self.log.since(max(found, default=0)):
            found |= {event.number: event_digest(event) for event in events}
        return found


@contextlib.asynccontextmanager
async def sending_room(
    center: Path,
    folder: Path,
    broker: BrokerAddress,
    *,
    address: str = "court1/c03",
    key: SigningKey | None = None,
    hearing: Callable[[], Hearing | None] = lambda: None,
) -> AsyncIterator[SendingRoom]:
    """A room that is enrolled at the center whose data is in `center`, on its way to `broker`."""
    layout = RoomPaths(folder)
    layout.keys.mkdir(parents=True, exist_ok=True)
    layout.center_key.write_bytes((center / "keys" / "center.pem").read_bytes())
    room_log = RoomLog(layout.log)
    prefix = topics.of_room(address)
    line = MqttConnection(broker, will=Will(f"{prefix}/{topics.STATUS}", topics.offline("real-room")))
    trusted = TrustedCenter(layout, address)
    outbox = Outbox(room_log, line, prefix, trusted, key or device_key(address))
    live = LivePublisher(
        line,
        prefix,
        trusted,
        session="real-room",
        identity={"court_name": "法院", "room_name": "第三法庭", "seats": []},
        room_ns=time.monotonic_ns,
        utc_ns=time.time_ns,
        hearing=hearing,
    )
    line.start()
    task = asyncio.create_task(outbox.run())
    try:
        yield SendingRoom(room_log, line, outbox, live, trusted)
    finally:
        assert not task.done(), "nothing that came has ended the outbox"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await line.stop()
        room_log.close()


def stored_at(center: Path, address: str = "court1/c03") -> dict[int, str]:
    """What a center has of a room: number -> digest."""
    return dict(databases.rows(center / "center.db", f"SELECT number, sha256 FROM events WHERE room = '{address}'"))
