"""The center as a process: opens the record store, serves rooms and inspectors, and stops in order."""

from __future__ import annotations

import asyncio
import sys

import structlog
from fastapi import Request

from server.access.audit import Audit
from server.access.center_people import open_people
from server.access.classification import Classifications
from server.access.grants import Grants
from server.access.heard_furthest import HeardFurthest
from server.access.sealing import Sealing
from server.access.shared_rights import SharedRights
from server.access.viewing_log import ViewingLog
from server.api.archive import ArchiveRoutes
from server.api.inspectors import InspectorRoutes
from server.api.metrics import CenterMetrics
from server.api.parties import PartyRoutes
from server.api.sealing import SealingRoutes
from server.center import Center
from server.config import Config
from server.dockets import Dockets
from server.entrance.opened import EntranceNames, install_entrance
from server.fleet.fleet_parts import FleetParts
from server.fleet.kept_facts import KeptFacts
from server.fleet.room_register import RoomRegister
from server.ingest import objects_api, selftest_objects, timestamp_tokens
from server.ingest.floods import Floods
from server.ingest.message_pace import MessagePace
from server.ingest.mishaps import Mishaps
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
from server.leases.center_process import CenterProcess
from server.leases.forward_pass import PassSealer
from server.leases.ownership import owned_by
from server.leases.process_broker import broker_account, open_broker
from server.leases.room_share import share_rooms
from server.leases.stored_elsewhere import StoredElsewhere
from server.live.hub import LiveHub
from server.live.log import LiveLog
from server.live.messages import RoomMessages
from server.notices import AGAIN_S, Notices
from server.objects.media_indexes import MediaIndexes
from server.objects.opened import open_objects
from server.overview.overview_api import OverviewRoutes
from server.people.parts import open_parts
from server.playback.ranges import Media
from server.playback.service import PlaybackService
from server.rooms import KnownRoom, Rooms
from server.roster.roster_api import RosterRoutes
from server.running import running
from server.store.archive.archive_reader import ArchiveReader
from server.store.database import open_database
from server.store.kept_folds import KeptFolds
from server.store.reader import RecordReader
from server.store.writer import RecordWriter
from server.tls.center import CenterTls, fingerprint_of, open_court
from server.tls.devices import DeviceCertificates
from sync.errors import ConfigError
from sync.http import pages
from sync.http.live.tab import CLIENT_BYTES
from sync.http.rights.origins import Origins
from sync.http.serve import new_app
from sync.ledger.keys import CENTER
from sync.ledger.note import Verifier
from sync.runtime.listeners import Listeners
from sync.runtime.process.collector import keep_collector_away
from sync.runtime.process.service import Lifeline, cancel_and_wait
from sync.tls.identity import TlsIdentity

log = structlog.get_logger(__name__)

COOKIE = "center"
SWITCH_S = 0.0005
"""What comes over TLS comes in pieces of 16 KiB, and after each the thread that reads it waits for its turn: with the
5 ms of Python a room that floods would hold up what the others say, which comes over the same line."""


def _note_opening(classifications: Classifications, room: KnownRoom) -> None:
    if room.told_id is not None and room.status is not None and room.status.hearing is not None:
        classifications.opened(room.address, room.told_id, room.status.hearing.get("case"))


