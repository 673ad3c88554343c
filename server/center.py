"""All parts of a running center, by their names: what `server.service` builds and runs."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import structlog
from fastapi import FastAPI

from server.access.audit import Audit
from server.access.classification import Classifications
from server.access.grants import Grants
from server.access.heard_furthest import HeardFurthest
from server.access.sealing import Sealing
from server.access.shared_rights import SharedRights
from server.access.shared_sessions import SharedSessions
from server.access.viewing_log import ViewingLog
from server.fleet.kept_facts import KeptFacts
from server.fleet.room_register import RoomRegister
from server.ingest import selftest_objects
from server.ingest.floods import Floods
from server.ingest.mqtt import CenterBroker
from server.ingest.receipts import Ingest
from server.ingest.signing_rooms import SigningRooms
from server.ingest.uploads.tus_folder import UploadFolder
from server.inspection.unrecorded import Unrecorded
from server.integrity.audit_ledger import AuditLedger
from server.integrity.enrollment import Enrollment
from server.integrity.witness import Witness
from server.leases.room_share import RoomShare
from server.live.hub import LiveHub
from server.live.log import LiveLog
from server.objects.object_store import ObjectStore
from server.people.parts import PeopleParts
from server.playback.service import PlaybackService
from server.rooms import Rooms
from server.store.database import Database
from server.store.kept_folds import KeptFolds
from server.store.reader import RecordReader
from server.store.writer import RecordWriter
from server.tls.center import CenterTls
from sync.errors import LedgerError, StorageError
from sync.http.monitoring.doors import Monitoring
from sync.http.rights.access import Access

log = structlog.get_logger(__name__)


@dataclass
class Center:
    """All parts of a running center."""

    app: FastAPI
    access: Access
    rights: SharedRights
    sessions: SharedSessions | None
    """None where one process has them, in its data folder."""
    persons: PeopleParts
    named_courts: list[tuple[str, str]]
    """(slug, name) of the courts of configured rooms."""
    database: Database
    record: RecordWriter
    broker: CenterBroker
    ingest: Ingest
    signing: SigningRooms
    floods: Floods
    live: LiveHub
    rooms: Rooms
    register: RoomRegister
    facts: KeptFacts
    audit: Audit
    ledger: AuditLedger
    archive: RecordReader
    folds: KeptFolds
    classifications: Classifications
    sealing: Sealing
    furthest: HeardFurthest
    grants: Grants
    viewed: ViewingLog
    playing: PlaybackService
    watching: LiveLog
    unrecorded: Unrecorded
    uploads: UploadFolder
    tests: selftest_objects.SelfTestObjects
    objects: ObjectStore
    enrollment: Enrollment
    witness: Witness
    tls: CenterTls
    monitoring: Monitoring
    share: RoomShare | None
    """How this process shares the rooms with others; None where it is the only one."""
    failed: asyncio.Future[None]
    """Ends with the error of the first part that failed; the process then ends and is started again."""

    @property
    def is_gateway(self) -> bool:
        """Whether this process leaves all rooms to others."""
        return self.share is not None and self.share.keeper.mine.is_gateway

    async def poll(self) -> None:
        """What is looked at about once a second."""
        self.rooms.poll()
        self.floods.poll()
        self.live.poll()
        self.watching.poll()

    async def demand(self) -> None:
        """Say again what is watched."""
        self.live.demand()

    async def refresh_devices(self) -> None:
        """Read which devices may sign now."""
        try:
            await self.enrollment.refresh()
        except StorageError as error:
            log.error("devices_not_read", why=error.message, next="those that were known go on")

    async def expire_uploads(self) -> None:
        """Drop uploads that have lost their rooms."""
        await asyncio.to_thread(self.uploads.expire, time.time())

    async def look_at_store(self) -> None:
        """Whether the store of objects is there."""
        await asyncio.to_thread(self.objects.look)

    async def sign_last(self) -> None:
        """Sign the audit log's head at the end of the process."""
        try:
            await self.ledger.sign()
        except (StorageError, LedgerError) as error:
            log.error("audit_head_not_signed", why=error.message)
