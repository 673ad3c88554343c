"""The uplink of one room: broker, outbox, uploads and live media, driven by the room's feeds.

Standing alone (no address of a center) it only says so on its feed; events and files wait in the room.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Annotated, TypeVar

import httpx
import structlog
from pydantic import BaseModel, Field

from sync import topics
from sync.broker_address import BrokerAddress, Will
from sync.errors import CenterError, StorageError
from sync.ledger.messages.signed_message import Purpose
from sync.ledger.signing_key import SigningKey
from sync.mqtt import MqttConnection
from sync.record.docket import MAX_DOCKET_BYTES, Docket
from sync.record.hearing import Hearing
from sync.record.notice import MAX_NOTICE_BYTES, MOST_NOTICES, HearingNotice, KeptNotices
from sync.room.checkpoints import Checkpoints
from sync.room.clock import RoomClock
from sync.room.counts import COUNTS, COUNTS_S, UplinkCounts
from sync.room.event_log import RoomLog
from sync.room.feed import FeedClient, FeedServer
from sync.room.follower import Follower
from sync.room.messages import LinkStatus, LinkTrust, MachineFacts, RoomIdentity
from sync.room.paths import RoomPaths
from sync.tls.identity import TlsIdentity
from sync.uplink.events.outbox import Outbox
from sync.uplink.files.hand_over import SignedHandOver
from sync.uplink.files.request_lines import note_upload_answer
from sync.uplink.files.selftest_round_trip import RoundTrip
from sync.uplink.files.tus import TusClient
from sync.uplink.files.upload_store import UploadStore
from sync.uplink.files.uploads import Uploads
from sync.uplink.live.live_publisher import LivePublisher
from sync.uplink.machine.facts import MachineLook
from sync.uplink.machine.profile_told import ProfileTeller
from sync.uplink.proof.timestamp_tokens import Stamps
from sync.uplink.proof.witness import WitnessLine
from sync.uplink.token_bucket import TokenBucket
from sync.uplink.trust.center_clock import CenterClock
from sync.uplink.trust.certificate import CertificateRenewal, ask_for_center
from sync.uplink.trust.trusted_center import TrustedCenter

log = structlog.get_logger(__name__)

TICK_S = 0.25
LOG_LOOK_S = 1.0
UPLOAD_BITS_PER_S = 40_000_000
KEEP_ALIVE_S = 15.0
"""Less than the center waits, so that nothing is sent on a line that it is just closing."""


@dataclass(frozen=True)
class UplinkConfig:
    """What the uplink must know of its room and its center."""

    court: str
    room: str
    identity: RoomIdentity
    """`court_name`, `room_name` and `seats` of every status."""
    layout: RoomPaths
    key: SigningKey
    """The device's."""
    center_url: str = ""
    token: str = ""
    broker: BrokerAddress | None = None
    tls: TlsIdentity | None = None
    """What the room shows to an https center and to a broker of certificates, and whom it trusts."""
    panel_hosts: tuple[str, ...] = ()
    """By what the room's panel is reached: its certificate names them."""
    upload_bits_per_s: int = UPLOAD_BITS_PER_S
    tsa_url: str = ""
    """Of a time-stamp authority (RFC 3161); empty for none."""
    profile: str = ""
    """The room's profile without its secrets (TOML), for the center; "" tells none."""
    accept_unsigned: Callable[[], bool] = lambda: False
    """Whether a center of before, which signs nothing, is believed now."""

    @property
    def address(self) -> str:
        """`court/room`."""
        return f"{self.court}/{self.room}"


Said = TypeVar("Said", bound=BaseModel)

MAX_HEAD_BYTES = 16 * 1024


class AuditHeadNotice(BaseModel):
    """One message of `audit-head`: a head of the center's audit log."""

    audit_head: Annotated[str, Field(max_length=4096)]


