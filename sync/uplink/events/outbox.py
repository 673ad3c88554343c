"""The outbox's way to the center: every event is published until the center receipts it, and forgotten only then.

Events leave in batches that the device signs (`sync.ledger.messages.event_batch`), in a thread, since a key may be
slow; a batch is said again unchanged after `RESEND_S` and after every reconnect. An acknowledgment by the broker is
not durability and is ignored. A receipt counts when the center's key has signed it and it names the event by number
and digest, as this room computes it from its own log: no receipt of anybody else, or of another event, takes anything
out of the outbox. The events of a hearing leave in their order, and those of the latest hearing before all others:
what waits of the days before holds up nothing of today.

One event that the center refuses stays, is said again at the next connect, and until then holds up no other; a batch
that it refuses as a whole (this device is not enrolled, or not any more) is signed anew after `REFUSED_S`.

Nothing that waits can end every connection: what no broker of ours takes is not sent, and an event at which the
connection ended again and again is set aside, the others go on, and it is tried again after `SET_ASIDE_S`.

A room that is not enrolled knows no key of its center: it sends its first batch only, so that the center's wall says
so, and keeps everything. While the plain way is open it sends and believes as before, unsigned.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial

import structlog
from pydantic import ValidationError

from sync import topics
from sync.errors import CenterError, LedgerError, StorageError
from sync.ledger.messages.event_batch import MAX_EVENT_BYTES, event_text, fitting
from sync.ledger.messages.receipts import MAX_RECEIPTS_BYTES, BatchRefusal
from sync.ledger.signing_key import SigningKey
from sync.mqtt import MqttConnection
from sync.record.event import DAMAGED, Event, event_digest
from sync.room.event_log import RoomLog
from sync.runtime.bounds.message_size import MAX_MESSAGE_BYTES
from sync.runtime.logs.log_ids import batch_id
from sync.uplink.events.batches import MadeBatches, SentBatch, alone, signed
from sync.uplink.events.receipted import ReceiptedEvents, read_receipts
from sync.uplink.rounds import Rounds
from sync.uplink.trust.trusted_center import TrustedCenter

log = structlog.get_logger(__name__)

WINDOW = 64
"""So many events are under way at a time."""
RESEND_S = 10.0
REFUSED_S = 10.0
LARGE_BYTES = 64 * 1024
"""What is smaller every broker takes."""
MOST_LOST = 3
"""So often the connection may end while a large batch is under way, before it is taken for the cause."""
SET_ASIDE_S = 600.0
LOOK_S = 5.0
"""So often it looks for what waits without having been told of it."""


class Outbox:
    """Sends what the log holds for the center. All methods belong to one event loop."""

    def __init__(
        self,
        room_log: RoomLog,
        broker: MqttConnection,
        prefix: str,
        center: TrustedCenter,
        key: SigningKey,
        *,
        utc_ns: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`prefix` is `court/v1/<court>/<room>`; subscribe happens here, so make it before the broker starts.

        `key` is the device's; `LedgerError` of it means that it does not sign now, and it is asked again.
        """
        self._log = room_log
        self._broker = broker
        self._topic = f"{prefix}/{topics.EVENTS}"
        self._center = center
        self._key = key
        self._utc_ns = utc_ns
        self._monotonic = monotonic
        self._under_way: list[SentBatch] = []
        self._receipted: asyncio.Queue[ReceiptedEvents] = asyncio.Queue(maxsize=1000)
        self._refused: set[int] = set()
        self._refused_before = 0
        self._told_anew_s = 0.0
        """Until then what was refused before the connect is still counted: it is being said again."""
        self._refused_up_to = 0
        """All that wait up to this number were refused."""
        self._set_aside: dict[int, float] = {}
        """Events at which the connection ended -> when they are tried again."""
        self._one_by_one: set[int] = set()
        """Events of such a batch, which are sent one by one."""
        self._not_before = 0.0
        """Until then nothing is signed anew: the center has just refused a whole batch, or the key does not sign."""
        self._was_enrolled = False
        self._more = True
        """Whether events may wait that are not under way, as far as is known here."""
        self._looked_s = 0.0
        self._rounds = Rounds(self._round, "outbox_failed")
        self.last_receipt_utc_ns: int | None = None
        self.batch_refused: BatchRefusal | None = None
        """Why the center took nothing of the last batch; None when it did."""
        self.receipted = 0
        """Events that were taken out of the outbox."""
        self.too_large = 0
        """Events that were found too large to be sent, as often as they were."""
        broker.subscribe(f"{prefix}/{topics.RECEIPTS}", 1, self._on_receipts)
        broker.on_connected(self._on_connected)

    @property
    def failed(self) -> int:
        """Rounds that a defect of this program has cost."""
        return self._rounds.failed

    @property
    def refused_count(self) -> int:
        """Events that the center does not take: they are kept, and said again at the next connect."""
        now = self._monotonic()
        return max(len(self._refused), self._refused_before if now < self._told_anew_s else 0)

    def kick(self) -> None:
        """There may be something new in the log."""
        self._more = True
        self._rounds.kick()

    async def run(self) -> None:
        """Send for ever."""
        await self._rounds.run()

    async def _round(self) -> None:
        try:
            await self._take_receipts()
            await self._send()
        except StorageError as error:
            self._more = True
            log.error("events_wait", why=error.message)
        except LedgerError as error:
            self._more = True
            self._not_before = self._monotonic() + REFUSED_S
            log.error("events_not_signed", why=error.message, next="they are kept, and signed when the key answers")

    def _on_connected(self) -> None:
        now = self._monotonic()
        for batch in self._under_way:
            if batch.sent_s is not None and len(batch.payload) > LARGE_BYTES:
                batch.lost += 1
            batch.sent_s = None
            if batch.lost >= MOST_LOST:
                self._doubt(batch, now)
        self._under_way = [batch for batch in self._under_way if batch.digests]
        self._refused_before, self._told_anew_s = self.refused_count, self._monotonic() + RESEND_S
        self._refused.clear()  # perhaps another center by now, or an upgraded one
        self._refused_up_to = 0
        self._not_before = 0.0
        self.kick()

    def _doubt(self, batch: SentBatch, now: float) -> None:
        """Take a batch apart, or set its only event aside: the connection may end because of it."""
        numbers = sorted(batch.digests)
        if len(numbers) > 1:
            self._one_by_one.update(numbers)
        else:
            self._set_aside[numbers[0]] = now + SET_ASIDE_S
            log.error(
                "event_not_carried",
                id=batch_id(batch.name),
                number=numbers[0],
                bytes=len(batch.payload),
                next="it is kept and tried again later; let the broker take packets as large as ours (max_packet_size)",
            )
        batch.digests.clear()

    def _on_receipts(self, payload: bytes) -> None:
        try:
            told = self._center.read("receipts", payload, limit=MAX_RECEIPTS_BYTES)
            receipted = read_receipts(told.value, signed=told.signed)
        except (CenterError, ValidationError) as error:
            log.warning("receipts_not_believed", why=str(error)[:200])
            return
        try:
            self._receipted.put_nowait(receipted)
        except asyncio.QueueFull:
            log.warning("receipts_dropped", next="the events are sent again and receipted again")
            return
        self._rounds.kick()

    async def _take_receipts(self) -> None:
        stored: dict[int, str | None] = {}
        while not self._receipted.empty():
            said = self._receipted.get_nowait()
            stored |= said.stored
            self._take_refusals(said)
            if said.again:
                for batch in self._under_way:
                    batch.sent_s = None
        if not stored:
            return
        known = {number: digest for batch in self._under_way for number, digest in batch.digests.items()}
        numbers = await asyncio.to_thread(self._forget, stored, known)
        if not numbers:
            return
        self.receipted += len(numbers)
        for batch in self._under_way:
            count = sum(batch.digests.pop(number, None) is not None for number in numbers)
            if count:
                log.info("events_receipted", id=batch_id(batch.name), count=count, left=len(batch.digests))
        self._under_way = [batch for batch in self._under_way if batch.digests]
        self._one_by_one.difference_update(numbers)
        self.batch_refused = None
        self.last_receipt_utc_ns = self._utc_ns()

    def _forget(self, stored: Mapping[int, str | None], known: Mapping[int, str]) -> list[int]:
        """What of it was taken out of the outbox. Blocks."""
        numbers = self._of_this_log(stored, known)
        try:
            if numbers:
                self._log.forget(numbers)
        except StorageError as error:
            log.error("receipt_not_noted", why=error.message)
            return []
        return numbers

    def _of_this_log(self, stored: Mapping[int, str | None], known: Mapping[int, str]) -> list[int]:
        """Of what is receipted, what this room's log holds as that; a receipt of another event is of nothing here."""
        numbers: list[int] = []
        for number, digest in stored.items():
            if digest is None or digest == (known[number] if number in known else self._digest_in_log(number)):
                numbers.append(number)
            else:
                log.error("receipt_of_another_event", number=number, next="the event is kept and sent again")
        return numbers

    def _digest_in_log(self, number: int) -> str | None:
        """Of an event that an earlier life of this service sent."""
        found = self._log.since(number - 1, limit=1, mark=True)
        return event_digest(found[0]) if found and found[0].number == number else None

    def _take_refusals(self, said: ReceiptedEvents) -> None:
        batches = {batch.name: batch for batch in self._under_way}
        refused: set[int] = set()
        ids: set[str] = set()
        for number, name in said.refused.items():
            batch = batches.get("" if name is None else name)
            if name is None:
                batch = next((one for one in self._under_way if not one.name and number in one.digests), None)
            if batch is not None and batch.digests.pop(number, None) is not None:
                refused.add(number)
                ids.add(batch_id(batch.name))
        if refused:
            log.error(
                "events_refused",
                ids=sorted(ids)[:20],
                numbers=sorted(refused)[:20],
                next="the center's wall says why; they are kept",
            )
            self._refused |= refused
        for name, why in said.batches.items():
            if name in batches:
                log.error(
                    "batch_refused",
                    id=batch_id(name),
                    why=why,
                    next="its events are kept; look at this device's enrollment",
                )
                self.batch_refused = why
                self._more = True
                self._not_before = self._monotonic() + REFUSED_S
                batches[name].digests.clear()
        self._under_way = [batch for batch in self._under_way if batch.digests]

    async def _send(self) -> None:
        if not self._broker.connected:
            return
        enrolled = self._center.key is not None
        if enrolled and not self._was_enrolled:
            self._more = True
            for batch in self._under_way:
                batch.sent_s = None
        self._was_enrolled = enrolled
        plain = not enrolled and self._center.accepts_plain
        if not plain and any(not batch.name for batch in self._under_way):
            self._under_way = [batch for batch in self._under_way if batch.name]
            self._more = True
        now = self._monotonic()
        if now >= self._not_before and (self._more or now - self._looked_s >= LOOK_S):
            await self._fill(enrolled=enrolled, plain=plain)
        for batch in self._under_way:
            if batch.sent_s is not None and now - batch.sent_s < RESEND_S:
                continue
            if not self._broker.publish(self._topic, batch.payload, qos=1):
                return
            batch.sent_s = now
            self._say_sent(batch)

    def _say_sent(self, batch: SentBatch) -> None:
        """The broker's own log can name no id of ours; the line `published` beside this one says its number there."""
        log.info(
            "events_sent",
            id=batch_id(batch.name),
            first=min(batch.digests),
            last=max(batch.digests),
            count=len(batch.digests),
            bytes=len(batch.payload),
        )

    async def _fill(self, *, enrolled: bool, plain: bool) -> None:
        """Make batches of what waits and is not under way."""
        taken = {number for batch in self._under_way for number in batch.digests}
        room = WINDOW - len(taken)
        if room <= 0 or (taken and not enrolled and not plain):
            return
        now = self._looked_s = self._monotonic()
        self._set_aside = {number: until for number, until in self._set_aside.items() if until > now}
        self._more = False
        made = await asyncio.to_thread(self._make, taken, room, plain=plain, only_first=not enrolled and not plain)
        self._under_way += made.batches
        self._more = self._more or not made.is_all
        if made.error is not None:
            raise made.error

    def _make(self, taken: set[int], room: int, *, plain: bool, only_first: bool) -> MadeBatches:
        """Batches of at most `room` events that wait and are not `taken`, all in one turn of a thread. Blocks."""
        window = self._window()
        free = [event for event in window if event.number not in taken]
        held_back = bool(self._refused or self._set_aside)  # more may stand behind those
        made = MadeBatches([], is_all=len(window) < WINDOW and len(free) <= room and not only_first and not held_back)
        # The numbers of a batch rise.
        written = self._written(sorted(free[:room], key=lambda event: event.number))
        while written:
            count = 1 if plain else self._fitting(written)
            some, written = written[:count], written[count:]
            try:
                batch = alone(some[0][0]) if plain else signed(some, self._center.room, self._key)
            except LedgerError as error:
                made.error = error  # what was signed before goes all the same
                break
            if len(batch.payload) <= MAX_MESSAGE_BYTES:
                made.batches.append(batch)
            else:  # one event: of several no batch is as large
                self._refuse_large(some[0][0])
            if only_first:
                break
        return made

    def _written(self, events: list[Event]) -> list[tuple[Event, str]]:
        written: list[tuple[Event, str]] = []
        for event in events:
            if DAMAGED in event.body:
                self._refused.add(event.number)  # the log has said so; what cannot be read holds up no other
                continue
            text = event_text(event)
            if len(text.encode()) > MAX_EVENT_BYTES:
                self._refuse_large(event)
            else:
                written.append((event, text))
        return written

    def _refuse_large(self, event: Event) -> None:
        self.too_large += 1
        log.error("event_too_large", number=event.number, kind=event.kind, next="it is kept, and not sent")
        self._refused.add(event.number)

    def _fitting(self, written: list[tuple[Event, str]]) -> int:
        """How many of the first make a batch."""
        alone = next((i for i, (event, _) in enumerate(written) if event.number in self._one_by_one), len(written))
        return fitting([len(text.encode()) for _, text in written[:alone]]) if alone else 1

    def _window(self) -> list[Event]:
        """At most `WINDOW` that wait and were not held back: of the latest hearing first, then the oldest. Blocks."""
        latest = self._log.latest_hearing()
        first = [] if latest is None else self._waiting(partial(self._log.pending_of, latest), 0)[0]
        if len(first) >= WINDOW:
            return first
        rest, self._refused_up_to = self._waiting(self._log.pending, self._refused_up_to)
        known = {event.number for event in first}
        return (first + [event for event in rest if event.number not in known])[:WINDOW]

    def _waiting(self, pending: Callable[..., list[Event]], after: int) -> tuple[list[Event], int]:
        """The first behind number `after` that are neither refused nor set aside, and up to which all were refused."""
        refused_up_to, only_refused = after, True
        while batch := pending(limit=WINDOW, after=after, mark=True):
            left = [event for event in batch if event.number not in self._refused]
            wanted = [event for event in left if event.number not in self._set_aside]
            if wanted:
                return wanted, refused_up_to
            after = batch[-1].number
            only_refused = only_refused and not left
            if only_refused:
                refused_up_to = after
        return [], refused_up_to
