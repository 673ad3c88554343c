"""The uplink of one room: broker, outbox, uploads and live media, driven by the room's feeds.

Standing alone (no address of a center) it only says so on its feed; events and files wait in the room.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import structlog
from pydantic import ValidationError

from sync.record.docket import Docket
from sync.room.checkpoints import Checkpoints
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.feed import FeedClient, FeedServer
from sync.room.follower import Follower
from sync.room.messages import LinkStatus
from sync.room.paths import RoomPaths
from sync.uplink.live_publisher import LivePublisher
from sync.uplink.mqtt import Broker, BrokerAddress
from sync.uplink.outbox import Outbox
from sync.uplink.selftest_round_trip import RoundTrip
from sync.uplink.timestamp_tokens import Stamps
from sync.uplink.token_bucket import TokenBucket
from sync.uplink.tus import TusClient
from sync.uplink.upload_store import UploadStore
from sync.uplink.uploads import Uploads
from sync.uplink.witness import WitnessLine

log = structlog.get_logger(__name__)

TICK_S = 0.25
LOG_LOOK_S = 1.0
UPLOAD_BITS_PER_S = 40_000_000


@dataclass(frozen=True)
class UplinkConfig:
    """What the uplink must know of its room and its center."""

    court: str
    room: str
    identity: dict[str, Any]
    """`court_name`, `room_name` and `seats` of every status."""
    layout: RoomPaths
    center_url: str = ""
    token: str = ""
    broker: BrokerAddress | None = None
    upload_bits_per_s: int = UPLOAD_BITS_PER_S
    tsa_url: str = ""
    """Of a time-stamp authority (RFC 3161); empty for none."""


class Uplink:
    """One room's way to the center; `run` it in an event loop."""

    def __init__(self, config: UplinkConfig, *, clock: RoomClock) -> None:
        self._config = config
        self._clock = clock
        self._log = RoomLog(config.layout.log)
        self._checkpoints = Checkpoints(config.layout.log)
        self._follower = Follower(self._log)
        self._feed = FeedServer(config.layout.feed("uplink"))
        self._broker: Broker | None = None
        self._outbox: Outbox | None = None
        self._uploads: Uploads | None = None
        self._witness: WitnessLine | None = None
        self._live: LivePublisher | None = None
        self._link_said = ""
        self._pace = TokenBucket(config.upload_bits_per_s / 8)
        self._trip: RoundTrip | None = None

    @property
    def prefix(self) -> str:
        """The room's part of all topics."""
        return f"court/v1/{self._config.court}/{self._config.room}"

    async def run(self, ready: Callable[[], None]) -> None:
        """Carry everything for ever; calls `ready` when the feed is open."""
        await self._follower.start()
        await self._feed.start()
        http: httpx.AsyncClient | None = None
        try:
            async with asyncio.TaskGroup() as group:
                if self._config.broker is not None:
                    self._connect(self._config.broker)
                    assert self._outbox is not None
                    group.create_task(self._outbox.run())
                    assert self._witness is not None
                    group.create_task(self._witness.run())
                    group.create_task(self._listen("recorder", ["init/", "frag/", "thumb/", "levels", "status", "log"]))
                    group.create_task(self._listen("transcriber", ["caption", "speaking", "log"]))
                if self._config.center_url:
                    http = httpx.AsyncClient(
                        base_url=self._config.center_url,
                        headers={"Authorization": f"Bearer {self._config.token}"},
                        timeout=httpx.Timeout(30, connect=5),
                        trust_env=False,
                    )
                    group.create_task(self._upload(http))
                if self._config.tsa_url:
                    stamps = Stamps(self._checkpoints, self._config.layout, self._config.tsa_url, http)
                    group.create_task(stamps.run())
                self._trip = RoundTrip(
                    f"{self._config.court}/{self._config.room}",
                    self._config.layout,
                    http,
                    self._pace,
                    lambda value: self._feed.publish_json("selftest", value, retain=True),
                )
                group.create_task(self._listen("edge", ["log", "test-send", "alarms"]))
                group.create_task(self._look_for_ever())
                group.create_task(self._tick())
                ready()
        finally:
            if self._trip is not None:
                await self._trip.close()
            if self._broker is not None:
                await self._broker.stop()
            if http is not None:
                await http.aclose()
            await self._feed.stop()
            self._log.close()
            self._checkpoints.close()

    def _connect(self, address: BrokerAddress) -> None:
        self._broker = Broker(address, will_topic=f"{self.prefix}/status", will=b'{"online":false}')
        self._outbox = Outbox(self._log, self._broker, self.prefix, utc_ns=self._clock.utc_now_ns)
        self._witness = WitnessLine(self._checkpoints, self._config.layout, self._broker, self.prefix)
        self._live = LivePublisher(
            self._broker,
            self.prefix,
            identity=self._config.identity,
            room_ns=self._clock.now_ns,
            utc_ns=self._clock.utc_now_ns,
            hearing=lambda: self._follower.current,
        )
        self._broker.subscribe(f"{self.prefix}/docket", 1, self._on_docket)
        self._broker.start()

    async def _upload(self, http: httpx.AsyncClient) -> None:
        store = UploadStore(self._config.layout.uploads)
        try:
            self._uploads = Uploads(
                room=f"{self._config.court}/{self._config.room}",
                layout=self._config.layout,
                room_log=self._log,
                store=store,
                tus=TusClient(http),
                pace=self._pace,
                hearing=lambda: None if self._follower.current is None else self._follower.current.id,
            )
            await self._uploads.run()
        finally:
            store.close()

    async def _listen(self, service: str, prefixes: list[str]) -> None:
        async for topic, payload in FeedClient(self._config.layout.feed(service), prefixes).messages():
            if topic == "log":
                await self._look()
            elif topic == "test-send":
                if self._trip is not None:
                    self._trip.order(payload)
            elif self._live is not None:
                self._live.take(topic, payload)

    async def _look_for_ever(self) -> None:
        while True:
            await self._look()
            await asyncio.sleep(LOG_LOOK_S)

    async def _look(self) -> None:
        if await self._follower.look():
            if self._outbox is not None:
                self._outbox.kick()
            if self._uploads is not None:
                self._uploads.kick()

    def _on_docket(self, payload: bytes) -> None:
        try:
            docket = Docket.model_validate_json(payload)
        except ValidationError as error:
            log.warning("docket_unreadable", why=str(error.errors()[0]["msg"]))
            return
        self._feed.publish("docket", docket.model_dump_json().encode(), retain=True)

    async def _tick(self) -> None:
        while True:
            for _ in range(4):
                if self._live is not None:
                    self._live.tick()
                await asyncio.sleep(TICK_S)
            await self._say_link()

    async def _say_link(self) -> None:
        outbox, uploads = self._outbox, self._uploads
        receipts: list[int] = []
        for way in (outbox, uploads):
            if way is not None and way.last_receipt_utc_ns is not None:
                receipts.append(way.last_receipt_utc_ns)
        value: LinkStatus = {
            "broker": self._broker is not None and self._broker.connected,
            "center": uploads is not None and uploads.reachable,
            "pending_events": await asyncio.to_thread(self._log.pending_count),
            "pending_bytes": 0 if uploads is None else uploads.pending_bytes,
            "last_receipt_utc_ns": max(receipts) if receipts else None,
            "watched": [] if self._live is None else self._live.watched,
        }
        said = json.dumps(value)
        if said != self._link_said:
            self._link_said = said
            self._feed.publish_json("link", value, retain=True)
