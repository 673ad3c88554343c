"""The audit log: who signed in, who was refused, who looked at what.

The gate tells the outcome of every request; lines are made of them by stretches (`sync.http.audit.outcomes`). That
somebody begins to look at a hearing is on disk before they see it, and when it cannot be written they do not. All else
is written behind, in order, never blocking. Refusals of people and devices that nobody knows are counted where they
are many (`sync.http.audit.refusals`).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import structlog
from starlette.requests import HTTPConnection

from server.store.writer import RecordWriter
from sync.errors import StorageError
from sync.http.audit.outcomes import Outcome, RequestTrail, TrailLine, stretch_of
from sync.http.audit.refusals import RefusalCounter
from sync.http.audit.write_behind import write_behind
from sync.text.printable import printable

log = structlog.get_logger(__name__)

QUEUE = 10_000
DETAIL_CHARS = 8000
NOT_GRANTED = ("refused", "failed")
_STRANGERS = ("", "device")


class Audit:
    """All methods belong to one event loop."""

    def __init__(self, record: RecordWriter, now_s: Callable[[], float] = time.monotonic) -> None:
        self._record = record
        self._now_s = now_s
        self._refusals = RefusalCounter(now_s)
        self._trail = RequestTrail()
        self._beginnings: dict[tuple[object, ...], asyncio.Future[None]] = {}
        """Of stretches whose first line is being written: nobody sees anything of them before it is on disk."""
        self._writing = asyncio.Lock()
        self._rows: deque[dict[str, Any]] = deque()
        self._news = asyncio.Event()

    @property
    def waiting(self) -> int:
        """Lines that are not in the database yet."""
        return len(self._rows)

    def note(self, what: str, role: str, address: str, detail: str, person: str = "") -> None:
        """Write a line, or count a stranger's refusal; a line for which the queue is full is logged instead."""
        if what == "refused" and role in _STRANGERS and self._refusals.counts(address, detail):
            return
        self._put(what, role, address, detail, person)

    async def took(self, outcome: Outcome) -> None:
        """A request is about to be answered; `StorageError` when somebody would see a hearing and nobody could tell.

        That holds for each request of the stretch, also for those that come while its first line is being written.
        """
        line = self._trail.took(outcome, self._now_s())
        if not (outcome.reads and outcome.hearing):
            if line is not None:
                self._queue_row(_row_of(line))
            return
        stretch = stretch_of(outcome)
        if line is not None:
            self._beginnings[stretch] = asyncio.ensure_future(self._begin(stretch, outcome, _row_of(line)))
        beginning = self._beginnings.get(stretch)
        if beginning is not None:
            await asyncio.shield(beginning)

    async def _begin(self, stretch: tuple[object, ...], outcome: Outcome, row: dict[str, Any]) -> None:
        try:
            await self._write([row])
        except BaseException:
            self._trail.forget(outcome)
            raise
        finally:
            if self._beginnings.get(stretch) is asyncio.current_task():
                del self._beginnings[stretch]

    def closed(self, outcome: Outcome) -> None:
        """A WebSocket has ended."""
        self._trail.closed(outcome, self._now_s())

    def _put(self, what: str, role: str, address: str, detail: str, person: str = "") -> None:
        self._queue_row(_row(what, role, address, detail, person))

    def _queue_row(self, row: dict[str, Any]) -> None:
        if len(self._rows) >= QUEUE:
            log.warning("audit_overflow", **row)
            return
        self._rows.append(row)
        self._news.set()

    async def run(self) -> None:
        """Write for ever; what is queued when this is canceled is written first."""
        await write_behind(self._news, lambda now: self._say_counts(now=now), self._write_behind)

    def _say_counts(self, *, now: bool = False) -> None:
        for address, detail in self._refusals.due(now=now):
            self._put("refused", "", address, detail)
        for line in self._trail.due(self._now_s(), now=now):
            self._queue_row(_row_of(line))

    async def _write_behind(self) -> bool:
        try:
            await self._write([])
        except StorageError as error:
            log.error("audit_not_stored", count=len(self._rows), why=error.message, next="they are written again")
            return False
        return True

    async def _write(self, more: list[dict[str, Any]]) -> None:
        """Write what is queued, in its order, and then `more`; what could not be written stays queued, but for that.

        It goes on when whoever waits for it has left, and the next one begins after it.
        """
        await asyncio.shield(asyncio.ensure_future(self._write_now(more)))

    async def _write_now(self, more: list[dict[str, Any]]) -> None:
        async with self._writing:
            rows = list(self._rows)
            self._rows.clear()
            self._news.clear()
            if not (rows or more):
                return
            try:
                await self._record.audit([*rows, *more])
            except BaseException:
                self._rows.extendleft(reversed(rows))
                self._news.set()
                raise


def _row(what: str, role: str, address: str, detail: str, person: str = "") -> dict[str, Any]:
    return {
        "utc_ns": time.time_ns(),
        "what": what[:32],
        "role": role[:32],
        "address": address[:64],
        "detail": printable(detail.encode("utf-8", "replace").decode()[:DETAIL_CHARS]),
        "granted": what not in NOT_GRANTED,
        "person": person[:16],
    }


def _row_of(line: TrailLine) -> dict[str, Any]:
    return _row(line.what, line.role, line.address, json.dumps(line.detail, ensure_ascii=False), line.person)


def address_of(request: HTTPConnection) -> str:
    """From which address somebody asks, as the audit log has it."""
    return request.client.host if request.client else "?"
