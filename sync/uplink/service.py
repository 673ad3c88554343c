"""The uplink of one room: broker, outbox, uploads and live media, driven by the room's feeds.

Standing alone (no address of a center) it only says so on its feed; events and files wait in the room.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import httpx
import structlog
from pydantic import BaseModel, Field

from sync import topics
from sync.mqtt import BrokerAddress, MqttConnection, Will
from sync.record.docket import Docket
from sync.record.hearing import Hearing
from sync.room.checkpoints import Checkpoints
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.feed import FeedClient, FeedServer
from sync.room.follower import Follower
from sync.room.messages import LinkStatus, RoomIdentity
from sync.room.paths import RoomPaths
from sync.text.strict_json import read_strict
from sync.uplink.live_publisher import LivePublisher
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
    identity: RoomIdentity
    """`court_name`, `room_name` and `seats` of every status."""
    layout: RoomPaths
    center_url: str = ""
    token: str = ""
    broker: BrokerAddress | None = None
    upload_bits_per_s: int = UPLOAD_BITS_PER_S
    tsa_url: str = ""
    """Of a time-stamp authority (RFC 3161); empty for none."""

    @property
    def address(self) -> str:
        """`court/room`."""
        return f"{self.court}/{self.room}"


MAX_NOTICE_BYTES = 16 * 1024


class Notice(BaseModel):
    """One message of `notices`: a head of the center's audit log."""

    audit_head: Annotated[str, Field(max_length=4096)]


MAX_DOCKET_BYTES = 4 * 1024 * 1024


class BrokerLine:
    """All that goes over the broker: events and their receipts, checkpoints, live media."""

    def __init__(
        self,
        config: UplinkConfig,
        address: BrokerAddress,
        room_log: RoomLog,
        checkpoints: Checkpoints,
        clock: RoomClock,
        *,
        hearing: Callable[[], Hearing | None],
        on_docket: Callable[[bytes], None],
        on_notice: Callable[[bytes], None],
    ) -> None:
        """`hearing()`: the one that is open or paused; `on_docket(payload)` and `on_notice(payload)` hear each that the
        center sends."""
        prefix = topics.of_room(config.address)
        self.broker = MqttConnection(address, will=Will(f"{prefix}/{topics.STATUS}", topics.OFFLINE))
        self.outbox = Outbox(room_log, self.broker, prefix, utc_ns=clock.utc_now_ns)
        self.witness = WitnessLine(checkpoints, config.layout, self.broker, prefix)
        self.live = LivePublisher(
            self.broker,
            prefix,
            identity=config.identity,
            room_ns=clock.now_ns,
            utc_ns=clock.utc_now_ns,
            hearing=hearing,
        )
        self.broker.subscribe(f"{prefix}/{topics.DOCKET}", 1, on_docket)
        self.broker.subscribe(f"{prefix}/{topics.NOTICES}", 1, on_notice)


