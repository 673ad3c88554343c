"""Events in, receipts out: valid events are stored in batches, and a receipt leaves only after the commit.

Malformed messages are counted, logged and dropped; they never stop the ingest. A room is told which of its events are
refused, so that they hold up no other; a person hears why by the room's alarm. When the store cannot take a batch
nothing of it is receipted, and the rooms say it again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence

import structlog

from server.events.admission import Received, number_of, read_event
from server.ingest.mqtt import CenterBroker
from server.rooms import Rooms
from server.store.writer import BatchOutcome, RecordWriter
from sync import topics
from sync.errors import CenterError, StorageError
from sync.record.sealed_parts import SealedPart
from sync.runtime.listeners import Listeners

log = structlog.get_logger(__name__)

QUEUE = 20_000
BATCH = 500


class Ingest:
    """All methods belong to one event loop."""

    def __init__(self, record: RecordWriter, rooms: Rooms, broker: CenterBroker) -> None:
        self._record = record
        self._rooms = rooms
        self._broker = broker
        self.stored = Listeners[[Sequence[Received]]]()
        """Told of the events that are new, after they are on disk."""
        self.sealed = Listeners[[Mapping[str, list[SealedPart]]]]()
        """Told of what rooms have sealed with them, before anybody is told of the events."""
        self._queue: asyncio.Queue[Received] = asyncio.Queue(QUEUE)
        self.malformed = 0

    def offer(self, room: str, payload: bytes) -> None:
        """Take one message of `events`; `CenterError` when it is malformed."""
        try:
            received = read_event(room, payload)
        except CenterError as error:
            self.malformed += 1
            self._rooms.alarm(room, "malformed", f"收到无法识别的事件 ({error.message})")
            number = number_of(payload)
            if number is not None:
                self._answer(room, [], [number])
            raise
        try:
            self._queue.put_nowait(received)
        except asyncio.QueueFull:
            log.warning("events_dropped", room=room, next="the room sends them again")

    async def run(self) -> None:
        """Store and receipt for ever."""
        while True:
            batch = [await self._queue.get()]
            while len(batch) < BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            try:
                stored = await self._record.store_events(batch)
            except StorageError as error:
                log.error("events_not_stored", count=len(batch), why=error.message)
                await asyncio.sleep(1)
                continue
            if stored.sealed:
                self.sealed.notify(stored.sealed)
            self._complain(stored)
            for room, numbers in stored.receipts.items():
                self._answer(room, numbers, [])
            for received in [*stored.conflicts, *stored.foreign]:
                self._answer(received.room, [], [received.event.number])
            self.stored.notify(stored.fresh)

    def _answer(self, room: str, numbers: list[int], refused: list[int]) -> None:
        payload = json.dumps({"numbers": sorted(set(numbers)), "refused": refused}).encode()
        # If the broker is away just now the room sends the events again and is answered then.
        self._broker.publish(room, topics.RECEIPTS, payload, qos=1)

    def _complain(self, stored: BatchOutcome) -> None:
        for received in stored.conflicts:
            log.error("event_conflict", room=received.room, number=received.event.number, kind=received.event.kind)
            words = f"事件 {received.event.number} 与已存的内容不同，已拒收 (another event has this number)"
            self._rooms.alarm(received.room, "conflict", words)
        for received in stored.foreign:
            log.error("event_foreign", room=received.room, number=received.event.number, hearing=received.event.hearing)
            words = f"事件 {received.event.number} 属于别的法庭的庭审，已拒收 (the hearing is another room's)"
            self._rooms.alarm(received.room, "foreign", words)
