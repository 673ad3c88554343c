"""The witness: countersigns what a room signed of a hearing's ledger, when the center holds all of it itself.

In this order: (1) the note's form, (2) a device of this room that is certified and not revoked, (3) every event of the
hearing up to the last one named is stored here, no more and no fewer, (4) the tree over them continues the one that was
witnessed before, and has the root that the device signed. Only then the note is cosigned, stored and synced, and after
that the room is answered. A tree that differs is a *fork*: refused, kept as proof beside what was witnessed, alarmed.
An old tree that is a true beginning is answered as it was, and changes nothing. While events are missing nothing is
answered: it is looked at again when events come, and the room asks again.

Rooms are judged beside each other, each in its own order and in turns (`server.integrity.waiting_heads`): what one of
them has to wait for, a long ledger or a damaged disk, holds up no other. What is judged is judged in a thread
(`server.integrity.examination`); what was found true by then is written down together (`server.integrity.cosigner`). Of
a hearing only the newest few heads wait; what was dropped is answered, too: ask again then. What was counted once
is not counted again: after a witnessed tree only the events beyond it are, unless one came since that belongs before
its end. The first checkpoint of a hearing after a start counts all.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, select

from server.access.audit import Audit
from server.events.admission import Received
from server.ingest.mqtt import CenterBroker
from server.ingest.signed_publisher import SignedPublisher
from server.integrity.cosigner import Cosigner
from server.integrity.examination import HeadFinding, examine
from server.integrity.note_signers import NoteSigners
from server.integrity.waiting_heads import AskedHead, JudgedTurn, WaitingHeads
from server.rooms import Rooms
from server.store import tables as t
from server.store.database import Database, insert_once
from sync import topics
from sync.errors import CenterError, LedgerError, StorageError
from sync.ledger import note as notes
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.keys import CENTER
from sync.ledger.progress import ProofProgress
from sync.runtime.logs.log_ids import checkpoint_id
from sync.runtime.units import NS_PER_S

log = structlog.get_logger(__name__)

MAX_NOTE_BYTES = 4096
AT_ONCE = 2
"""So many rooms are judged at a time; the other readers of the database stay free for screens."""
COUNTED_HEARINGS = 2000
KEPT_FORKS = 20
"""Of one hearing; more of them would prove nothing more."""
FORK_DAYS = 30
"""So long a restart puts the alarm back on the wall; the proof stays for good."""
FORK_WORDS = (
    "庭审 {hearing} 的记录与中心所存不一致，已拒绝见证 (fork: the room signed another record than is held here)"
)
AGAIN_S = 2.0
"""When a room may ask again for a head that had no room."""
AGAIN_A_SECOND = 16
"""So many of them are answered, of a room: who floods the witness costs no more signatures than that."""


@dataclass(slots=True)
class _Flight:
    """What is being judged of a room."""

    hearing: str
    last_number: int
    """Of the largest head."""
    disturbed: bool = False
    """An event came that belongs before its end."""
    has_come: bool = False
    """Events of the hearing came."""


class Witness:
    """All methods belong to one event loop; checkpoints of a room are judged one after the other."""

    def __init__(
        self,
        database: Database,
        key: Ed25519PrivateKey,
        rooms: Rooms,
        audit: Audit,
        broker: CenterBroker,
        publisher: SignedPublisher,
        *,
        utc_ns: Callable[[], int] = time.time_ns,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = database
        self._key = key
        self._rooms = rooms
        self._audit = audit
        self._broker = broker
        self._publisher = publisher
        self._utc_ns = utc_ns
        self._monotonic_s = monotonic_s
        self._signers = NoteSigners(key.public_key())
        self._cosigner = Cosigner(database)
        self._heads = WaitingHeads()
        self._come = asyncio.Event()
        self._judging = asyncio.Semaphore(AT_ONCE)
        self._flights: dict[str, _Flight] = {}
        self._counted: OrderedDict[str, int] = OrderedDict()
        """hearing -> number of the event up to which what is stored was found to be what was witnessed."""
        self._told_again: dict[str, tuple[int, int]] = {}
        """room -> (second, how often it was told in it to ask again)."""
        self.answered = 0
        """Checkpoints that were answered with a cosignature."""
        self.refused: Counter[str] = Counter()
        """Checkpoints that were not, by why."""

    @property
    def waiting(self) -> int:
        """What waits to be judged; checkpoints that wait for their events are not among it."""
        return len(self._heads)

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
        asked = AskedHead(room, note, head)
        if head.room != room or not head.size:
            self._refuse(asked, "form")
            return
        self._tell_again(self._heads.put(asked))
        self._come.set()

    def stored(self, events: Iterable[Received]) -> None:
        """Events that are new and on disk: what waited for them is looked at again."""
        waiting: dict[tuple[str, str], None] = {}
        for received in events:
            hearing = received.event.hearing
            if hearing is None:
                continue
            # One that is in no tree that was witnessed, though before its end: the next must count it.
            if received.event.number <= self._counted.get(hearing, -1):
                del self._counted[hearing]
            flight = self._flights.get(received.room)
            if flight is not None and flight.hearing == hearing:
                flight.has_come = True
                flight.disturbed = flight.disturbed or received.event.number <= flight.last_number
            waiting[received.room, hearing] = None
        for room, hearing in waiting:
            self._tell_again(self._heads.wake(room, hearing))
        self._come.set()

    def forget(self) -> None:
        """Another process may have stored and witnessed meanwhile: everything is counted again from what is stored."""
        self._counted.clear()
        for flight in self._flights.values():
            flight.disturbed = True

    async def run(self) -> None:
        """Judge for ever."""
        await self._remember_forks()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._cosigner.run())
            while True:
                await self._judging.acquire()
                while (turn := self._heads.take()) is None:
                    self._come.clear()
                    await self._come.wait()
                group.create_task(self._judge(turn))

    async def of_hearing(self, hearing: str) -> ProofProgress:
        """`integrity` of docs/protocol.md."""
        c = t.checkpoints.c
        query = select(c.size, c.note, c.refused, c.token).where(c.hearing == hearing).order_by(c.size.desc())

        verifier = notes.Verifier(CENTER, self._key.public_key(), notes.COSIGNATURE)

        def work(connection: Connection) -> list[Any]:
            best = connection.execute(query.where(c.refused == "").limit(1)).first()
            fork = connection.execute(query.where(c.refused != "").limit(1)).first()
            try:
                return [best, fork, None if best is None else notes.signed_by(notes.read_note(best.note), verifier)]
            except LedgerError:
                return [None, fork, None]

        best, fork, at_s = await self._db.read(work)
        return {
            "witnessed_leaves": 0 if best is None else best.size,
            "witnessed_utc_ns": None if at_s is None else at_s * NS_PER_S,
            "refused": None if fork is None else fork.refused,
            "stamped": best is not None and best.token is not None,
        }

    async def _judge(self, turn: JudgedTurn) -> None:
        """Examine the heads of a turn, write down what is true of them, and answer."""
        flight = self._flights[turn.room] = _Flight(turn.hearing, max(one.head.last_number for one in turn.heads))
        try:
            try:
                findings = await self._examine(turn)
            finally:
                # What waits for the disk now holds up no room that is still to be judged.
                self._judging.release()
            # Beside each other, so that all of them are in one transaction.
            outcomes = await asyncio.gather(*(self._answer(one, flight) for one in findings), return_exceptions=True)
            for outcome in outcomes:
                if isinstance(outcome, BaseException):
                    raise outcome
        except StorageError as error:
            # Not answered: the room asks again.
            log.error("checkpoint_not_judged", hearing=turn.hearing, why=error.message)
        except Exception:
            # What nobody foresaw costs this question, which the room asks again, and not the center.
            log.exception("checkpoint_failed", hearing=turn.hearing)
        finally:
            del self._flights[turn.room]
            if flight.has_come:
                # What was found to be missing may have come since the events were read.
                self._tell_again(self._heads.wake(turn.room, turn.hearing))
            self._heads.done(turn.room)
            self._come.set()

    async def _examine(self, turn: JudgedTurn) -> list[HeadFinding]:
        counted, now_s = self._counted.get(turn.hearing, -1), self._utc_ns() // NS_PER_S

        def signer_of(connection: Connection, asked: AskedHead) -> notes.Verifier:
            return self._signers.of(connection, asked.room, asked.note, now_s)

        def work(connection: Connection) -> list[HeadFinding]:
            found = examine(connection, turn.heads, counted, signer_of)
            # Here, and not when they are written: what is ready at once is written at once.
            return [self._countersigned(one) if one.signer and not one.known else one for one in found]

        return await self._db.read(work)

    def _countersigned(self, found: HeadFinding) -> HeadFinding:
        asked, device = found.asked, found.signer
        assert device is not None
        own = next(line for line in asked.note.lines if (line[0], line[1][:4]) == (device.name, device.key_id))
        line = notes.cosign(asked.note, CENTER, self._key, self._utc_ns() // NS_PER_S)
        return replace(found, cosigned=notes.Note(asked.note.text, (own, line)).to_text())

    async def _answer(self, found: HeadFinding, flight: _Flight) -> None:
        asked, head = found.asked, found.asked.head
        if found.missing:
            self._tell_again(self._heads.park(asked.room, asked.hearing, [asked]))
            return
        try:
            if found.unreadable is not None:
                raise found.unreadable
            if found.refused is not None:
                raise found.refused
            text = found.known or await self._cosign(found)
        except StorageError as error:
            # Not answered: the room asks again.
            log.error("checkpoint_not_judged", hearing=head.hearing, why=error.message)
            return
        except LedgerError as error:
            await self._deny(asked, error)
            return
        if not flight.disturbed:
            self._counted[head.hearing] = max(self._counted.get(head.hearing, -1), head.last_number)
            self._counted.move_to_end(head.hearing)
            while len(self._counted) > COUNTED_HEARINGS:
                self._counted.popitem(last=False)
        self.answered += 1
        log.debug("checkpoint_cosigned", id=_id_of(asked), room=asked.room, size=head.size)
        value = {"hearing": head.hearing, "size": head.size, "note": text}
        # The cosignature is the center's signed word by itself. If the broker is away the room asks again.
        self._broker.publish(asked.room, topics.WITNESS, json.dumps(value, ensure_ascii=False).encode(), qos=1)

    async def _cosign(self, found: HeadFinding) -> str:
        """Store the cosigned note; it is on disk when this returns. `LedgerError` "fork" where another tree is."""
        row = {**self._row(found.asked, ""), "note": found.cosigned, "peaks": b"".join(found.peaks).hex()}
        return await self._cosigner.store(row)

    async def _deny(self, asked: AskedHead, error: LedgerError) -> None:
        why = error.code if error.code in ("fork", "signature", "device") else "form"
        log.warning(
            "checkpoint_refused",
            id=_id_of(asked),
            room=asked.room,
            hearing=asked.hearing,
            size=asked.head.size,
            why=error.message,
        )
        if why == "fork":
            await self._keep_fork(asked)
        self._refuse(asked, why)

    async def _keep_fork(self, asked: AskedHead) -> None:
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

        await self._db.write(work, of_rooms=[asked.room])
        self._rooms.alarm(asked.room, "fork", FORK_WORDS.format(hearing=head.hearing))
        self._audit.note("fork", "device", asked.room, f"{head.hearing} {head.size} {head.root.hex()}")

    def _row(self, asked: AskedHead, refused: str) -> dict[str, Any]:
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

    def _refuse(self, asked: AskedHead, why: str) -> None:
        """Said of this very note, so that an old refusal is none of a later note."""
        self.refused[why] += 1
        refusal = {"hearing": asked.head.hearing, "size": asked.head.size, "refused": why}
        text = json.dumps({**refusal, "of": notes.note_digest(asked.note)}, ensure_ascii=False)
        self._publisher.tell(asked.room, "witness", text, before=refusal, qos=1)

    def _tell_again(self, dropped: list[AskedHead]) -> None:
        """Of heads that had no room: their room need not wait for as long as it waits for an answer that is lost."""
        for asked in dropped:
            second = int(self._monotonic_s())
            since, count = self._told_again.get(asked.room, (second, 0))
            count = count + 1 if since == second else 1
            self._told_again[asked.room] = second, count
            if count > AGAIN_A_SECOND:
                continue
            said = {"hearing": asked.hearing, "size": asked.head.size, "again_s": AGAIN_S}
            text = json.dumps({**said, "of": notes.note_digest(asked.note)}, ensure_ascii=False)
            self._publisher.tell(asked.room, "witness", text, qos=1)


def _id_of(asked: AskedHead) -> str:
    """As the logs of room and center name it."""
    return checkpoint_id(notes.note_digest(asked.note))
