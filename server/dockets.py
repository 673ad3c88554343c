"""Tells every room its docket: when it changes, and when the room comes back, which may have missed it."""

from __future__ import annotations

import asyncio
import json

import structlog

from server.ingest.signed_publisher import SignedPublisher
from server.rooms import KnownRoom
from server.store.reader import RecordReader
from sync.errors import StorageError

log = structlog.get_logger(__name__)


class Dockets:
    """All methods belong to one event loop."""

    def __init__(self, archive: RecordReader, publisher: SignedPublisher) -> None:
        self._archive = archive
        self._publisher = publisher
        self._telling: set[asyncio.Task[None]] = set()

    def tell(self, room: str, text: str) -> bool:
        """Tell one room its docket, as JSON text; False while the broker is away: the room is told when it is back."""
        return self._publisher.tell(room, "docket", text, before=json.loads(text), qos=1)

    def came_back(self, room: KnownRoom) -> None:
        """A room is there again."""
        task = asyncio.get_running_loop().create_task(self._tell_again(room.address))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell_again(self, room: str) -> None:
        try:
            text = await self._archive.docket(room)
        except StorageError as error:
            log.error("docket_not_read", room=room, why=error.message, next="the room keeps the one that it has")
            return
        if text is not None:
            self.tell(room, text)