class Uplink:
    """One room's way to the center; `run` it in an event loop."""

    def __init__(self, config: UplinkConfig, *, clock: RoomClock) -> None:
        layout = config.layout
        self._layout = layout
        self._log = RoomLog(layout.log)
        self._checkpoints = Checkpoints(layout.log)
        self._follower = Follower(self._log)
        self._feed = FeedServer(layout.feed("uplink"))
        self._link_said = ""
        self._line: BrokerLine | None = None
        if config.broker is not None:
            self._line = BrokerLine(
                config,
                config.broker,
                self._log,
                self._checkpoints,
                clock,
                hearing=lambda: self._follower.current,
                on_docket=self._on_docket,
                on_notice=self._on_notice,
            )
        pace = TokenBucket(config.upload_bits_per_s / 8)
        self._http: httpx.AsyncClient | None = None
        self._uploads: Uploads | None = None
        self._store: UploadStore | None = None
        if config.center_url:
            self._http = httpx.AsyncClient(
                base_url=config.center_url,
                headers={"Authorization": f"Bearer {config.token}"},
                timeout=httpx.Timeout(30, connect=5),
                trust_env=False,
            )
            self._store = UploadStore(layout.uploads)
            self._uploads = Uploads(
                room=config.address,
                layout=layout,
                room_log=self._log,
                store=self._store,
                tus=TusClient(self._http),
                pace=pace,
                hearing=lambda: None if self._follower.current is None else self._follower.current.id,
            )
        self._stamps = Stamps(self._checkpoints, layout, config.tsa_url, self._http) if config.tsa_url else None
        self._trip = RoundTrip(
            config.address,
            layout,
            self._http,
            pace,
            lambda value: self._feed.publish_json("selftest", value, retain=True),
        )

    async def run(self, ready: Callable[[], None]) -> None:
        """Carry everything for ever; calls `ready` when the feed is open."""
        try:
            await self._follower.start()
            await self._feed.start()
            async with asyncio.TaskGroup() as group:
                if self._line is not None:
                    self._line.broker.start()
                    group.create_task(self._line.outbox.run())
                    group.create_task(self._line.witness.run())
                    group.create_task(self._listen("recorder", ["init/", "frag/", "thumb/", "levels", "status", "log"]))
                    group.create_task(self._listen("transcriber", ["caption", "speaking", "log"]))
                for part in (self._uploads, self._stamps):
                    if part is not None:
                        group.create_task(part.run())
                group.create_task(self._listen("edge", ["log", "test-send", "alarms"]))
                group.create_task(self._poll_for_ever())
                group.create_task(self._tick())
                ready()
        finally:
            await self._close()

    async def _close(self) -> None:
        await self._trip.close()
        if self._line is not None:
            await self._line.broker.stop()
        if self._http is not None:
            await self._http.aclose()
        if self._store is not None:
            self._store.close()
        await self._feed.stop()
        self._log.close()
        self._checkpoints.close()

    async def _listen(self, service: str, prefixes: list[str]) -> None:
        async for topic, payload in FeedClient(self._layout.feed(service), prefixes).messages():
            if topic == "log":
                await self._poll()
            elif topic == "test-send":
                self._trip.order(payload)
            elif self._line is not None:
                self._line.live.take(topic, payload)

    async def _poll_for_ever(self) -> None:
        while True:
            await self._poll()
            await asyncio.sleep(LOG_LOOK_S)

    async def _poll(self) -> None:
        if await self._follower.poll():
            if self._line is not None:
                self._line.outbox.kick()
            if self._uploads is not None:
                self._uploads.kick()

    def _on_docket(self, payload: bytes) -> None:
        try:
            docket = Docket.model_validate(read_strict(payload, limit=MAX_DOCKET_BYTES))
        except ValueError as error:
            log.warning("docket_unreadable", why=str(error)[:200])
            return
        self._feed.publish("docket", docket.model_dump_json().encode(), retain=True)

    def _on_notice(self, payload: bytes) -> None:
        try:
            notice = Notice.model_validate(read_strict(payload, limit=MAX_NOTICE_BYTES))
        except ValueError as error:
            log.warning("notice_unreadable", why=str(error)[:200])
            return
        self._feed.publish("audit-head", notice.audit_head.encode(), retain=True)

    async def _tick(self) -> None:
        while True:
            for _ in range(4):
                if self._line is not None:
                    self._line.live.tick()
                await asyncio.sleep(TICK_S)
            await self._publish_link()

    async def _publish_link(self) -> None:
        line, uploads = self._line, self._uploads
        receipts: list[int] = []
        for way in (None if line is None else line.outbox, uploads):
            if way is not None and way.last_receipt_utc_ns is not None:
                receipts.append(way.last_receipt_utc_ns)
        value: LinkStatus = {
            "broker": line is not None and line.broker.connected,
            "center": uploads is not None and uploads.reachable,
            "pending_events": await asyncio.to_thread(self._log.pending_count),
            "pending_bytes": 0 if uploads is None else uploads.pending_bytes,
            "last_receipt_utc_ns": max(receipts) if receipts else None,
            "watched": [] if line is None else line.live.watched,
        }
        said = json.dumps(value)
        if said != self._link_said:
            self._link_said = said
            self._feed.publish_json("link", value, retain=True)
