"""All parts of a running center, by their names: what `server.service` builds and runs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from fastapi import FastAPI

from server.access.audit import Audit
from server.access.classification import Classifications
from server.access.grants import Grants
from server.access.sealing import Sealing
from server.access.shared_rights import SharedRights
from server.access.shared_sessions import SharedSessions
from server.access.viewing_log import ViewingLog
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
from server.live.hub import LiveHub
from server.live.log import LiveLog
from server.objects.object_store import ObjectStore
from server.playback.service import PlaybackService
from server.rooms import Rooms
from server.store.database import Database
from server.store.kept_folds import KeptFolds
from server.store.reader import RecordReader
from server.store.writer import RecordWriter
from server.tls.center import CenterTls
from sync.http.monitoring.doors import Monitoring
from sync.http.rights.access import Access


@dataclass
class Center:
    """All parts of a running center."""

    app: FastAPI
    access: Access
    rights: SharedRights
    sessions: SharedSessions | None
    """None where one process has them, in its data folder."""
    database: Database
    record: RecordWriter
    broker: CenterBroker
    ingest: Ingest
    signing: SigningRooms
    floods: Floods
    live: LiveHub
    rooms: Rooms
    audit: Audit
    ledger: AuditLedger
    archive: RecordReader
    folds: KeptFolds
    classifications: Classifications
    sealing: Sealing
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
    failed: asyncio.Future[None]
    """Ends with the error of the first part that failed; the process then ends and is started again."""
