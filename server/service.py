"""The center as a process: opens the record store, serves rooms and inspectors, and stops in order."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import structlog
from fastapi import FastAPI

from server.access.audit import Audit
from server.access.classification import Classifications
from server.access.grants import Grants
from server.access.viewing_log import ViewingLog
from server.api.inspectors import InspectorRoutes
from server.api.parties import PartyRoutes
from server.config import Config
from server.events.admission import Received
from server.ingest import objects_api, selftest_objects, timestamp_tokens
from server.ingest.mqtt import CenterBroker
from server.ingest.receipts import Ingest
from server.ingest.uploads import Tokens, UploadFolder, UploadGate
from server.inspection.unrecorded import Unrecorded
from server.integrity.enrollment import Enrollment, center_key
from server.integrity.witness import Witness
from server.live.hub import LiveHub
from server.playback.ranges import Media
from server.playback.service import PlaybackService
from server.rooms import KnownRoom, Rooms
from server.store.database import Database, open_database
from server.store.objects import ObjectStore
from server.store.reader import RecordReader
from server.store.writer import RecordWriter
from sync import topics
from sync.errors import ConfigError
from sync.http import pages
from sync.http.access import Access
from sync.http.live.tab import CLIENT_BYTES
from sync.http.serve import new_app, serving
from sync.mqtt import BrokerAddress
from sync.runtime.service import Lifeline, cancel_and_wait, every

log = structlog.get_logger(__name__)

DEMAND_S = 5.0
LOOK_S = 1.0
DOCKETS_S = 10.0
VIEWED_S = 5.0
COOKIE = "center"


@dataclass
class Center:
    """All parts of a running center."""

    app: FastAPI
    access: Access
    database: Database
    broker: CenterBroker
    ingest: Ingest
    live: LiveHub
    rooms: Rooms
    audit: Audit
    archive: RecordReader
    levels: Classifications
    grants: Grants
    viewed: ViewingLog
    unrecorded: Unrecorded
    uploads: UploadFolder
    tests: selftest_objects.SelfTestObjects
    witness: Witness
    failed: asyncio.Future[None]
    """Ends with the error of the first part that failed; the process then ends and is started again."""

    async def say_dockets(self) -> None:
        """Publish every room's docket; the broker keeps it (retained) for rooms that come later."""
        for room, body in (await self.archive.dockets()).items():
            self.broker.publish(room, topics.DOCKET, body.encode(), qos=1, retain=True)


