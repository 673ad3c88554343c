"""The center as a process: opens the record store, serves rooms and inspectors, and stops in order."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import time
from collections.abc import AsyncIterator, Sequence

import structlog
from fastapi import Request

from server.access.audit import Audit
from server.access.classification import Classifications
from server.access.grants import Grants
from server.access.sealing import Sealing
from server.access.viewing_log import ViewingLog
from server.api.inspectors import InspectorRoutes
from server.api.metrics import CenterMetrics
from server.api.parties import PartyRoutes
from server.api.sealing import SealingRoutes
from server.center import Center
from server.config import Config
from server.dockets import Dockets
from server.ingest import objects_api, selftest_objects, timestamp_tokens
from server.ingest.floods import Floods
from server.ingest.message_pace import MessagePace
from server.ingest.mishaps import Mishaps
from server.ingest.mqtt import CenterBroker
from server.ingest.receipts import Ingest
from server.ingest.room_tokens import Tokens, certified_room, room_by
from server.ingest.signed_publisher import SignedPublisher
from server.ingest.signing_rooms import WHAT as SIGNS
from server.ingest.signing_rooms import SigningRooms
from server.ingest.uploads.tus_folder import UploadFolder
from server.ingest.uploads.upload_gate import UploadGate
from server.ingest.uploads.upload_lines import UploadLines
from server.inspection.unrecorded import Unrecorded
from server.integrity.audit_ledger import AuditLedger
from server.integrity.enrollment import Enrollment, center_key
from server.integrity.witness import Witness
from server.live.hub import LiveHub
from server.live.log import LiveLog
from server.live.messages import RoomMessages
from server.notices import AGAIN_S, Notices
from server.playback.ranges import Media
from server.playback.service import PlaybackService
from server.rooms import KnownRoom, Rooms
from server.store.database import open_database
from server.store.kept_folds import KeptFolds
from server.store.media_indexes import MediaIndexes
from server.store.objects import ObjectStore
from server.store.reader import RecordReader
from server.store.writer import RecordWriter
from server.tls.center import CenterTls, open_court
from server.tls.devices import DeviceCertificates
from sync.broker_client import unguessable_client_id
from sync.errors import ConfigError, LedgerError, StorageError
from sync.http import pages
from sync.http.access import Access
from sync.http.live.tab import CLIENT_BYTES
from sync.http.origins import Origins
from sync.http.serve import new_app, serving
from sync.mqtt import BrokerAddress
from sync.runtime.service import Lifeline, cancel_and_wait, every
from sync.tls.identity import TlsIdentity

log = structlog.get_logger(__name__)

DEMAND_S = 5.0
POLL_S = 1.0
DEVICES_S = 2.0
"""So soon a device that another process has revoked signs for nobody any more."""
EXPIRE_S = 3600.0
DOCKETS_S = 10.0
MONTHS_S = 6 * 3600.0
VIEWED_S = 5.0
COOKIE = "center"
SWITCH_S = 0.0005
"""What comes over TLS comes in pieces of 16 KiB, and after each the thread that reads it waits for its turn: with the
5 ms of Python a room that floods would hold up what the others say, which comes over the same line."""


def _note_opening(classifications: Classifications, room: KnownRoom) -> None:
    if room.told_id is not None and room.status is not None and room.status.hearing is not None:
        classifications.opened(room.address, room.told_id, room.status.hearing.get("case"))


def build(config: Config, *, client_bytes: int = CLIENT_BYTES) -> Center:
    """Open everything, in the event loop; nothing is served yet. `ConfigError` when something cannot be used."""
    data = config.storage.data
    try:
        data.mkdir(parents=True, exist_ok=True)
        store = ObjectStore(data / "objects")
        indexes = MediaIndexes(data / "indexes")
        uploads = UploadFolder(
            data / "uploads",
            reserve_bytes=int(config.storage.reserve_gib * 2**30),
            quota_bytes=int(config.storage.upload_quota_gib * 2**30),
        )
    except OSError as error:
        raise ConfigError(f"the data folder {data} cannot be used: {error.strerror}") from error
    policy = config.policy
    for warning in policy.warnings(config.plain_wires()):
        log.error("plain_wire", what=warning)
    password = config.mqtt_password()
    court = open_court(config)
    database = open_database(config.database_url)
    certificates = DeviceCertificates(database, frozenset(room.address for room in config.rooms))

    def token_is_enough(request: Request) -> bool:
        # On this machine itself http needs nothing more; a proxy in front passes no certificate on.
        here = request.url.scheme == "http" and not config.serves_tls and not config.web.https
        return here or policy.is_open

    tokens = Tokens(config.token_hashes(), certificates, taken=token_is_enough)
    record = RecordWriter(database)
    archive = RecordReader(database)
    folds = KeptFolds(database)
    audit = Audit(record)
    access = Access.open(data / "access.json", {"inspector": config.inspector, "archivist": config.archivist})
    client_id = config.mqtt.username or unguessable_client_id("wutong-center")
    shown = TlsIdentity(court.files) if config.mqtt.by_certificate else None
    broker = CenterBroker(
        BrokerAddress.of(
            config.mqtt.places,
            client_id,
            username=config.mqtt.username,
            password=password,
            tls=None if shown is None else shown.context,
        )
    )
    rooms = Rooms(config.rooms)
    rooms.twice.add(lambda room: audit.note("twice", "device", room.address, ""))
    classifications = Classifications(record, archive)
    rooms.changed.add(lambda room: _note_opening(classifications, room))  # before anybody is shown the room
    key = center_key(data)

    def accepts_plain() -> bool:
        return policy.is_open

    publisher = SignedPublisher(broker, key, accept_unsigned=accepts_plain)
    sealing = Sealing(record, archive, classifications)
    live = LiveHub(rooms, classifications, sealing, broker, publisher, client_bytes=client_bytes)
    web = config.web
    proxied = bool(web.https or web.public_origin or web.trusted_proxies)
    enrollment = Enrollment(database, key, court, proxied=proxied)
    witness = Witness(database, key, rooms, audit, broker, publisher)
    ledger = AuditLedger(
        database,
        key,
        lambda text: [publisher.tell(room, "audit-head", text, qos=1) for room in rooms.states],
        tsa_url=config.audit.tsa_url,
    )
    mishaps = Mishaps(rooms)
    signing = SigningRooms(lambda room: audit.note(SIGNS, "device", room, ""))
    ingest = Ingest(
        record,
        rooms,
        publisher,
        enrollment.keys.of,
        mishaps,
        accept_unsigned=accepts_plain,
        is_shut=certificates.is_shut,
        signing=signing,
    )
    ingest.sealed.add(sealing.said)
    for listener in (classifications.stored, rooms.stored, live.stored, witness.stored):
        ingest.stored.add(listener)
    pace = MessagePace()
    messages = RoomMessages(rooms, ingest, witness.offer, live, mishaps, pace=pace, is_shut=certificates.is_shut)
    broker.message.add(messages.take)
    dockets = Dockets(archive, publisher)
    rooms.came_back.add(dockets.came_back)
    again_s = AGAIN_S if len(config.mqtt.places) > 1 else None
    notices = Notices(archive, classifications, sealing, publisher, again_s=again_s)
    rooms.came_back.add(notices.came_back)
    app = new_app(config.name)
    origins = Origins(config.web.public_origin, "web.public_origin", names=config.tls.names)
    secure = config.web.https or (config.serves_tls and not policy.is_open)
    access.install(app, COOKIE, https=secure, audit=audit.note, outcomes=audit, origins=origins)
    app.add_middleware(UploadLines)
    tests = selftest_objects.SelfTestObjects(data / "selftests", uploads)
    selftest_objects.install(app, tokens, tests)
    max_bytes = int(config.storage.max_upload_gib * 2**30)
    objects_api.install(
        app,
        access,
        tokens,
        objects_api.Receiver(
            uploads,
            store,
            record,
            archive,
            tests,
            objects_api.ClaimJudge(enrollment.keys.of, accept_unsigned=accepts_plain, signing=signing),
            indexes,
            rooms,
        ),
        UploadGate(
            tokens,
            uploads,
            kinds=objects_api.KINDS,
            max_bytes=max_bytes,
        ),
        uploads,
        max_bytes,
        key,
    )
    timestamp_tokens.install(app, database, room_by(tokens), enrollment.keys.of)
    enrollment.install(app, audit, certified_room(tokens))
    viewed = ViewingLog(record)
    watching = LiveLog(live, rooms, audit)
    playing = PlaybackService(archive, Media(indexes), store, uploads)
    InspectorRoutes(
        access=access,
        archive=archive,
        folds=folds,
        record=record,
        rooms=rooms,
        live=live,
        playing=playing,
        audit=audit,
        viewed=viewed,
        watching=watching,
        classifications=classifications,
        sealing=sealing,
        publish_docket=dockets.tell,
        integrity=witness.of_hearing,
    ).install(app)
    grants = Grants(database, classifications)
    PartyRoutes(
        access=access,
        archive=archive,
        folds=folds,
        playing=playing,
        grants=grants,
        viewed=viewed,
        sealing=sealing,
    ).install(app)
    SealingRoutes(access, archive, sealing, rooms).install(app)
    pages.install(app, ["inspect", "view"], home="inspect")
    failed = asyncio.get_running_loop().create_future()
    tls = CenterTls(court, shown, certificates, config, policy)
    certificates.changed.add(tls.revocations.changed)
    certificates.ended.add(tls.revocations.ended)
    enrollment.changed.add(tls.look_now)
    monitoring = CenterMetrics(
        data=data,
        certificates=tls.certificate_files,
        rooms=rooms,
        broker=broker,
        ingest=ingest,
        mishaps=mishaps,
        witness=witness,
        uploads=uploads,
        database=database,
        live=live,
        audit=audit,
        enrollment=enrollment,
        devices=certificates,
    ).monitoring(config)
    monitoring.install(app)
    unrecorded = Unrecorded(archive, record, rooms, config.not_recorded_minutes)
    center = Center(
        app,
        access,
        database,
        record,
        broker,
        ingest,
        signing,
        Floods(rooms, [broker.dropped_since, ingest.dropped_since, pace.dropped_since]),
        live,
        rooms,
        audit,
        ledger,
        archive,
        folds,
        classifications,
        sealing,
        grants,
        viewed,
        playing,
        watching,
        unrecorded,
        uploads,
        tests,
        enrollment,
        witness,
        tls,
        monitoring,
        failed,
    )
    return center


@contextlib.asynccontextmanager
async def running(center: Center, host: str, port: int, *, proxies: Sequence[str] = ()) -> AsyncIterator[int]:
    """Run a center while the block runs; yields its port."""

    async def poll() -> None:
        center.rooms.poll()
        center.floods.poll()
        center.live.poll()
        center.watching.poll()

    async def demand() -> None:
        center.live.demand()

    async def devices() -> None:
        try:
            await center.enrollment.refresh()
        except StorageError as error:
            log.error("devices_not_read", why=error.message, next="those that were known go on")

    async def expire() -> None:
        await asyncio.to_thread(center.uploads.expire, time.time())

    await center.classifications.start()  # before anybody can ask
    await center.sealing.start()
    await center.grants.start()
    await center.enrollment.refresh()  # before the first event comes
    center.signing.learn(await center.archive.audited(SIGNS))
    await center.tls.start(center.rooms)
    center.broker.start()
    tasks = [
        asyncio.create_task(center.ingest.run(), name="ingest"),
        asyncio.create_task(center.witness.run(), name="witness"),
        asyncio.create_task(center.audit.run(), name="audit"),
        asyncio.create_task(center.ledger.run(), name="audit-ledger"),
        asyncio.create_task(center.record.catch_up_times(), name="times"),
        asyncio.create_task(every(POLL_S, poll), name="poll"),
        asyncio.create_task(center.live.wall.run(), name="wall"),
        *center.tls.tasks(),
        asyncio.create_task(center.tests.purge_for_ever(), name="selftests"),
        asyncio.create_task(every(DEMAND_S, demand), name="demand"),
        asyncio.create_task(every(DEVICES_S, devices), name="devices"),
        asyncio.create_task(every(EXPIRE_S, expire), name="uploads"),
        asyncio.create_task(every(DOCKETS_S, center.unrecorded.poll), name="unrecorded"),
        asyncio.create_task(every(VIEWED_S, center.viewed.poll), name="viewed"),
        asyncio.create_task(center.monitoring.run(), name="metrics"),
        asyncio.create_task(every(MONTHS_S, center.database.keep_months), name="months"),
    ]

    def ended(task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not center.failed.done():
            log.error("part_failed", part=task.get_name(), why=repr(error))
            center.failed.set_exception(error)

    for task in tasks:
        task.add_done_callback(ended)
    try:
        context, plain = center.tls.served()
        async with serving(center.app, host, port, proxies=proxies, tls=context, plain=plain) as bound:
            yield bound
    finally:
        center.watching.poll(all_of_them=True)
        await cancel_and_wait(*tasks)
        await center.viewed.poll(all_of_them=True)
        await center.playing.close()
        await _sign_last(center.ledger)
        await center.broker.stop()
        await asyncio.to_thread(center.folds.close)
        await asyncio.to_thread(center.database.close)


async def _sign_last(ledger: AuditLedger) -> None:
    try:
        await ledger.sign()
    except (StorageError, LedgerError) as error:
        log.error("audit_head_not_signed", why=error.message)


async def serve(config: Config, lifeline: Lifeline) -> None:
    """Run the center until it is canceled."""
    sys.setswitchinterval(SWITCH_S)
    center = build(config)
    # What is there now stays for good. The collector of cycles, which holds up everybody while it looks, looks at the
    # rest alone.
    gc.collect()
    gc.freeze()
    proxies = [str(one) for one in config.web.trusted_proxies]
    async with running(center, config.web.host, config.web.port, proxies=proxies) as port:
        log.info("center_ready", host=config.web.host, port=port, rooms=len(config.rooms))
        lifeline.ready()
        await center.failed