class BrokerLine:
    """All that goes over the broker: events and their receipts, checkpoints, live media."""

    def __init__(
        self,
        config: UplinkConfig,
        address: BrokerAddress,
        room_log: RoomLog,
        checkpoints: Checkpoints,
        clock: RoomClock,
        center: TrustedCenter,
        *,
        hearing: Callable[[], Hearing | None],
        facts: Callable[[], MachineFacts | None],
        on_docket: Callable[[bytes], None],
        on_notice: Callable[[bytes], None],
        on_audit_head: Callable[[bytes], None],
    ) -> None:
        """`hearing()`: the one that is open or paused; `on_docket(payload)`, `on_notice(payload)` and
        `on_audit_head(payload)` hear each that the center sends."""
        prefix = topics.of_room(config.address)
        session = secrets.token_hex(8)
        self.broker = MqttConnection(address, will=Will(f"{prefix}/{topics.STATUS}", topics.offline(session)))
        self.outbox = Outbox(room_log, self.broker, prefix, center, config.key, utc_ns=clock.utc_now_ns)
        self.witness = WitnessLine(checkpoints, center, self.broker, prefix)
        self.live = LivePublisher(
            self.broker,
            prefix,
            center,
            session=session,
            identity=config.identity,
            room_ns=clock.now_ns,
            utc_ns=clock.utc_now_ns,
            hearing=hearing,
            facts=facts,
        )
        self.broker.subscribe(f"{prefix}/{topics.DOCKET}", 1, on_docket)
        self.broker.subscribe(f"{prefix}/{topics.NOTICES}", 1, on_notice)
        self.broker.subscribe(f"{prefix}/{topics.AUDIT_HEAD}", 1, on_audit_head)