def build(config: Config, *, client_bytes: int = CLIENT_BYTES) -> Center:
    """Open everything, in the event loop; nothing is served yet. `ConfigError` when something cannot be used."""
    data = config.storage.data
    try:
        data.mkdir(parents=True, exist_ok=True)
        store = ObjectStore(data / "objects")
        uploads = UploadFolder(data / "uploads")
    except OSError as error:
        raise ConfigError(f"the data folder {data} cannot be used: {error.strerror}") from error
    tokens = Tokens(config.token_hashes())
    password = config.mqtt_password()
    database = open_database(config.database_url)
    record = RecordWriter(database)
    archive = RecordReader(database)
    audit = Audit(record)
    access = Access.open(data / "access.json", {"inspector": config.inspector, "archivist": config.archivist})
    live = LiveHub(client_bytes=client_bytes)
    levels = Classifications(record, archive, live.rights_changed)

    def room_changed(room: KnownRoom) -> None:
        if room.told_id is not None and room.status is not None and room.status.hearing is not None:
            levels.opened(room.told_id, room.status.hearing.get("case"))
        live.room_changed(room)

    def stored(events: Sequence[Received]) -> None:
        levels.stored(events)
        for received in events:
            hearing = received.event.hearing
            if hearing is not None and received.event.kind == "open":
                rooms.opened(received.room, hearing, received.event.room_ns)
            elif hearing is not None and received.event.kind == "close":
                rooms.closed(received.room, hearing)
        live.stored(events)
        witness.stored(events)

    rooms = Rooms(config.rooms, room_changed)
    key = center_key(data)
    enrolment = Enrollment(database, key)
    witness = Witness(
        database, enrolment, key, rooms, audit, lambda room, text: broker.publish(room, topics.WITNESS, text, qos=1)
    )
    live.witness = witness.offer
    ingest = Ingest(record, rooms, stored)
    background: set[asyncio.Task[None]] = set()

    def on_link(connected: bool) -> None:
        live.link(connected)
        if connected:
            task = asyncio.get_running_loop().create_task(center.say_dockets())
            background.add(task)
            task.add_done_callback(background.discard)

    broker = CenterBroker(
        BrokerAddress(
            config.mqtt.host, config.mqtt.port, f"wutong-center-{os.getpid()}", config.mqtt.username, password
        ),
        on_message=live.message,
        on_link=on_link,
    )
    live.attach(rooms, ingest, broker)
    app = new_app(config.name)
    access.install(app, COOKIE, https=config.web.https, audit=audit.note)
    tests = selftest_objects.SelfTestObjects(data / "selftests", uploads)
    selftest_objects.install(app, tokens, tests)
    max_bytes = int(config.storage.max_upload_gib * 2**30)
    objects_api.install(
        app,
        access,
        tokens,
        objects_api.Receiver(uploads, store, record, archive, tests),
        UploadGate(
            tokens,
            uploads,
            kinds=objects_api.KINDS,
            max_bytes=max_bytes,
            reserve_bytes=int(config.storage.reserve_gib * 2**30),
        ),
        uploads,
        max_bytes,
    )
    timestamp_tokens.install(app, database, objects_api.room_by(tokens))
    enrolment.install(app, audit)
    playing = PlaybackService(archive, Media(), store, uploads)
    InspectorRoutes(
        access=access,
        archive=archive,
        record=record,
        rooms=rooms,
        live=live,
        playing=playing,
        audit=audit,
        levels=levels,
        publish_docket=lambda room, text: broker.publish(room, topics.DOCKET, text.encode(), qos=1, retain=True),
        integrity=witness.of_hearing,
    ).install(app)
    grants = Grants(database, levels)
    viewed = ViewingLog(record)
    PartyRoutes(access=access, archive=archive, record=record, playing=playing, grants=grants, viewed=viewed).install(
        app
    )
    pages.install(app, ["inspect", "view"], home="inspect")
    failed = asyncio.get_running_loop().create_future()
    unrecorded = Unrecorded(archive, record, rooms, config.not_recorded_minutes)
    center = Center(
        app,
        access,
        database,
        broker,
        ingest,
        live,
        rooms,
        audit,
        archive,
        levels,
        grants,
        viewed,
        unrecorded,
        uploads,
        tests,
        witness,
        failed,
    )
    return center


@contextlib.asynccontextmanager
async def running(center: Center, host: str, port: int) -> AsyncIterator[int]:
    """Run a center while the block runs; yields its port."""

    async def look() -> None:
        center.rooms.look()

    async def demand() -> None:
        center.live.demand()

    await center.levels.start()  # before anybody can ask
    await center.grants.start()
    center.broker.start()
    tasks = [
        asyncio.create_task(center.ingest.run(center.broker), name="ingest"),
        asyncio.create_task(center.witness.run(), name="witness"),
        asyncio.create_task(center.audit.run(), name="audit"),
        asyncio.create_task(every(LOOK_S, look), name="look"),
        asyncio.create_task(center.tests.purge_for_ever(), name="selftests"),
        asyncio.create_task(every(DEMAND_S, demand), name="demand"),
        asyncio.create_task(every(DOCKETS_S, center.unrecorded.look), name="unrecorded"),
        asyncio.create_task(every(VIEWED_S, center.viewed.look), name="viewed"),
    ]

    def ended(task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not center.failed.done():
            log.error("part_failed", part=task.get_name(), why=repr(error))
            center.failed.set_exception(error)

    for task in tasks:
        task.add_done_callback(ended)
    try:
        async with serving(center.app, host, port) as bound:
            yield bound
    finally:
        await center.broker.stop()
        await cancel_and_wait(*tasks)
        await center.viewed.look(all_of_them=True)
        await asyncio.to_thread(center.database.close)


async def serve(config: Config, lifeline: Lifeline) -> None:
    """Run the center until it is cancelled."""
    center = build(config)
    async with running(center, config.web.host, config.web.port) as port:
        log.info("center_ready", host=config.web.host, port=port, rooms=len(config.rooms))
        lifeline.ready()
        await center.failed
