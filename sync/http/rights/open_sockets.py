"""WebSockets that are open, each with its session, so that they are closed in the moment in which it ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from fastapi import WebSocket

from sync.http.rights.people import Session


class OpenSockets:
    """All methods belong to one event loop."""

    def __init__(self) -> None:
        self._open: dict[int, tuple[WebSocket, Session]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def add(self, ws: WebSocket, session: Session) -> None:
        """One was accepted."""
        self._open[id(ws)] = (ws, session)

    def remove(self, ws: WebSocket) -> None:
        """One has ended."""
        self._open.pop(id(ws), None)

    def count(self, session: Session) -> int:
        """How many a session has open."""
        return sum(owner is session for _, owner in self._open.values())

    def cut(self, which: Callable[[Session], bool]) -> None:
        """Close soon, with 4401, what these sessions have open: a browser that opens it anew is judged anew."""
        for ws, owner in list(self._open.values()):
            if which(owner):
                task = asyncio.ensure_future(_close(ws))
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)

    async def close(self, session: Session) -> None:
        """Close what a session has open, and return when that was said."""
        for ws, owner in list(self._open.values()):
            if owner is session:
                await _close(ws)


async def _close(ws: WebSocket) -> None:
    with contextlib.suppress(RuntimeError, OSError):  # it may be closed already
        await ws.close(4401, "signed out")