def build(config: Config, mine: CenterProcess | None = None, *, client_bytes: int = CLIENT_BYTES) -> Center:
    """Open everything, in the event loop; nothing is served yet. `mine`: which of several processes this is.
    `ConfigError` when something cannot be used."""
    data = config.storage.data
    try:
        data.mkdir(parents=True, exist_ok=True)
        store = open_objects(config)
        indexes = MediaIndexes(data / "indexes")
        uploads = UploadFolder(
            data / "uploads",
            reserve_bytes=int(config.storage.reserve_gib * 2**30),
            quota_bytes=int(config.storage.upload_quota_gib * 2**30),
            shared=mine is not None,
        )
    except OSError as error:
        raise ConfigError(f"the data folder {data} cannot be used: {error.strerror}") from error
    policy = config.policy
    for warning in policy.warnings(config.plain_wires()):
        log.error("plain_wire", what=warning)
    court = open_court(config, broker_account(mine))
    database = open_database(config.database_url)
    rooms = Rooms(config.rooms)
    certificates = DeviceCertificates(database, rooms)

    def token_is_enough(request: Request) -> bool:
        # On this machine itself http needs nothing more; a proxy in front passes no certificate on.
        here = request.url.scheme == "http" and not config.serves_tls and not config.web.https
        return here or policy.is_open

    tokens = Tokens(config.token_hashes(), certificates, taken=token_is_enough)
    record = RecordWriter(database)
    archive = RecordReader(database)
    folds = KeptFolds(database)
    audit = Audit(record)
    rights = SharedRights(database)
    access, sessions = open_people(data, config, database, rights)
    broker, shown = open_broker(config, court, mine)
    register = RoomRegister(database, rights, rooms, config.rooms)
    persons = open_parts(data, config.name, config.people, database, rights, access, rooms)
    ownership = owned_by(mine, database, list(rooms.current))
    rooms.twice.add(ownership.of_own(lambda room: audit.note("twice", "device", room.address, "")))
    classifications = Classifications(record, archive, rights)
    rooms.changed.add(lambda room: _note_opening(classifications, room))  # before anybody is shown the room
    key = center_key(data)

    def accepts_plain() -> bool:
        return policy.is_open

    publisher = SignedPublisher(broker, key, accept_unsigned=accepts_plain, utc_ns=rights.utc_ns)
    sealing = Sealing(record, classifications, rights)
    live = LiveHub(rooms, classifications, sealing, broker, publisher, client_bytes=client_bytes, rights=rights)
    web = config.web
    proxied = bool(web.https or web.public_origin or web.trusted_proxies)
    enrollment = Enrollment(database, key, court, proxied=proxied)
    witness = Witness(database, key, rooms, audit, broker, publisher)
    ledger = AuditLedger(
        database,
        key,
        lambda text: [publisher.tell(room, "audit-head", text, qos=1) for room in rooms.current],
        tsa_url=config.audit.tsa_url,
        is_mine=ownership.owns_first,
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
        owns=ownership.owns,
    )
    ingest.sealed.add(sealing.said)
    for listener in (classifications.stored, persons.reaches.stored, rooms.stored, live.stored, witness.stored):
        ingest.stored.add(listener)
    pace = MessagePace()
    elsewhere = StoredElsewhere(database, Verifier(CENTER, key.public_key()), rights, ownership.owns)
    for told in (classifications.stored, persons.reaches.stored, rooms.stored):
        elsewhere.read.add(told)
    elsewhere.stored.add(live.stored)
    messages = RoomMessages(
        rooms, ingest, witness.offer, live, mishaps, pace=pace, is_shut=certificates.is_shut, owns=ownership.owns
    )
    messages.stored_elsewhere(elsewhere.take)
    broker.message.add(messages.take)
    dockets = Dockets(archive, publisher)
    again_s = AGAIN_S if len(config.mqtt.places) > 1 else None
    to_tell = Listeners[[KnownRoom]]()
    tell_own = ownership.of_own(to_tell.notify)
    notices = Notices(archive, classifications, sealing, publisher, rights, again_s=again_s, again=tell_own)
    for tell in (dockets.came_back, notices.came_back):
        to_tell.add(tell)
    rooms.came_back.add(tell_own)
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
        UploadGate(tokens, uploads, kinds=objects_api.KINDS, max_bytes=max_bytes),
        uploads,
        max_bytes,
        key,
    )
    timestamp_tokens.install(app, database, room_by(tokens), enrollment.keys.of)
    enrollment.install(app, audit, certified_room(tokens))
    viewed = ViewingLog(record)
    watching = LiveLog(live, rooms, audit)
    unrecorded = Unrecorded(archive, record, rooms, config.not_recorded_minutes, owns=ownership.owns)
    share = None
    if ownership.keeper is not None:
        share = share_rooms(
            ownership.keeper,
            database,
            broker,
            rooms,
            live,
            uploads,
            publisher,
            elsewhere,
            [record, witness, unrecorded],
            lambda: signing.read(archive),
            to_tell.notify,
        )
        to_others = shown or TlsIdentity(court.files)
        share.install(app, tokens, PassSealer(key), to_others.context if config.serves_tls else None)
    playing = PlaybackService(archive, Media(indexes), store, uploads, freshen=None if share is None else share.freshen)
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
        reaches=persons.reaches,
    ).install(app)
    ArchiveRoutes(
        access=access,
        archive=ArchiveReader(database),
        classifications=classifications,
        sealing=sealing,
        reaches=persons.reaches,
    ).install(app)
    grants = Grants(database, classifications, rights, utc_ns=rights.utc_ns)
    PartyRoutes(
        access=access,
        archive=archive,
        folds=folds,
        playing=playing,
        grants=grants,
        viewed=viewed,
        sealing=sealing,
        reaches=persons.reaches,
    ).install(app)
    furthest = HeardFurthest(database, rooms, sealing, rights, lambda: live.rooms_with_parts)
    SealingRoutes(access, archive, sealing, furthest).install(app)
    names = EntranceNames(config.name, COOKIE)
    install_entrance(app, names, config.people, database, persons, access, key, room_by(tokens), rights.utc_s)
    RosterRoutes(access, database, persons).install(app)
    OverviewRoutes(access, database, persons.known).install(app)
    pages.install(app, ["inspect", "view", "admin", "account"], home="inspect")
    failed = asyncio.get_running_loop().create_future()
    tls = CenterTls(court, shown, certificates, config, policy, lambda: rooms.current.keys())
    rooms.added.add(lambda room: tls.bear(room.address))
    facts = KeptFacts(database, rooms, ownership.owns)
    FleetParts(access, database, rooms, register, enrollment, tls.look_now, persons.known, live.visited.notify).install(
        app, config, fingerprint_of(court, key), room_by(tokens)
    )
    certificates.changed.add(tls.revocations.changed)
    certificates.ended.add(tls.revocations.ended)
    enrollment.changed.add(tls.look_now)
    monitoring = CenterMetrics(
        data=data,
        objects=store,
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
        rights=rights,
        owns=ownership.owns,
        role=ownership.role,
        share=share,
    ).monitoring(config)
    monitoring.install(app)
    center = Center(
        app,
        access,
        rights,
        sessions,
        persons,
        [(room.court, room.court_name) for room in config.rooms],
        database,
        record,
        broker,
        ingest,
        signing,
        Floods(rooms, [broker.dropped_since, ingest.dropped_since, pace.dropped_since]),
        live,
        rooms,
        register,
        facts,
        audit,
        ledger,
        archive,
        folds,
        classifications,
        sealing,
        furthest,
        grants,
        viewed,
        playing,
        watching,
        unrecorded,
        uploads,
        tests,
        store,
        enrollment,
        witness,
        tls,
        monitoring,
        share,
        failed,
    )
    return center


async def serve(config: Config, lifeline: Lifeline, mine: CenterProcess | None = None) -> None:
    """Run the center, or this process of it, until it is canceled."""
    sys.setswitchinterval(SWITCH_S)
    center = build(config, mine)
    proxies = [str(one) for one in config.web.trusted_proxies]
    async with running(center, config.web.host, config.web.port, proxies=proxies) as port:
        keeping = asyncio.create_task(keep_collector_away(), name="collector")
        log.info("center_ready", host=config.web.host, port=port, rooms=len(center.rooms.current))
        lifeline.ready()
        try:
            await center.failed
        finally:
            await cancel_and_wait(keeping)
