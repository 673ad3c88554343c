"""Events in, receipts out: what a room's device signed is stored, and a receipt leaves only after the commit.

Refused before anything but the envelope is read: what is too large, what nobody signed, and what another key signed
than that of the room's enrolled device. It is counted and alarmed, is stored nowhere and takes no number. Malformed
messages never stop the ingest. A room is told which of its events are refused, so that they hold up no other; a person
hears why by the room's alarm. When the store can take nothing, nothing is receipted, and the rooms say it again; where
one event is what it cannot take, that one alone is not receipted (`server.ingest.event_batches`).

While the plain way is open (`accept_unsigned`) a room that has signed nothing yet is heard as before, and the wall
says so in red. Once its device has signed, nothing unsigned is taken of it any more (`server.ingest.signing_rooms`).
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog

from server.events.admission import Received
from server.ingest.event_batches import store_parted
from server.ingest.event_pace import EventPace
from server.ingest.judgement import EventsMessage, Judgement, judge
from server.ingest.mishaps import Mishaps
from server.ingest.signed_publisher import SignedPublisher
from server.ingest.signing_rooms import SigningRooms
from server.rooms import Rooms
from server.store.refusals import LeaseLostError
from server.store.writer import BatchOutcome, RecordWriter
from sync import topics
from sync.errors import StorageError
from sync.ledger.messages.receipts import BatchRefusal, Receipts, RefusedBatch, RefusedEvent, StoredEvent
from sync.ledger.note import Verifier
from sync.record.sealed_parts import SealedPart
from sync.runtime.bounds.fair_inbox import FairInbox
from sync.runtime.listeners import Listeners
from sync.runtime.logs.log_ids import batch_id
from sync.runtime.logs.metrics import DurationBuckets

log = structlog.get_logger(__name__)

MOST_BYTES = 64 * 1024 * 1024
"""Of what waits, of all rooms together; what is too much is taken from who has the most, and sent again."""
PACE_S = 0.05
TURN_BYTES = 256 * 1024
"""Judged and stored together, messages counted as the inbox counts them: some hundred events."""
STORE_S = 1.0
"""So long a store is left alone that has just refused everything."""
REFUSE_S = 1.0
"""A room hears at most so often that a whole batch is refused: who sends such batches costs no more signatures."""
MOST_NAMED = 50
"""Ids of batches in one line of the log."""
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
        mishaps: Mishaps,
        *,
        accept_unsigned: Callable[[], bool] = lambda: False,
        is_shut: Callable[[str], bool] = lambda room: False,
        signing: SigningRooms | None = None,
        owns: Callable[[str], bool] = lambda room: True,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`keys(room)`: who may sign for it now; `is_shut(room)`: its device was revoked, and it has no other;
        `signing`: which have signed already, here and elsewhere; `owns(room)`: whether this process takes it, of
        several."""
        self._owns = owns
        self._is_shut = is_shut
        self._record = record
        self._rooms = rooms
        self._publisher = publisher
        self._keys = keys
        self._mishaps = mishaps
        self._accept_unsigned = accept_unsigned
        self._monotonic_s = monotonic_s
        self.stored = Listeners[[Sequence[Received]]]()
        """Told of the events that are new, after they are on disk."""
        self.sealed = Listeners[[Mapping[str, list[SealedPart]], int]]()
        """Told of what rooms have sealed with them, and of the version of rights that says so, before anybody is told
        of the events."""
        self._inbox = FairInbox[tuple[bytes, float]](most_bytes=MOST_BYTES)
        """Each message and when it came."""
        self._pace = EventPace(monotonic_s=monotonic_s)
        self._come = asyncio.Event()
        self._signing = signing or SigningRooms()
        self._told_s: dict[str, float] = {}
        self.malformed = 0
        self.refused: Counter[str] = Counter()
        """Messages of which nothing was taken, by why."""
        self.refused_events: Counter[str] = Counter()
        """Events that could be read and are not taken: `conflict`, `foreign`."""
        self.stored_events = 0
        self.events_again = 0
        """Those that were there already."""
        self.events_not_stored = 0
        self.answered_after = DurationBuckets()
        """From the arrival of a message until its room was answered; of what the store did not take, nothing."""

    def offer(self, room: str, payload: bytes) -> None:
        """Take one message of `events`; it is judged, off the event loop, in its turn."""
        self._inbox.put(room, (payload, self._monotonic_s()), len(payload))
        self._come.set()

    @property
    def waiting(self) -> int:
        """Messages that came and are not judged yet."""
        return len(self._inbox)

    @property
    def dropped(self) -> int:
        """Messages that had no room."""
        return self._inbox.dropped

    def dropped_since(self) -> dict[str, int]:
        """How many messages of each room were dropped since this was last asked; their rooms send them again."""
        return self._inbox.dropped_since()

    async def run(self) -> None:
        """Judge, store and receipt for ever."""
        with ThreadPoolExecutor(1, "judge") as thread:
            while True:
                await self._come.wait()
                taken, more = self._inbox.take(TURN_BYTES, self._pace.allows)
                if not more:
                    self._come.clear()
                elif not taken:
                    await asyncio.sleep(PACE_S)  # all that waits is of rooms that have said too much
                    continue
                for room, (payload, _) in taken:
                    self._pace.spend(room, len(payload))
                judged = await asyncio.get_running_loop().run_in_executor(thread, _judge_all, self._messages(taken))
                judged = [one for one in judged if self._owns(one.room)]
                batch = [received for judgement in judged for received in self._decide(judgement)]
                if not batch or await self._store(batch):
                    now_s = self._monotonic_s()
                    for _, (_, came_s) in taken:
                        self.answered_after.note(now_s - came_s)

    def _messages(self, taken: Sequence[tuple[str, tuple[bytes, float]]]) -> list[EventsMessage]:
        unsigned = {room: self._accepts_unsigned(room) for room, _ in taken}
        return [EventsMessage(room, payload, self._keys(room), unsigned[room]) for room, (payload, _) in taken]

    def _accepts_unsigned(self, room: str) -> bool:
        return room not in self._signing and not self._is_shut(room) and self._accept_unsigned()

    def _decide(self, judgement: Judgement) -> list[Received]:
        """Which of its events are stored; of the others the room, and who looks at the wall, is told."""
        room = judgement.room
        if judgement.defect is not None:
            self._mishaps.fail(room, topics.EVENTS, judgement.defect)
            return []
        for why in judgement.why:
            self._mishaps.refuse(room, topics.EVENTS, why, about=batch_id(judgement.digest))
        if judgement.unreadable:
            self._malformed(room, judgement.why[0])
            return []
        if not judgement.signed:
            return self._decide_unsigned(judgement)
        if judgement.refusal:
            self._refuse_batch(room, judgement.refusal, judgement.digest)
            return []
        self._signing.has_signed(room)
        for code in ("not-enrolled", "plain"):
            self._rooms.clear(room, code)
        for why in judgement.why:
            self._malformed(room, why)
        if judgement.refused:
            refused = [RefusedEvent(number=number, batch=judgement.digest) for number in judgement.refused]
            self._answer(room, Receipts(refused=refused))
        return judgement.admitted

    def _decide_unsigned(self, judgement: Judgement) -> list[Received]:
        room = judgement.room
        if not self._accepts_unsigned(room):  # it may have signed meanwhile
            self.refused["unsigned"] += 1
            self._rooms.alarm(room, "unsigned", WORDS["unsigned"])
            self._mishaps.refuse(room, topics.EVENTS, "an event that no device signed is refused")
            return []
        self._rooms.alarm(room, "plain", WORDS["plain"])
        for why in judgement.why:
            self._malformed(room, why)
        if judgement.refused:
            self._answer(room, Receipts(), refused=judgement.refused)
        return judgement.admitted

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

    async def _store(self, batch: Sequence[Received]) -> bool:
        """Store, receipt and tell; False when the store did not take all of it."""
        parted = await store_parted(self._record.store_events, batch)
        for part, stored in zip(parted.stored, parted.outcomes, strict=True):
            self._tell(part, stored)
        for received, error in parted.failed:
            self._unfit(received, error)
        if isinstance(parted.unavailable, LeaseLostError):
            return await self._store_others(parted.left, parted.unavailable.rooms)
        self.events_not_stored += len(parted.left) + len(parted.failed)
        if parted.left:
            why = "too many of one batch were refused" if parted.unavailable is None else str(parted.unavailable)
            log.error("events_not_stored", ids=_ids(parted.left), count=len(parted.left), why=why)
        if parted.unavailable is not None:
            await asyncio.sleep(STORE_S)
        return not parted.left and not parted.failed

    async def _store_others(self, left: Sequence[Received], lost: frozenset[str]) -> bool:
        """Go on with those whose rooms are still this process's; the others are heard by their new owner."""
        log.warning("events_of_other_owners", rooms=len(lost), ids=_ids([one for one in left if one.room in lost]))
        others = [one for one in left if one.room not in lost and self._owns(one.room)]
        return bool(others) and await self._store(others)

    def _tell(self, batch: Sequence[Received], stored: BatchOutcome) -> None:
        if stored.sealed:
            self.sealed.notify(stored.sealed, stored.version)
        self._complain(stored)
        self._note_stored(batch, stored)
        for room, digests in stored.receipts.items():
            said = [StoredEvent(number=number, sha256=digest) for number, digest in digests.items()]
            self._answer(room, Receipts(stored=said))
        for received in [*stored.conflicts, *stored.foreign]:
            number = received.event.number
            signed = [RefusedEvent(number=number, batch=received.batch)] if received.batch else []
            self._answer(received.room, Receipts(refused=signed), refused=[number])
        for received in stored.fresh:
            if received.event.kind == "open":
                self._pace.opened(received.room)
        self.stored.notify(stored.fresh)

    def _note_stored(self, batch: Sequence[Received], stored: BatchOutcome) -> None:
        """Count, and one line for each batch: whoever looks for its id finds here that it was receipted."""
        receipted = sum(len(digests) for digests in stored.receipts.values())
        self.stored_events += len(stored.fresh)
        self.events_again += max(receipted - len(stored.fresh), 0)
        refused = Counter((one.room, one.batch) for one in [*stored.conflicts, *stored.foreign])
        fresh = Counter((one.room, one.batch) for one in stored.fresh)
        for (room, digest), count in (Counter((one.room, one.batch) for one in batch) - refused).items():
            log.info("events_stored", id=batch_id(digest), room=room, count=count, fresh=fresh[(room, digest)])

    def _answer(self, room: str, receipts: Receipts, *, refused: Sequence[int] = ()) -> None:
        """`refused` are for rooms of before, which look at numbers alone."""
        numbers = sorted(one.number for one in receipts.stored)
        before = {"numbers": numbers, "refused": list(refused) or [one.number for one in receipts.refused]}
        # If the broker is away just now the room sends the events again and is answered then.
        self._publisher.tell(room, "receipts", receipts.model_dump_json(), before=before, qos=1)

    def _complain(self, stored: BatchOutcome) -> None:
        for received in stored.conflicts:
            self.refused_events["conflict"] += 1
            log.error(
                "event_conflict",
                id=batch_id(received.batch),
                room=received.room,
                number=received.event.number,
                kind=received.event.kind,
            )
            words = f"事件 {received.event.number} 与已存的内容不同，已拒收 (another event has this number)"
            self._rooms.alarm(received.room, "conflict", words)
        for received in stored.foreign:
            self.refused_events["foreign"] += 1
            log.error(
                "event_foreign",
                id=batch_id(received.batch),
                room=received.room,
                number=received.event.number,
                hearing=received.event.hearing,
            )
            words = f"事件 {received.event.number} 属于别的法庭的庭审，已拒收 (the hearing is another room's)"
            self._rooms.alarm(received.room, "foreign", words)

    def _unfit(self, received: Received, error: Exception) -> None:
        """What alone is not stored: the database cannot take it, or the center has a defect."""
        if not isinstance(error, StorageError):
            self._mishaps.fail(received.room, topics.EVENTS, error)
            return
        log.error("event_unfit", room=received.room, number=received.event.number, kind=received.event.kind)
        words = f"事件 {received.event.number} 无法写入中心数据库，仍在法庭机内 (the database cannot take this event)"
        self._rooms.alarm(received.room, "unfit", words)


def _ids(batch: Sequence[Received]) -> list[str]:
    """Of the batches that these events came in, each once."""
    return list(dict.fromkeys(batch_id(received.batch) for received in batch if received.batch))[:MOST_NAMED]


def _judge_all(messages: Sequence[EventsMessage]) -> list[Judgement]:
    return [judge(message) for message in messages]
