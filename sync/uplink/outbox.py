"""The outbox's way to the center: every event is published until the center receipts it, and forgotten only then.

An acknowledgment by the broker is not durability and is ignored. Up to `WINDOW` events are under way at a time; one
without a receipt is sent again after `RESEND_S` and after every reconnect. The center keeps events by their number, so
saying one twice is harmless. One that the center refuses stays in the outbox, is said again at the next connect, and
until then holds up no other.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Annotated

import structlog
from pydantic import BaseModel, Field

from sync import topics
from sync.errors import StorageError
from sync.mqtt import MqttConnection
from sync.record.bodies.limits import INT64
from sync.record.event import Event
from sync.room.event_log import RoomLog
from sync.text.strict_json import read_strict

log = structlog.get_logger(__name__)

WINDOW = 64
RESEND_S = 10.0
LOOK_S = 1.0
MAX_RECEIPTS_BYTES = 512 * 1024


Numbers = Annotated[list[Annotated[int, Field(ge=1, le=INT64)]], Field(max_length=10_000)]


class Receipts(BaseModel):
    """What the center has stored and synced, and what it will not take."""

    numbers: Numbers
    refused: Numbers = []


class Outbox:
    """Sends what the log holds for the center. All methods belong to one event loop."""

    def __init__(
        self,
        room_log: RoomLog,
        broker: MqttConnection,
        prefix: str,
        *,
        utc_ns: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`prefix` is `court/v1/<court>/<room>`; subscribe happens here, so make it before the broker starts."""
        self._log = room_log
        self._broker = broker
        self._topic = f"{prefix}/{topics.EVENTS}"
        self._utc_ns = utc_ns
        self._monotonic = monotonic
        self._sent: dict[int, float] = {}
        self._receipted: asyncio.Queue[list[int]] = asyncio.Queue(maxsize=1000)
        self._refused: set[int] = set()
        self._refused_up_to = 0
        """All that wait up to this number were refused."""
        self._kick = asyncio.Event()
        self.last_receipt_utc_ns: int | None = None
        broker.subscribe(f"{prefix}/{topics.RECEIPTS}", 1, self._on_receipts)
        broker.on_connected(self._on_connected)

    def kick(self) -> None:
        """There may be something new in the log."""
        self._kick.set()

    async def run(self) -> None:
        """Send for ever."""
        while True:
            await self._forget_receipted()
            await self._send()
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._kick.wait()
            except TimeoutError:
                pass
            self._kick.clear()

    def _on_connected(self) -> None:
        self._sent.clear()
        self._refused.clear()  # perhaps another center by now, or an upgraded one
        self._refused_up_to = 0
        self.kick()

    def _on_receipts(self, payload: bytes) -> None:
        try:
            receipts = Receipts.model_validate(read_strict(payload, limit=MAX_RECEIPTS_BYTES))
        except ValueError as error:
            log.warning("receipts_unreadable", why=str(error)[:200])
            return
        refused = set(receipts.refused) & self._sent.keys()
        if refused - self._refused:
            log.error("events_refused", numbers=sorted(refused)[:20], next="the center's wall says why; they are kept")
            self._refused |= refused
        try:
            self._receipted.put_nowait(receipts.numbers)
        except asyncio.QueueFull:
            log.warning("receipts_dropped", next="the events are sent again and receipted again")
            return
        self.kick()

    async def _forget_receipted(self) -> None:
        numbers: list[int] = []
        while not self._receipted.empty():
            numbers += self._receipted.get_nowait()
        if numbers:
            try:
                await asyncio.to_thread(self._log.forget, numbers)
            except StorageError as error:
                log.error("receipt_not_noted", why=error.message)
                return
            for number in numbers:
                self._sent.pop(number, None)
            self.last_receipt_utc_ns = self._utc_ns()

    async def _send(self) -> None:
        if not self._broker.connected:
            return
        now = self._monotonic()
        for event in await self._window():
            sent = self._sent.get(event.number)
            if sent is not None and now - sent < RESEND_S:
                continue
            message = json.dumps(event.to_json(), ensure_ascii=False).encode()
            if not self._broker.publish(self._topic, message, qos=1):
                return
            self._sent[event.number] = now

    async def _window(self) -> list[Event]:
        """The oldest that wait and were not refused, at most `WINDOW`."""
        while batch := await asyncio.to_thread(self._log.pending, limit=WINDOW, after=self._refused_up_to):
            wanted = [event for event in batch if event.number not in self._refused]
            if wanted:
                return wanted
            self._refused_up_to = batch[-1].number
        return []
