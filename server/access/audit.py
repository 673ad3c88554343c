"""The audit log: who signed in, who was refused, who looked at what. Written behind, in order, never blocking.

Refusals of people and devices that nobody knows are counted where they are many (`server.access.refusals`).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

import structlog
from starlette.requests import HTTPConnection

from server.access.refusals import RefusalCounter
from server.store.writer import RecordWriter
from sync.errors import StorageError

log = structlog.get_logger(__name__)

QUEUE = 10_000
LOOK_S = 5.0
"""How often it is asked whether the minute of counted refusals is over."""
_STRANGERS = ("", "device")


class Audit:
    """All methods belong to one event loop."""

    def __init__(self, record: RecordWriter, now_s: Callable[[], float] = time.monotonic) -> None:
        self._record = record
        self._refusals = RefusalCounter(now_s)
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(QUEUE)

    def note(self, what: str, role: str, address: str, detail: str) -> None:
        """Write a line, or count a stranger's refusal; a line for which the queue is full is logged instead."""
        if what == "refused" and role in _STRANGERS and self._refusals.counts(address, detail):
            return
        self._put(what, role, address, detail)

    def _put(self, what: str, role: str, address: str, detail: str) -> None:
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
                rows = []
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S):
                        rows.append(await self._queue.get())
                self._say_counts()
                await self._write(rows)
        except asyncio.CancelledError:
            self._say_counts(now=True)
            await self._write([])
            raise

    def _say_counts(self, *, now: bool = False) -> None:
        for address, detail in self._refusals.due(now=now):
            self._put("refused", "", address, detail)

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
