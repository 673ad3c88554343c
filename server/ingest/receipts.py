"""Events in, receipts out: what a room's device signed is stored, and a receipt leaves only after the commit.

Refused before anything but the envelope is read: what is too large, what nobody signed, and what another key signed
than that of the room's enrolled device. It is counted and alarmed, is stored nowhere and takes no number. Malformed
messages never stop the ingest. A room is told which of its events are refused, so that they hold up no other; a person
hears why by the room's alarm. When the store cannot take a batch nothing of it is receipted, and the rooms say it
again.

While the plain way is open (`accept_unsigned`) a room that has signed nothing yet is heard as before, and the wall
says so in red. Once its device has signed, nothing unsigned is taken of it any more.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import structlog

from server.events.admission import Received, admit, number_of, read_event
from server.ingest.signed_publisher import SignedPublisher
from server.rooms import Rooms
from server.store.writer import BatchOutcome, RecordWriter
from sync.errors import CenterError, LedgerError, StorageError
from sync.ledger.messages.event_batch import check_batch, read_batch
from sync.ledger.messages.receipts import BatchRefusal, Receipts, RefusedBatch, RefusedEvent, StoredEvent
from sync.ledger.messages.signed_message import text_digest
from sync.ledger.note import Verifier
from sync.record.sealed_parts import SealedPart
from sync.runtime.listeners import Listeners

log = structlog.get_logger(__name__)

QUEUE = 20_000
BATCH = 500
REFUSE_S = 1.0
"""A room hears at most so often that a whole batch is refused: who sends such batches costs no more signatures."""
WORDS = {
    "not-enrolled": "设备未登记，其事件未收，仍在法庭机内；请在中心执行 wutong enroll 并登记该设备"
    " (not enrolled: its events wait in the room)",
    "signature": "收到不是该法庭登记设备签名的事件，已拒收；请核对设备登记，检查账号是否泄露"
    " (events signed by another key were refused)",
    "unsigned": "收到未签名的事件，已拒收；请升级并登记该法庭设备，检查账号是否泄露 (unsigned events were refused)",
    "plain": "正在接收该法庭未签名的事件，任何知道其账号的人都可冒充；请升级并登记该设备，到期后将拒收"
    " (unsigned events are taken until tls.plain_until)",
}


class Ingest:
    """All methods belong to one event loop."""

    def __init__(
        self,
        record: RecordWriter,
        rooms: Rooms,
        publisher: SignedPublisher,
        keys: Callable[[str], Sequence[Verifier]],
        *,
        accept_unsigned: Callable[[], bool] = lambda: False,
        is_shut: Callable[[str], bool] = lambda room: False,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`keys(room)`: who may sign for it now; `is_shut(room)`: its device was revoked, and it has no other."""
        self._is_shut = is_shut
        self._record = record
        self._rooms = rooms
        self._publisher = publisher
        self._keys = keys
        self._accept_unsigned = accept_unsigned
        self._monotonic_s = monotonic_s
        self.stored = Listeners[[Sequence[Received]]]()
        """Told of the events that are new, after they are on disk."""
        self.sealed = Listeners[[Mapping[str, list[SealedPart]]]]()
        """Told of what rooms have sealed with them, before anybody is told of the events."""
        self._queue: asyncio.Queue[Received] = asyncio.Queue(QUEUE)
        self._signing: set[str] = set()
        """Rooms whose device has signed since this center started: nothing unsigned is theirs."""
        self._told_s: dict[str, float] = {}
        self.malformed = 0
        self.refused: Counter[str] = Counter()
        """Messages of which nothing was taken, by why."""

    def offer(self, room: str, payload: bytes) -> None:
        """Take one message of `events`; `CenterError` when it, or one of its events, is refused."""
        try:
            signed = read_batch(payload)
        except LedgerError as error:
            self._malformed(room, error.message)
            raise CenterError(error.message, code="event") from error
        if signed is None:
            self._offer_unsigned(room, payload)
            return
        note, text = signed
        digest = text_digest(text)
        try:
            keys = self._keys(room)
            if not keys:
                raise LedgerError("no device of this room is enrolled", code="not-enrolled")
            values = check_batch(room, note, text, keys)
        except LedgerError as error:
            self._refuse_batch(room, error.code, digest)
            raise CenterError(f"a batch of events is refused: {error.message}", code=error.code) from error
        self._signing.add(room)
        for code in ("not-enrolled", "plain"):
            self._rooms.clear(room, code)
        self._admit_all(room, values, digest)

    def _admit_all(self, room: str, values: Sequence[Mapping[str, object]], digest: str) -> None:
        refused: list[RefusedEvent] = []
        why: CenterError | None = None
        for value in values:
            try:
                self._put(admit(room, value, batch=digest))
            except CenterError as error:
                why = error
                self._malformed(room, error.message)
                number = value["number"]
                if isinstance(number, int) and number >= 1:
                    refused.append(RefusedEvent(number=number, batch=digest))
        if refused:
            self._answer(room, Receipts(refused=refused))
        if why is not None:
            raise why

    def _offer_unsigned(self, room: str, payload: bytes) -> None:
        if room in self._signing or self._is_shut(room) or not self._accept_unsigned():
            self.refused["unsigned"] += 1
            self._rooms.alarm(room, "unsigned", WORDS["unsigned"])
            raise CenterError("an event that no device signed is refused", code="unsigned")
        self._rooms.alarm(room, "plain", WORDS["plain"])
        try:
            self._put(read_event(room, payload))
        except CenterError as error:
            self._malformed(room, error.message)
            number = number_of(payload)
            if number is not None:
                self._answer(room, Receipts(), refused=[number])
            raise

    def _put(self, received: Received) -> None:
        try:
            self._queue.put_nowait(received)
        except asyncio.QueueFull:
            log.warning("events_dropped", room=received.room, next="the room sends them again")

    def _malformed(self, room: str, why: str) -> None:
        self.malformed += 1
        self._rooms.alarm(room, "malformed", f"收到无法识别的事件 ({why})")

    def _refuse_batch(self, room: str, code: str, digest: str) -> None:
        why: BatchRefusal = "not-enrolled" if code == "not-enrolled" else "form" if code == "form" else "signature"
        self.refused[why] += 1
        if why == "form":
            self._malformed(room, "not a batch of events")
        else:
            self._rooms.alarm(room, why, WORDS[why])
        now_s = self._monotonic_s()
        if now_s - self._told_s.get(room, -REFUSE_S) >= REFUSE_S:
            self._told_s[room] = now_s
            self._answer(room, Receipts(batches=[RefusedBatch(batch=digest, why=why)]))

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
            for room, digests in stored.receipts.items():
                said = [StoredEvent(number=number, sha256=digest) for number, digest in digests.items()]
                self._answer(room, Receipts(stored=said))
            for received in [*stored.conflicts, *stored.foreign]:
                number = received.event.number
                signed = [RefusedEvent(number=number, batch=received.batch)] if received.batch else []
                self._answer(received.room, Receipts(refused=signed), refused=[number])
            self.stored.notify(stored.fresh)

    def _answer(self, room: str, receipts: Receipts, *, refused: Sequence[int] = ()) -> None:
        """`refused` are for rooms of before, which look at numbers alone."""
        numbers = sorted(one.number for one in receipts.stored)
        before = {"numbers": numbers, "refused": list(refused) or [one.number for one in receipts.refused]}
        # If the broker is away just now the room sends the events again and is answered then.
        self._publisher.tell(room, "receipts", receipts.model_dump_json(), before=before, qos=1)

    def _complain(self, stored: BatchOutcome) -> None:
        for received in stored.conflicts:
            log.error("event_conflict", room=received.room, number=received.event.number, kind=received.event.kind)
            words = f"事件 {received.event.number} 与已存的内容不同，已拒收 (another event has this number)"
            self._rooms.alarm(received.room, "conflict", words)
        for received in stored.foreign:
            log.error("event_foreign", room=received.room, number=received.event.number, hearing=received.event.hearing)
            words = f"事件 {received.event.number} 属于别的法庭的庭审，已拒收 (the hearing is another room's)"
            self._rooms.alarm(received.room, "foreign", words)
