"""The witness: countersigns what a room signed of a hearing's ledger, when the center holds all of it itself.

In this order: (1) the note's form, (2) a device of this room that is certified and not revoked, (3) every event of the
hearing up to the last one named is stored here, no more and no fewer, (4) the tree over them continues the one that was
witnessed before, and has the root that the device signed. Only then the note is cosigned, stored and synced, and after
that the room is answered. A tree that differs is a *fork*: refused, kept as proof beside what was witnessed, alarmed.
An old tree that is a true beginning is answered as it was, and changes nothing. While events are missing nothing is
answered: it is looked at again when events come, and the room asks again.

Rooms are judged beside each other, each in its own order: what one of them has to wait for, a long ledger or a damaged
disk, holds up no other. What was counted once is not counted again: after a witnessed tree only the events beyond it
are, unless one came since that belongs before its end. The first checkpoint of a hearing after a start counts all.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, func, select

from server.access.audit import Audit
from server.events.admission import Received
from server.ingest.mqtt import CenterBroker
from server.ingest.signed_publisher import SignedPublisher
from server.integrity.enrollment import Enrollment
from server.rooms import Rooms
from server.store import tables as t
from server.store.database import Database, insert_once
from sync import topics
from sync.errors import CenterError, LedgerError, StorageError
from sync.ledger import note as notes
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.keys import CENTER, check_certificate
from sync.ledger.leaf import leaf_of
from sync.ledger.progress import ProofProgress
from sync.ledger.tree import HASH_BYTES, Tree, leaf_hash
from sync.record.event import Event
from sync.runtime.log_ids import checkpoint_id
from sync.runtime.units import NS_PER_S

log = structlog.get_logger(__name__)

MAX_NOTE_BYTES = 4096
QUEUE = 1000
"""Of one room."""
AT_ONCE = 2
"""So many rooms are judged at a time; the other readers of the database stay free for screens."""
COUNTED_HEARINGS = 2000
PENDING_HEARINGS = 2000
PENDING_SIZES = 4
KEPT_FORKS = 20
"""Of one hearing; more of them would prove nothing more."""
FORK_DAYS = 30
"""So long a restart puts the alarm back on the wall; the proof stays for good."""
FORK_WORDS = (
    "庭审 {hearing} 的记录与中心所存不一致，已拒绝见证 (fork: the room signed another record than is held here)"
)


@dataclass(frozen=True, slots=True)
class _Asked:
    room: str
    note: notes.Note
    head: Checkpoint


@dataclass(frozen=True, slots=True)
class _Judged:
    """`known` is the stored note when this very tree was witnessed before; else `peaks` are those of the tree."""

    known: str = ""
    peaks: tuple[bytes, ...] = ()


class _MissingError(Exception):
    """Not all events are here yet."""


class Witness:
    """All methods belong to one event loop; checkpoints of a room are judged one after the other."""

    def __init__(
        self,
        database: Database,
        enrollment: Enrollment,
        key: Ed25519PrivateKey,
        rooms: Rooms,
        audit: Audit,
        broker: CenterBroker,
        publisher: SignedPublisher,
        *,
        utc_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._db = database
        self._enrollment = enrollment
        self._key = key
        self._rooms = rooms
        self._audit = audit
        self._broker = broker
        self._publisher = publisher
        self._utc_ns = utc_ns
        self._queues: dict[str, asyncio.Queue[_Asked | str]] = {room: asyncio.Queue(QUEUE) for room in rooms.states}
        self._judging = asyncio.Semaphore(AT_ONCE)
        self._pending: OrderedDict[str, dict[int, _Asked]] = OrderedDict()
        self._counted: OrderedDict[str, int] = OrderedDict()
        """hearing -> number of the event up to which what is stored was found to be what was witnessed."""
        self._counting: dict[str, int] = {}
        """The same while it is being found; -1 when an event came in between."""
        self.answered = 0
        """Checkpoints that were answered with a cosignature."""
        self.refused: Counter[str] = Counter()
        """Checkpoints that were not, by why."""

    @property
    def waiting(self) -> int:
        """What waits to be judged; checkpoints that wait for their events are not among it."""
        return sum(queue.qsize() for queue in self._queues.values())

    def offer(self, room: str, payload: bytes) -> None:
        """Take one message of `checkpoints`; `CenterError` when it is none."""
        try:
            if len(payload) > MAX_NOTE_BYTES:
                raise LedgerError("a checkpoint is larger than any honest one", code="note")
            note = notes.read_note(payload.decode())
            head = Checkpoint.from_text(note.text)
        except (LedgerError, UnicodeDecodeError) as error:
            self._rooms.alarm(room, "malformed", f"收到无法识别的检查点 (an unreadable checkpoint: {error})")
            raise CenterError(f"a checkpoint is malformed: {error}", code="checkpoint") from error
        if head.room != room or not head.size:
            self._refuse(_Asked(room, note, head), "form")
            return
        self._put(room, _Asked(room, note, head))

    def stored(self, events: Iterable[Received]) -> None:
        """Events that are new and on disk: what waited for them is looked at again."""
        waiting: dict[str, str] = {}
        for received in events:
            hearing = received.event.hearing
            if hearing is None:
                continue
            # One that is in no tree that was witnessed, though before its end: the next must count it.
            if received.event.number <= self._counted.get(hearing, -1):
                del self._counted[hearing]
            if received.event.number <= self._counting.get(hearing, -1):
                self._counting[hearing] = -1
            if hearing in self._pending:
                waiting[hearing] = received.room
        for hearing, room in waiting.items():
            self._put(room, hearing)

    async def run(self) -> None:
        """Judge for ever."""
        await self._remember_forks()
        async with asyncio.TaskGroup() as group:
            for queue in self._queues.values():
                group.create_task(self._judge_room(queue))

    async def _judge_room(self, queue: asyncio.Queue[_Asked | str]) -> None:
        while True:
            item = await queue.get()
            asked = [item] if isinstance(item, _Asked) else list(self._pending.get(item, {}).values())
            for one in asked:
                try:
                    async with self._judging:
                        await self._judge(one)
                except StorageError as error:
                    # Not answered: the room asks again.
                    log.error("checkpoint_not_judged", id=_id_of(one), hearing=one.head.hearing, why=error.message)
                except Exception:
                    # What nobody foresaw costs this question, which the room asks again, and not the center.
                    log.exception("checkpoint_failed", id=_id_of(one), hearing=one.head.hearing)

    async def of_hearing(self, hearing: str) -> ProofProgress:
        """`integrity` of docs/protocol.md."""
        c = t.checkpoints.c
        query = select(c.size, c.note, c.refused, c.token).where(c.hearing == hearing).order_by(c.size.desc())

        def work(connection: Connection) -> list[Any]:
            best = connection.execute(query.where(c.refused == "").limit(1)).first()
            fork = connection.execute(query.where(c.refused != "").limit(1)).first()
            return [best, fork]

        best, fork = await self._db.read(work)
        verifier = notes.Verifier(CENTER, self._key.public_key(), notes.COSIGNATURE)
        try:
            at_s = None if best is None else notes.signed_by(notes.read_note(best.note), verifier)
        except LedgerError:
            best = at_s = None
        return {
            "witnessed_leaves": 0 if best is None else best.size,
            "witnessed_utc_ns": None if at_s is None else at_s * NS_PER_S,
            "refused": None if fork is None else fork.refused,
            "stamped": best is not None and best.token is not None,
        }

    def _put(self, room: str, item: _Asked | str) -> None:
        try:
            self._queues[room].put_nowait(item)
        except asyncio.QueueFull:
            log.warning("checkpoints_dropped", room=room, next="the room asks again")

    async def _judge(self, asked: _Asked) -> None:
        head = asked.head
        counted = self._counted.get(head.hearing, -1)
        self._counting[head.hearing] = head.last_number
        try:
            key = await self._device(asked)
            judged = await self._db.read(lambda connection: _examine(connection, asked.room, head, counted))
            text = judged.known or await self._cosign(asked, key, judged.peaks)
        except _MissingError:
            self._wait(asked)
            return
        except LedgerError as error:
            self._done(head)
            why = error.code if error.code in ("fork", "signature", "device") else "form"
            log.warning(
                "checkpoint_refused",
                id=_id_of(asked),
                room=asked.room,
                hearing=head.hearing,
                size=head.size,
                why=error.message,
            )
            if why == "fork":
                await self._keep_fork(asked)
            self._refuse(asked, why)
            return
        finally:
            whole = self._counting.pop(head.hearing, -1) == head.last_number
        self._done(head)
        if whole:
            self._counted[head.hearing] = max(self._counted.get(head.hearing, -1), head.last_number)
            self._counted.move_to_end(head.hearing)
            while len(self._counted) > COUNTED_HEARINGS:
                self._counted.popitem(last=False)
        self.answered += 1
        log.debug("checkpoint_cosigned", id=_id_of(asked), room=asked.room, size=head.size)
        value = {"hearing": head.hearing, "size": head.size, "note": text}
        # The cosignature is the center's signed word by itself. If the broker is away the room asks again.
        self._broker.publish(asked.room, topics.WITNESS, json.dumps(value, ensure_ascii=False).encode(), qos=1)

    async def _device(self, asked: _Asked) -> Ed25519PublicKey:
        """The key that signed, if it may sign now."""
        for device in await self._enrollment.devices(asked.room):
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(device.public_key))
            if notes.signed_by(asked.note, notes.Verifier(asked.room, key)) is None:
                continue
            if device.revoked_utc_ns is not None:
                continue  # the same key may have been enrolled again
            try:
                now = dt.datetime.fromtimestamp(self._utc_ns() // NS_PER_S, dt.UTC)
                check_certificate(device.certificate.encode(), asked.room, self._key.public_key(), now)
            except LedgerError as error:
                raise LedgerError(error.message, code="device") from error
            return key
        raise LedgerError("no device of this room that may sign now has signed this", code="device")

    async def _cosign(self, asked: _Asked, key: Ed25519PublicKey, peaks: tuple[bytes, ...]) -> str:
        """Store the cosigned note; it is on disk when this returns. `LedgerError` "fork" where another tree is."""
        device = notes.Verifier(asked.room, key)
        own = next(line for line in asked.note.lines if (line[0], line[1][:4]) == (device.name, device.key_id))
        line = notes.cosign(asked.note, CENTER, self._key, self._utc_ns() // NS_PER_S)
        text = notes.Note(asked.note.text, (own, line)).to_text()
        values = {**self._row(asked, ""), "note": text, "peaks": b"".join(peaks).hex()}
        head, c = asked.head, t.checkpoints.c
        witnessed = select(c.root, c.note).where(c.hearing == head.hearing, c.size == head.size, c.refused == "")

        def work(connection: Connection) -> str:
            if insert_once(connection, t.checkpoints, values):
                return text
            # Another process has judged one of this size meanwhile, or this tree was refused before.
            first = connection.execute(witnessed).first()
            if first is None or first.root != head.root.hex():
                raise LedgerError("another tree of this size was witnessed", code="fork")
            return str(first.note)

        return await self._db.write(work)

    async def _keep_fork(self, asked: _Asked) -> None:
        head = asked.head
        row = self._row(asked, "fork")

        def work(connection: Connection) -> None:
            c = t.checkpoints.c
            forks = connection.execute(select(c.root, c.size).where(c.hearing == head.hearing, c.refused != "")).all()
            taken = connection.execute(
                select(c.refused).where(c.hearing == head.hearing, c.size == head.size, c.root == row["root"])
            ).first()
            if taken is None and len(forks) < KEPT_FORKS:
                insert_once(connection, t.checkpoints, row)

        await self._db.write(work)
        self._rooms.alarm(asked.room, "fork", FORK_WORDS.format(hearing=head.hearing))
        self._audit.note("fork", "device", asked.room, f"{head.hearing} {head.size} {head.root.hex()}")

    def _row(self, asked: _Asked, refused: str) -> dict[str, Any]:
        head = asked.head
        return {
            "hearing": head.hearing,
            "size": head.size,
            "root": head.root.hex(),
            "room": asked.room,
            "last_number": head.last_number,
            "peaks": "",
            "note": asked.note.to_text(),
            "refused": refused,
            "stored_utc_ns": self._utc_ns(),
        }

    async def _remember_forks(self) -> None:
        """A restart must not take the alarm off the wall."""
        c = t.checkpoints.c
        since = self._utc_ns() - FORK_DAYS * 86_400 * NS_PER_S
        query = select(c.room, c.hearing).where(c.refused == "fork", c.stored_utc_ns > since).distinct()
        for room, hearing in await self._db.read(lambda connection: connection.execute(query).all()):
            if room in self._rooms:
                self._rooms.alarm(room, "fork", FORK_WORDS.format(hearing=hearing))

    def _wait(self, asked: _Asked) -> None:
        sizes = self._pending.setdefault(asked.head.hearing, {})
        sizes[asked.head.size] = asked
        if len(sizes) > PENDING_SIZES:
            del sizes[min(sizes)]
        while len(self._pending) > PENDING_HEARINGS:
            self._pending.popitem(last=False)

    def _done(self, head: Checkpoint) -> None:
        sizes = self._pending.get(head.hearing, {})
        sizes.pop(head.size, None)
        if not sizes:
            self._pending.pop(head.hearing, None)

    def _refuse(self, asked: _Asked, why: str) -> None:
        """Said of this very note, so that an old refusal is none of a later note."""
        self.refused[why] += 1
        refusal = {"hearing": asked.head.hearing, "size": asked.head.size, "refused": why}
        text = json.dumps({**refusal, "of": notes.note_digest(asked.note)}, ensure_ascii=False)
        self._publisher.tell(asked.room, "witness", text, before=refusal, qos=1)


def _examine(connection: Connection, room: str, head: Checkpoint, counted: int) -> _Judged:
    """Whether the tree that `head` says is the one over the stored events; `LedgerError` "fork" when it is not.

    `counted`: up to that number all stored events are in the trees that were witnessed.
    """
    e, c = t.events.c, t.checkpoints.c
    owner = connection.execute(select(e.room).where(e.hearing == head.hearing).limit(1)).scalar()
    if owner is None:
        raise _MissingError
    if owner != room:
        raise LedgerError("the hearing is another room's", code="form")
    witnessed = select(c.size, c.root, c.last_number, c.peaks, c.note).where(c.hearing == head.hearing, c.refused == "")
    before = connection.execute(witnessed.where(c.size <= head.size).order_by(c.size.desc()).limit(1)).first()
    upto = (e.hearing == head.hearing) & (e.number <= head.last_number)
    known, last = (before.size, before.last_number) if before is not None and before.last_number <= counted else (0, -1)
    more, newest = connection.execute(select(func.count(), func.max(e.number)).where(upto, e.number > last)).one()
    count = known + more
    if count > head.size:
        raise LedgerError(f"the room signed {head.size} leaves, {count} are here", code="fork")
    if count < head.size or (newest if more else last) != head.last_number:
        raise _MissingError
    if before is not None and before.size == head.size:
        if before.root != head.root.hex():
            raise LedgerError("another tree of this size was witnessed", code="fork")
        return _Judged(known=before.note)
    tree = Tree() if before is None else Tree(before.size, _peaks(before.peaks))
    rows = connection.execute(
        select(t.events).where(upto, e.number > (0 if before is None else before.last_number)).order_by(e.number)
    )
    for row in rows:
        try:
            event = Event(row.number, row.hearing, row.kind, row.room_ns, row.utc_ns, json.loads(row.body))
        except ValueError as error:
            raise StorageError(f"event {row.number} of {room} is damaged in the record store") from error
        tree.append(leaf_hash(leaf_of(event)))
    if tree.size != head.size or tree.root() != head.root:
        raise LedgerError(f"the tree over the {head.size} stored leaves has another root", code="fork")
    return _Judged(peaks=tree.peaks)


def _id_of(asked: _Asked) -> str:
    """As the logs of room and center name it."""
    return checkpoint_id(notes.note_digest(asked.note))


def _peaks(text: str) -> list[bytes]:
    data = bytes.fromhex(text)
    return [data[i : i + HASH_BYTES] for i in range(0, len(data), HASH_BYTES)]
