"""The room's own audit: who signed in, who was refused, what the clerk looked at, as events `access` of the room's log.

The lines are those of the center's audit log (`sync.http.audit.outcomes`), by stretches, and reach the center as every
event does. Written behind, in order: the clerk's work waits for none of it, and what the log does not take is tried
again.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from sync.errors import StorageError
from sync.http.audit.outcomes import Outcome, RequestTrail, TrailLine
from sync.http.audit.refusals import RefusalCounter
from sync.http.audit.write_behind import write_behind
from sync.record.bodies.media import AccessBody
from sync.text.printable import printable

log = structlog.get_logger(__name__)

MOST_WAITING = 2000
ADDRESS_CHARS = 64
DETAIL_CHARS = 500
_STRANGERS = ("", "device", "display")

Append = Callable[[AccessBody], Awaitable[object]]
"""Writes one event `access`; `StorageError` when it is not on disk."""


class RoomAudit:
    """All methods belong to one event loop."""

    def __init__(
        self, append: Append, hearing: Callable[[], str | None], now_s: Callable[[], float] = time.monotonic
    ) -> None:
        """`hearing()` is the one that the panel shows, which most of its routes do not name."""
        self._append = append
        self._hearing = hearing
        self._now_s = now_s
        self._refusals = RefusalCounter(now_s)
        self._trail = RequestTrail()
        self._waiting: deque[AccessBody] = deque()
        self._news = asyncio.Event()

    def note(self, what: str, role: str, address: str, detail: str, person: str = "") -> None:
        """Write that somebody signed in or out, or was refused; many refusals of strangers are counted."""
        if what == "refused" and role in _STRANGERS and self._refusals.counts(address, detail):
            return
        said = {"said": printable(detail[:DETAIL_CHARS])} if detail else {}
        self._put(what, role, address, said | ({"person": person} if person else {}))

    async def took(self, outcome: Outcome) -> None:
        """A request of the clerk is about to be answered."""
        line = self._trail.took(outcome, self._now_s())
        if line is not None:
            self._put_line(line)

    def closed(self, outcome: Outcome) -> None:
        """A WebSocket has ended."""
        self._trail.closed(outcome, self._now_s())

    async def run(self) -> None:
        """Write for ever; what waits when this is canceled is written first."""
        await write_behind(self._news, lambda now: self._end(now=now), self._write)

    def _end(self, *, now: bool = False) -> None:
        for address, detail in self._refusals.due(now=now):
            self._put("refused", "", address, {"said": detail})
        for line in self._trail.due(self._now_s(), now=now):
            self._put_line(line)

    def _put_line(self, line: TrailLine) -> None:
        detail = {name: _shown(value) for name, value in line.detail.items()}
        named = {"person": line.person} if line.person else {}
        self._put(line.what, line.role, line.address, detail | named)

    def _put(self, what: Any, role: str, address: str, detail: dict[str, Any]) -> None:
        if len(self._waiting) >= MOST_WAITING:
            log.warning("room_audit_overflow", what=what, role=role, address=address)
            return
        body: AccessBody = {"what": what, "role": role, "address": address[:ADDRESS_CHARS], "detail": detail}
        hearing = self._hearing() if role and role not in _STRANGERS else None
        self._waiting.append(body if hearing is None else {**body, "hearing": hearing})
        self._news.set()

    async def _write(self) -> bool:
        self._news.clear()
        while self._waiting:
            try:
                await self._append(self._waiting[0])
            except StorageError as error:
                log.error("room_audit_waits", count=len(self._waiting), why=error.message)
                self._news.set()
                return False
            self._waiting.popleft()
        return True


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value[:DETAIL_CHARS])
    return [_shown(item) for item in value] if isinstance(value, list) else value
