"""What a machine that keeps copies says of itself to monitoring: what it kept, what it refused, and its disk.

A label names a room of its list, a kind of file or a code, never a hearing or a case.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final

from server.ingest.uploads.tus_folder import UploadFolder
from sync.http.monitoring.catalog import MetricCatalog
from sync.http.monitoring.certificate_ends import ends_of, read_ends
from sync.http.monitoring.doors import Monitoring
from sync.http.monitoring.folder_probe import written_and_free
from sync.http.monitoring.readiness import READY, READY_PART, Readiness, ReadyPart
from sync.http.monitoring.readings import Readings
from sync.http.monitoring.scrape import Scrape
from sync.http.monitoring.settings import MetricsSettings
from sync.runtime.logs.metrics import LoopDelay

CATALOG = MetricCatalog(READY, READY_PART)
COPIES = CATALOG.info("wutong_copies", "The machine that keeps copies, by its version.", "version")
ROOMS = CATALOG.gauge("wutong_copies_rooms", "Courtrooms on the list of those whose copies are kept.")
STORED = CATALOG.counter("wutong_copies_stored", "Files that were kept and receipted, by their kind.", "kind")
STORED_BYTES = CATALOG.counter("wutong_copies_stored_bytes", "Bytes of these files.")
AGAIN = CATALOG.counter("wutong_copies_again", "Files that were there already and were receipted once more.")
REPLACED = CATALOG.counter(
    "wutong_copies_replaced", "Files in whose place another lay under the same name; that one is kept beside."
)
REFUSED = CATALOG.counter(
    "wutong_copies_refused", "Files that were claimed and not kept, by the reason; their room tries again.", "code"
)
LAST = CATALOG.gauge(
    "wutong_copies_last_stored_age_seconds", "How long ago a file of a room was kept last, in this life.", "room"
)
UPLOADS = CATALOG.gauge("wutong_copies_uploads", "Uploads that are no copies yet.")
UPLOAD_BYTES = CATALOG.gauge("wutong_copies_upload_bytes", "Bytes of uploads that are no copies yet.")
DISK_FREE = CATALOG.gauge("wutong_copies_disk_free_bytes", "Free space on the volume of the copies.")
DISK_SIZE = CATALOG.gauge("wutong_copies_disk_size_bytes", "Size of the volume of the copies.")
CERTIFICATE = CATALOG.gauge(
    "wutong_copies_certificate_left_seconds", "How long the machine's certificate still lasts.", "certificate"
)
LOOP_DELAY = CATALOG.gauge("wutong_copies_loop_delay_seconds", "The longest that the event loop came late in a minute.")

REFUSED_CODES: Final = ("checksum", "forbidden", "invalid", "not-found", "signature", "storage")
OTHER: Final = "other"
_NOT_WRITTEN = "副本目录无法写入 (the folder of the copies cannot be written)"
_FULL = "副本磁盘剩余空间低于保留值，上传等待 (less than the reserve is free on the disk of the copies; uploads wait)"


@dataclass
class CopyCounts:
    """What was claimed in this life."""

    stored: Counter[str] = field(default_factory=Counter)
    """By kind."""
    stored_bytes: int = 0
    again: int = 0
    replaced: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """By code."""
    last_s: dict[str, float] = field(default_factory=dict)
    """`court/room` -> when something of it was kept last, on this machine's monotonic clock."""

    def kept(self, room: str, kind: str, size: int, *, fresh: bool) -> None:
        """A file is kept, and was not there before if it is `fresh`."""
        self.last_s[room] = time.monotonic()
        if fresh:
            self.stored[kind] += 1
            self.stored_bytes += size
        else:
            self.again += 1


@dataclass(frozen=True)
class CopyMetrics:
    """Reads one such machine. All methods belong to its event loop."""

    data: Path
    uploads: UploadFolder
    rooms: Collection[str]
    kinds: Collection[str]
    counts: CopyCounts
    reserve_bytes: int
    certificates: Mapping[str, Path]
    """name -> file."""
    loop_delay: LoopDelay = field(default_factory=LoopDelay)

    def monitoring(self, settings: MetricsSettings) -> Monitoring:
        """Its monitoring, with the doors that are wanted."""
        readiness = Readiness({"store": ReadyPart(self._writes_store)})
        parts = {
            "copies": self.read_copies,
            "uploads": self.read_uploads,
            "disk": self.read_disk,
            "certificates": self.read_certificates,
            "readiness": readiness.read,
        }
        return Monitoring(settings, Scrape(CATALOG, parts), readiness, self.loop_delay)

    async def read_copies(self, readings: Readings) -> None:
        """What was kept and what was refused."""
        counts, now_s = self.counts, time.monotonic()
        readings.set(COPIES, 1, version("wutong"))
        readings.set(LOOP_DELAY, self.loop_delay.longest_s)
        readings.set(ROOMS, len(self.rooms))
        for kind in sorted(self.kinds):
            readings.set(STORED, counts.stored[kind], kind)
        readings.set(STORED_BYTES, counts.stored_bytes)
        readings.set(AGAIN, counts.again)
        readings.set(REPLACED, counts.replaced)
        known = {code: counts.refused[code] for code in REFUSED_CODES}
        for code, count in known.items():
            readings.set(REFUSED, count, code)
        readings.set(REFUSED, counts.refused.total() - sum(known.values()), OTHER)
        for room in sorted(self.rooms):
            if room in counts.last_s:
                readings.set(LAST, now_s - counts.last_s[room], room)

    async def read_uploads(self, readings: Readings) -> None:
        """What is on its way."""
        readings.set(UPLOADS, len(await self.uploads.list_uids()))
        readings.set(UPLOAD_BYTES, sum(self.uploads.outstanding(room) for room in self.rooms))

    async def read_disk(self, readings: Readings) -> None:
        """The volume of the copies."""
        usage = await asyncio.to_thread(shutil.disk_usage, self.data)
        readings.set(DISK_FREE, usage.free)
        readings.set(DISK_SIZE, usage.total)

    async def read_certificates(self, readings: Readings) -> None:
        """What it shows, where it serves HTTPS."""
        read_ends(readings, CERTIFICATE, await asyncio.to_thread(ends_of, self.certificates))

    async def _writes_store(self) -> str:
        try:
            free = await asyncio.to_thread(written_and_free, self.data)
        except OSError:
            return _NOT_WRITTEN
        return _FULL if free < self.reserve_bytes else ""