class Uplink:
    """One room's way to the center; `run` it in an event loop."""

    def __init__(
        self,
        config: UplinkConfig,
        *,
        clock: RoomClock,
        room_log: RoomLog | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        """`room_log` and `checkpoints` of the room, where this process has them open already: they are closed at the
        end all the same."""
        layout = config.layout
        self._layout = layout
        self._log = room_log or RoomLog(layout.log)
        self._checkpoints = checkpoints or Checkpoints(layout.log)
        self._follower = Follower(self._log)
        self._feed = FeedServer(layout.feed("uplink"))
        self._link_said = ""
        self._pending = 0
        self._counted: object = None
        """When `_pending` was counted, by what would change it."""
        self._center = TrustedCenter(
            layout, config.address, accept_unsigned=config.accept_unsigned, utc_ns=clock.utc_now_ns
        )
        self._noticed: dict[str, HearingNotice] = {}
        self._machine = MachineLook(layout, self._log, self._still_here)
        self._line: BrokerLine | None = None
        if config.broker is not None:
            self._line = BrokerLine(
                config,
                config.broker,
                self._log,
                self._checkpoints,
                clock,
                self._center,
                hearing=lambda: self._follower.current,
                facts=lambda: self._machine.current,
                on_docket=self._on_docket,
                on_notice=self._on_notice,
                on_audit_head=self._on_audit_head,
            )
        pace = TokenBucket(config.upload_bits_per_s / 8)
        self._http: httpx.AsyncClient | None = None
        self._uploads: Uploads | None = None
        self._store: UploadStore | None = None
        if config.center_url:
            self._http = httpx.AsyncClient(
                base_url=config.center_url,
                headers={"Authorization": f"Bearer {config.token}"} if config.token else {},
                timeout=httpx.Timeout(30, connect=5),
                # A new connection for each request of pieces would cost both ends more than its bytes do.
                limits=httpx.Limits(keepalive_expiry=KEEP_ALIVE_S),
                trust_env=False,
                verify=True if config.tls is None else config.tls.context,
                event_hooks={"request": [ask_for_center], "response": [note_upload_answer]},
            )
            self._store = UploadStore(layout.uploads)
            tus = TusClient(self._http)
            self._uploads = Uploads(
                room=config.address,
                layout=layout,
                room_log=self._log,
                store=self._store,
                tus=tus,
                pace=pace,
                hearing=lambda: None if self._follower.current is None else self._follower.current.id,
                confirm=SignedHandOver(tus, self._center, config.key).confirm,
            )
        self._renewal: CertificateRenewal | None = None
        if config.tls is not None and self._http is not None:
            self._renewal = CertificateRenewal(layout, config.address, config.panel_hosts, config.tls, self._http)
        self._teller = ProfileTeller.of(self._http, config.profile, layout)
        self._clock: CenterClock | None = None
        if config.center_url:
            self._clock = CenterClock(config.center_url, layout.authority, utc_ns=clock.utc_now_ns)
        self._stamps = (
            Stamps(self._checkpoints, layout, config.tsa_url, self._http, config.key) if config.tsa_url else None
        )
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
                if self._renewal is not None:
                    group.create_task(self._renewal.run())
                if self._line is not None:
                    self._line.broker.start()
                    group.create_task(self._line.outbox.run())
                    group.create_task(self._line.witness.run())
                    group.create_task(self._machine.run())
                    group.create_task(self._listen("recorder", ["init/", "frag/", "thumb/", "levels", "status", "log"]))
                    group.create_task(self._listen("transcriber", ["caption", "speaking", "log"]))
                for part in (self._uploads, self._stamps, self._clock, self._teller):
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

    def _told(self, purpose: Purpose, model: type[Said], payload: bytes, limit: int) -> Said | None:
        """What the center says, if it says it; None for what is not believed."""
        try:
            return model.model_validate(self._center.read(purpose, payload, limit=limit).value)
        except (ValueError, CenterError) as error:
            log.warning("center_not_believed", purpose=purpose, why=str(error)[:200])
            return None

    def _on_docket(self, payload: bytes) -> None:
        docket = self._told("docket", Docket, payload, MAX_DOCKET_BYTES)
        if docket is not None:
            self._feed.publish("docket", docket.model_dump_json().encode(), retain=True)

    def _on_notice(self, payload: bytes) -> None:
        notice = self._told("notices", HearingNotice, payload, MAX_NOTICE_BYTES)
        if notice is None:
            return
        self._noticed.pop(notice.hearing, None)
        self._noticed[notice.hearing] = notice
        while len(self._noticed) > MOST_NOTICES:
            del self._noticed[min(self._noticed)]
        kept = KeptNotices(notices=list(self._noticed.values()))
        self._feed.publish("notices", kept.model_dump_json().encode(), retain=True)

    def _on_audit_head(self, payload: bytes) -> None:
        said = self._told("audit-head", AuditHeadNotice, payload, MAX_HEAD_BYTES)
        if said is not None:
            self._feed.publish("audit-head", said.audit_head.encode(), retain=True)

    async def _tick(self) -> None:
        counted_s = -COUNTS_S
        watched: list[str] = []
        while True:
            for _ in range(4):
                if self._line is not None:
                    self._line.live.tick()
                    if self._line.live.watched != watched:  # the recorder makes what is made for whoever watches
                        break
                await asyncio.sleep(TICK_S)
            watched = [] if self._line is None else self._line.live.watched
            await self._publish_link()
            if monotonic() - counted_s >= COUNTS_S:
                counted_s = monotonic()
                try:
                    await self._publish_counts()
                except StorageError as error:  # of a disk that does not answer others tell; this is only counted
                    log.warning("uplink_not_counted", why=error.message)

    async def _publish_link(self) -> None:
        line, uploads = self._line, self._uploads
        receipts: list[int] = []
        for way in (None if line is None else line.outbox, uploads):
            if way is not None and way.last_receipt_utc_ns is not None:
                receipts.append(way.last_receipt_utc_ns)
        value: LinkStatus = {
            "broker": line is not None and line.broker.connected,
            "center": uploads is not None and uploads.reachable,
            "pending_events": await self._pending_events(),
            "pending_bytes": 0 if uploads is None else uploads.pending_bytes,
            "refused_events": 0 if line is None else line.outbox.refused_count,
            "last_receipt_utc_ns": max(receipts) if receipts else None,
            "watched": [] if line is None else line.live.watched,
            "trust": self._trust(),
        }
        said = json.dumps(value)
        if said != self._link_said:
            self._link_said = said
            self._feed.publish_json("link", value, retain=True)

    def _still_here(self) -> tuple[int, int]:
        return self._pending, 0 if self._uploads is None else self._uploads.pending_bytes

    async def _pending_events(self) -> int:
        """How many events wait for a receipt; they are counted when some have come or gone."""
        moment = self._follower.number, 0 if self._line is None else self._line.outbox.receipted
        if moment != self._counted:
            self._pending = await asyncio.to_thread(self._log.pending_count)
            self._counted = moment
        return self._pending

    async def _publish_counts(self) -> None:
        line, uploads, store = self._line, self._uploads, self._store
        counts: UplinkCounts = {
            "oldest_pending_utc_ns": await asyncio.to_thread(self._log.oldest_pending_utc_ns),
            "receipted_events": 0 if line is None else line.outbox.receipted,
            "pending_files": 0 if store is None else (await asyncio.to_thread(store.pending))[0],
            "upload_refused": uploads is not None and bool(uploads.refused),
            "backlog_bytes": 0 if line is None else line.broker.backlog_bytes,
            "clock_ahead_s": None if self._clock is None else self._clock.ahead_s,
        }
        self._feed.publish_json(COUNTS, counts, retain=True)

    def _trust(self) -> LinkTrust:
        """What stands between this room's record and the center's trust in it, the heaviest first."""
        if self._line is None:
            return "ok"
        if self._center.key is None:
            return "plain" if self._center.accepts_plain else "not-enrolled"
        if self._line.live.twin.is_there:
            return "twice"
        if self._clock is not None and self._clock.is_wrong:
            return "clock"
        if self._line.outbox.batch_refused is not None:
            return "refused"
        if self._center.late:
            return "clock"
        return "plain" if self._center.accepts_plain else "ok"
