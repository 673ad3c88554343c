"""The audit log: who signed in, who was refused, who looked at what. Written behind, in order, never blocking."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import structlog
from starlette.requests import HTTPConnection

from server.store.writer import RecordWriter
from sync.errors import StorageError

log = structlog.get_logger(__name__)

QUEUE = 10_000


class Audit:
    """All methods belong to one event loop."""

    def __init__(self, record: RecordWriter) -> None:
        self._record = record
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(QUEUE)

    def note(self, what: str, role: str, address: str, detail: str) -> None:
        """Write a line; a full queue (someone hammers the door) is logged instead."""
        row = {
            "utc_ns": time.time_ns(),
            "what": what[:32],
            "role": role[:32],
            "address": address[:64],
            "detail": detail.encode("utf-8", "replace").decode()[:500],
            "granted": what != "refused",
        }
        try:
            self._queue.put_nowait(row)
        except asyncio.QueueFull:
            log.warning("audit_overflow", **row)

    async def run(self) -> None:
        """Write for ever; what is queued when this is canceled is written first."""
        try:
            while True:
                await self._write([await self._queue.get()])
        except asyncio.CancelledError:
            await self._write([])
            raise

    async def _write(self, rows: list[dict[str, Any]]) -> None:
        while not self._queue.empty() and len(rows) < QUEUE:
            rows.append(self._queue.get_nowait())
        if rows:
            try:
                await self._record.audit(rows)
            except StorageError as error:
                log.error("audit_not_stored", count=len(rows), why=error.message)


def address_of(request: HTTPConnection) -> str:
    """From which address somebody asks, as the audit log has it."""
    return request.client.host if request.client else "?"
