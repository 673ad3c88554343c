"""How a room's machine is, for who looks after many: disk, certificate, version and the last self-test.

It is looked at in a thread and every `LOOK_S`, so that a disk that does not answer holds up no status. What cannot
be known is null.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import shutil
from collections.abc import Callable

import structlog

from sync.errors import LedgerError, StorageError
from sync.room.event_log import RoomLog
from sync.room.messages import MachineFacts, SelfTestSaid
from sync.room.paths import RoomPaths
from sync.tls.certificates import read_certificate

log = structlog.get_logger(__name__)

LOOK_S = 15.0
STEP_BYTES = 64 * 1024 * 1024
"""What is free is told by such steps: each byte less is no news."""


class MachineLook:
    """All methods belong to one event loop."""

    def __init__(self, layout: RoomPaths, room_log: RoomLog, pending: Callable[[], tuple[int, int]]) -> None:
        """`pending`: (events, bytes) that the center has not receipted."""
        self._layout = layout
        self._log = room_log
        self._pending = pending
        self._seen: MachineFacts | None = None

    @property
    def current(self) -> MachineFacts | None:
        """As of the last look; null before the first."""
        if self._seen is None:
            return None
        events, size = self._pending()
        return {**self._seen, "pending_events": events, "pending_bytes": size}

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Once."""
        self._seen = await asyncio.to_thread(self._look)

    def _look(self) -> MachineFacts:
        free, whole = self._disk()
        return {
            "version": _version(),
            "disk_free_bytes": free,
            "disk_bytes": whole,
            "certificate_until_utc_ms": self._certificate(),
            "selftest": self._selftest(),
        }

    def _disk(self) -> tuple[int | None, int | None]:
        try:
            found = shutil.disk_usage(self._layout.data)
        except OSError:
            return None, None
        return found.free // STEP_BYTES * STEP_BYTES, found.total

    def _certificate(self) -> int | None:
        try:
            until = read_certificate(self._layout.tls_certificate.read_bytes()).not_valid_after_utc
        except (OSError, LedgerError):
            return None
        return int(until.timestamp() * 1000)

    def _selftest(self) -> SelfTestSaid | None:
        try:
            event = self._log.last_of_kind("selftest")
            if event is None:
                return None
            tested_ns = int(event.body.get("tested_utc_ns", event.utc_ns))
            return {"utc_ms": max(tested_ns // 1_000_000, 0), "passed": event.body["passed"] is True}
        except (StorageError, KeyError, TypeError, ValueError) as error:
            log.warning("selftest_unreadable", why=str(error))
            return None


def _version() -> str:
    try:
        return importlib.metadata.version("wutong")
    except importlib.metadata.PackageNotFoundError:
        return ""
