"""What a center says of itself to monitoring: read for each scrape from what its parts know already.

Nothing is asked of the database, and nothing that may wait is done on the event loop: the disk and the files of
certificates are looked at in a thread, each as a part of its own.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final

from server.access.audit import Audit
from server.access.shared_rights import SharedRights
from server.api import center_metrics as m
from server.api.readiness import center_readiness
from server.config import Config
from server.ingest.mishaps import Mishaps
from server.ingest.mqtt import CenterBroker
from server.ingest.receipts import Ingest
from server.ingest.uploads.tus_folder import UploadFolder
from server.integrity.enrollment import Enrollment
from server.integrity.witness import Witness
from server.leases.forward_bounds import FAILURES
from server.leases.ownership import ALONE
from server.leases.room_share import RoomShare
from server.live.hub import LiveHub
from server.objects.object_store import ObjectStore
from server.rooms import KnownRoom, Rooms
from server.store.database import Database
from server.tls.devices import DeviceCertificates
from sync.http.monitoring.alarm_labels import alarm_label
from sync.http.monitoring.certificate_ends import ends_of, read_ends
from sync.http.monitoring.doors import Monitoring
from sync.http.monitoring.readiness import Readiness
from sync.http.monitoring.readings import Readings
from sync.http.monitoring.scrape import Reader, Scrape
from sync.runtime.logs.metrics import LoopDelay
from sync.runtime.units import NS_PER_S

REFUSED_CODES: Final = ("not-enrolled", "signature", "unsigned", "form", "malformed", "conflict", "foreign")
WITNESS_CODES: Final = ("fork", "signature", "device", "form")


@dataclass(frozen=True)
class CenterMetrics:
    """Reads the parts of one center. All methods belong to its event loop."""

    data: Path
    objects: ObjectStore
    certificates: dict[str, Path]
    """name -> file of each certificate of the center's own."""
    rooms: Rooms
    broker: CenterBroker
    ingest: Ingest
    mishaps: Mishaps
    witness: Witness
    uploads: UploadFolder
    database: Database
    live: LiveHub
    audit: Audit
    enrollment: Enrollment
    devices: DeviceCertificates
    rights: SharedRights
    owns: Callable[[str], bool] = lambda room: True
    """Of several processes each says what it knows of its own rooms."""
    role: str = ALONE
    share: RoomShare | None = None
    """None where there is one process."""
    loop_delay: LoopDelay = field(default_factory=LoopDelay)

    def monitoring(self, config: Config) -> Monitoring:
        """The monitoring of this center, with the doors that its configuration wants."""
        reserve_bytes = int(config.storage.reserve_gib * 2**30)
        readiness = center_readiness(
            self.data,
            reserve_bytes,
            self.objects,
            self.database,
            self.broker,
            self.rights,
            role="" if self.role == ALONE else self.role,
            not_taken_over=None if (share := self.share) is None else lambda: share.lacks,
        )
        return Monitoring(config.metrics, self._scrape(readiness), readiness, self.loop_delay)

    def _scrape(self, readiness: Readiness) -> Scrape:
        parts: dict[str, Reader] = {
            "center": self.read_center,
            "rooms": self.read_rooms,
            "ingest": self.read_ingest,
            "leases": self.read_leases,
            "live": self.read_live,
            "disk": self.read_disk,
            "certificates": self.read_certificates,
            "readiness": readiness.read,
        }
        return Scrape(m.CATALOG, parts)

    async def read_center(self, readings: Readings) -> None:
        """What is of the center as a whole."""
        readings.set(m.CENTER, 1, version("wutong"), self.role)
        readings.set(m.BROKER, self.broker.connected)
        readings.set(m.BROKER_BACKLOG, self.broker.backlog_bytes)
        readings.set(m.AUDIT_WAITING, self.audit.waiting)
        readings.set(m.LOOP_DELAY, self.loop_delay.longest_s)
        readings.durations(m.DATABASE_WRITE, self.database.write_durations.read())
        readings.set(m.DATABASE_QUEUE, self.database.waiting)
        for act in ("read", "write"):
            readings.set(m.DATABASE_FAILED, self.database.failed[act], act)

    async def read_rooms(self, readings: Readings) -> None:
        """What is of single rooms."""
        states = [room for room in self.rooms.current.values() if self.owns(room.address)]
        readings.set(m.ROOMS, len(states))
        readings.set(m.IN_HEARING, sum(room.online and room.live_id is not None for room in states))
        tls, signing = self.devices.ends(), self.enrollment.keys.ends()
        now_s = time.time()
        for room in states:
            address = room.address
            readings.set(m.ONLINE, room.online, address)
            readings.set(m.CLOCK, _ahead_s(room), address)
            for name, ends in (("tls", tls), ("device", signing)):
                if address in ends:
                    readings.set(m.ROOM_CERTIFICATE, ends[address] - now_s, address, name)
            for code, count in _alarms(room).items():
                readings.set(m.ALARMS, count, address, code)

    async def read_ingest(self, readings: Readings) -> None:
        """What comes from the rooms and becomes part of the record."""
        ingest, witness = self.ingest, self.witness
        readings.set(m.EVENTS, ingest.stored_events)
        readings.set(m.EVENTS_AGAIN, ingest.events_again)
        readings.set(m.UNSTORED, ingest.events_not_stored)
        readings.durations(m.RECEIPT, ingest.answered_after.read())
        refused = ingest.refused + ingest.refused_events
        refused["malformed"] += ingest.malformed
        for code in REFUSED_CODES:
            readings.set(m.REFUSED, refused[code], code)
        readings.set(m.MESSAGES_REFUSED, self.mishaps.refused)
        readings.set(m.MESSAGES_FAILED, self.mishaps.failed)
        for inbox, part in (("broker", self.broker), ("events", ingest)):
            readings.set(m.INBOX, part.waiting, inbox)
            readings.set(m.INBOX_DROPPED, part.dropped, inbox)
        readings.set(m.WITNESS_QUEUE, witness.waiting)
        readings.set(m.WITNESSED, witness.answered)
        for code in WITNESS_CODES:
            readings.set(m.WITNESS_REFUSED, witness.refused[code], code)
        own = [room for room in self.rooms.current if self.owns(room)]
        readings.set(m.UPLOADS, sum(self.uploads.unfinished(room) for room in own))
        readings.set(m.UPLOAD_BYTES, sum(self.uploads.outstanding(room) for room in own))

    async def read_leases(self, readings: Readings) -> None:
        """What one of several processes owns, and what it hands on."""
        share = self.share
        if share is None:
            return
        keeper, forwarding = share.keeper, share.forwarding
        ready = sum(keeper.owns(room) for room in self.rooms.current)
        readings.set(m.LEASES, keeper.count)
        readings.set(m.ROOMS_OWNED, ready, "ready")
        readings.set(m.ROOMS_OWNED, sum(keeper.has(room) for room in self.rooms.current) - ready, "preparing")
        readings.set(m.TAKE_OVERS, share.take_overs)
        readings.set(m.TAKE_OVERS_FAILED, share.take_overs_failed)
        readings.set(m.ROUNDS_FAILED, keeper.rounds_failed)
        readings.set(m.ROUND_AGE, keeper.round_age_s)
        readings.set(m.FORWARDING, forwarding.under_way)
        readings.set(m.FORWARDED, forwarding.answered)
        for code in FAILURES:
            readings.set(m.FORWARD_FAILED, forwarding.failed[code], code)

    async def read_live(self, readings: Readings) -> None:
        """What is watched."""
        gateway = self.live.gateway
        readings.set(m.CLIENTS, len(gateway.tabs))
        readings.set(m.WATCHED, len(gateway.watched))
        readings.set(m.FRAGMENTS, gateway.fragments)

    async def read_disk(self, readings: Readings) -> None:
        """The volume of the store."""
        usage = await asyncio.to_thread(shutil.disk_usage, self.data)
        readings.set(m.DISK_FREE, usage.free)
        readings.set(m.DISK_SIZE, usage.total)

    async def read_certificates(self, readings: Readings) -> None:
        """What the center itself shows."""
        read_ends(readings, m.CERTIFICATE, await asyncio.to_thread(ends_of, self.certificates))


def _ahead_s(room: KnownRoom) -> float | None:
    status = room.status
    if status is None or not room.online or room.seen_utc_ns is None or not status.at_utc_ns:
        return None
    return (status.at_utc_ns - room.seen_utc_ns) / NS_PER_S


def _alarms(room: KnownRoom) -> Counter[str]:
    """By code: what the center raised, what the room says of itself, and what its recorder says, while it is online."""
    found = Counter(alarm_label(code) for code in room.alarms)
    status = room.status
    if status is not None and room.online:
        recorder = (status.recorder or {}).get("alarms")
        said = [*status.alarms, *(recorder if isinstance(recorder, list) else [])]
        found.update(alarm_label(alarm.get("code")) for alarm in said if isinstance(alarm, dict))
    return found
