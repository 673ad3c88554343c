"""A room's real uplink in a process of its own; a test says what its recorder would, and appends to its log."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sync.ledger.keys import public_pem
from sync.media.envelope import Envelope, Kind, pack_init
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.feed import FeedClient, FeedServer
from sync.room.paths import RoomPaths
from tests.support.peers.device_signatures import CENTER_KEY, device_key
from tests.support.peers.one_process import OneProcess
from tests.support.peers.uplink_peers import ADDRESS, Mosquitto, until
from tests.support.rooms.signer_peer import signing

HEARING = "20261122-093000-00c0ffee"
CASE = {"id": "c1", "case_no": "(2026)黑05民初123号", "cause": "民间借贷", "parties": {"原告": "张三"}, "public": True}
OPENING = {
    "case": CASE,
    "seats": [{"id": "judge", "role": "审判长", "roles": ["审判长"], "channel": 0}],
    "tracks": [{"id": "bench", "kind": "video", "name": "审判席"}],
    "court_name": "尖山区人民法院",
    "room_name": "第三法庭",
}


class UplinkRoom(OneProcess):
    """`link` is what the uplink says of its line, `docket` the last that the center sent."""

    def __init__(self, folder: Path, broker: Mosquitto, center_url: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.profile = folder / "room.toml"
        self.layout = RoomPaths(folder / "data")
        self.log = RoomLog(self.layout.log)
        self.clock = RoomClock.open(self.layout.clock)
        self.link: dict[str, Any] = {}
        self.docket: dict[str, Any] = {}
        self.recorder = FeedServer(self.layout.feed("recorder"))
        self.sequence = 0
        self.init_id = 0
        (folder / "token").write_text("token-of-room-c03-0123456789abcdef")
        (folder / "token").chmod(0o600)
        court, room = ADDRESS.split("/")
        self.profile.write_text(
            f'seats = [{{ id = "judge", roles = ["审判长"], channel = 0 }}]\n'
            f'cameras = [{{ id = "bench", name = "审判席", driver = "simulated" }}]\n'
            f'[room]\ncourt = "{court}"\nroom = "{room}"\ncourt_name = "尖山区人民法院"\nroom_name = "第三法庭"\n'
            f'[microphones]\ndriver = "simulated"\nchannels = 1\n[storage]\ndata = "data"\n'
            f'[center]\nurl = "{center_url}"\ntoken_file = "token"\nmqtt_port = {broker.port}\n'
            f'mqtt_username = "{broker.room.username}"\n'
            f"mqtt_password_file = {json.dumps(str(broker.room.password_file.resolve()))}\n",
            encoding="utf-8",
        )

    @contextlib.asynccontextmanager
    async def open(self, center: Ed25519PublicKey | None = None) -> AsyncIterator[UplinkRoom]:
        """Enrolled at the center of this key, with its signer; the uplink is started by `start`."""
        self.layout.keys.mkdir(parents=True, exist_ok=True)
        self.layout.center_key.write_bytes(public_pem(center or CENTER_KEY.public_key()))
        await self.recorder.start()
        listening = asyncio.create_task(self._listen())
        try:
            with signing(self.layout, ADDRESS, key=device_key(ADDRESS)):
                yield self
        finally:
            self.kill()
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            await self.recorder.stop()
            self.log.close()

    async def _listen(self) -> None:
        async for topic, payload in FeedClient(self.layout.feed("uplink"), ["link", "docket"], retry_s=0.05).messages():
            if topic == "link":
                self.link = json.loads(payload)
            else:
                self.docket = json.loads(payload)

    # The process.

    def start(self) -> None:
        command = [sys.executable, "-m", "wutong", "room", "uplink", "--profile", str(self.profile)]
        with self.profile.with_name("uplink.log").open("ab") as log:
            self._process = subprocess.Popen(command, stderr=log)

    def kill(self) -> None:
        super().kill()
        self.link = {}

    async def stop(self) -> int:
        """In good order; its exit code."""
        process, self._process = self._process, None
        assert process is not None
        process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(process.wait, 30)

    async def online(self, *, is_up: bool = True) -> None:
        await until(lambda: self.link.get("broker") is is_up, 150)

    # What is recorded.

    def begin(self, track: str = "bench") -> None:
        """A run of the track's worker begins."""
        self.init_id += 1
        payload = pack_init('video/mp4; codecs="avc1.42C01E"', b"init")
        init = Envelope(Kind.INIT, self.init_id, 0, self.clock.now_ns(), 0, 0, payload)
        self.recorder.publish(f"init/{track}", init.pack(), retain=True)

    def fragment(self, size: int = 1000, *, track: str = "bench", key: bool | None = None, age_s: float = 0) -> int:
        """The next fragment of the recorder, one in ten a key frame; its number."""
        self.sequence += 1
        at = self.clock.now_ns() - round(age_s * 1e9)
        is_key = self.sequence % 10 == 1 if key is None else key
        one = Envelope(Kind.FRAGMENT, self.init_id, self.sequence, at, at, 160_000, bytes(size), key_frame=is_key)
        self.recorder.publish(f"frag/{track}", one.pack())
        return self.sequence

    def opens(self) -> int:
        """A hearing; its number."""
        return self._append("open", OPENING)

    def mark(self, text: str = "质证") -> int:
        """One more event of the hearing; its number."""
        return self._append("mark", {"id": f"m{self.log.last_number()}", "kind": "note", "text": text})

    def _append(self, kind: str, body: dict[str, Any]) -> int:
        return self.log.append(kind, body, hearing=HEARING, room_ns=self.clock.now_ns(), utc_ns=1).number
