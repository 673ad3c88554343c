"""The room's notary: signs checkpoints of every hearing's ledger as it grows, and seals the hearing after its close.

Promises: the tree is over exactly the events of the room's log, in the order of their numbers; no two checkpoints of
one size are ever signed; a hearing is sealed when every track is on disk or declared missing to its end and the
transcriber has nothing left to say (or came no further for `GIVE_UP_S`: then the seal says so); words that come later
are sealed again; a hearing that was left unsealed by a crash is sealed after the next start. A closed hearing that has
no seal after `UNSEALED_S`, or whose ledger is broken, is an alarm of the room. So is a signer that is away: what it
would sign waits, and is signed when it is back. Recording never waits for any of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from edge.integrity import unsealed
from edge.integrity.signer_watch import SignerWatch
from edge.integrity.unsealed import Why
from edge.state.shown import Words
from sync.errors import LedgerError, StorageError
from sync.ledger import note
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.leaf import leaf_of
from sync.ledger.seal import body_of, missing
from sync.ledger.signing_key import SigningKey
from sync.ledger.tree import Tree, leaf_hash
from sync.record.event import DAMAGED, Event, seal_key
from sync.record.hearing import Hearing
from sync.room.checkpoints import Checkpoints
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.follower import UNREADABLE
from sync.room.messages import RoomAlarm
from sync.runtime.units import NS_PER_S

log = structlog.get_logger(__name__)

LOOK_S = 1.0
SIGN_S = 3.0
SETTLE_S = 2.0
"""Nothing has been said of the hearing for so long: the last alarms and words are in."""
RESETTLE_S = 20.0
"""The same after a first seal: corrections and signatures come one by one, and each seal is a whole one."""
RESEAL_S = 300.0
"""Words that go on and on after a seal are sealed again after so long all the same."""
GIVE_UP_S = 600.0
"""A transcriber that is absent, or comes no further, for so long is not waited for."""
FURTHER_S = 1.0
"""Less than this is no progress of the transcriber: when its status comes varies by as much."""
UNSEALED_S = 900.0
"""A hearing that was closed so long ago and has no seal is an alarm."""
AGAIN_S = 60.0
"""So long after a start such a hearing may still be sealed without one."""


@dataclass(slots=True)
class _Ledger:
    """One hearing that is not sealed, or has words after its seal."""

    hearing: Hearing
    tree: Tree = field(default_factory=Tree)
    kind: str = ""
    """Of the last event."""
    said_s: float = 0.0
    """When something was last said of it."""
    closed_s: float | None = None
    """Since when it waits to be sealed."""
    words: Words = Words.BUSY
    """What the transcriber was for it at the last look, since `words_s`."""
    words_s: float = 0.0
    heard_s: float | None = None
    """The furthest that the transcriber has come (room time) since it was there."""
    moved_s: float = 0.0
    """When it came further."""
    seals: int = 0
    signed: int = 0
    why: Why | None = None
    """What holds the seal back, at the last look."""
    broken: bool = False
    """An event cannot be a leaf: there is no ledger of this hearing any more, and no seal."""


class Notary:
    """`step` works in one thread at a time; `run` calls it."""

    def __init__(
        self,
        address: str,
        key: SigningKey,
        clock: RoomClock,
        room_log: RoomLog,
        checkpoints: Checkpoints,
        *,
        words: Callable[[str], Words],
        heard: Callable[[], float | None] = lambda: None,
        said: Callable[[int], None] = lambda number: None,
        tell: Callable[[Sequence[RoomAlarm]], None] = lambda alarms: None,
        probe: Callable[[], object] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`address` is `court/room`; `words(hearing)` is what is known of the transcriber, `heard()` up to which room
        time (s) it has come, None while nobody knows. `probe()` raises `LedgerError` while the key's signer is away.
        On the event loop, `said(number)` is called after a seal was appended, and `tell` with all alarms that are on
        when they change.
        """
        self._address = address
        self._key = key
        self._clock = clock
        self._log = room_log
        self._checkpoints = checkpoints
        self._words = words
        self._heard = heard
        self._said = said
        self._notify = tell
        self._told: list[RoomAlarm] | None = None  # also that there is none is said once
        self._monotonic = monotonic
        self._signer = SignerWatch(probe, clock.now_ns, monotonic=monotonic)
        self._ledgers: dict[str, _Ledger] = {}
        self._number: int | None = None
        self._signed_s = float("-inf")
        self._kick = asyncio.Event()

    def kick(self) -> None:
        """There is something new in the log."""
        self._kick.set()

    async def run(self) -> None:
        """Sign and seal for ever."""
        while True:
            self._kick.clear()
            try:
                for number in await asyncio.to_thread(self.step):
                    self._said(number)
            except StorageError as error:
                log.error("notary_waits", why=error.message)
            if (alarms := self.alarms()) != self._told:
                self._told = alarms
                self._notify(alarms)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._kick.wait()
            await asyncio.sleep(0.1)  # events come in groups

    def step(self) -> list[int]:
        """Read what is new, seal what can be, sign what grew; the numbers of new seals."""
        self._signer.look()
        now_s = self._monotonic()
        self._read(now_s)
        seals = [number for ledger in list(self._ledgers.values()) if (number := self._try_seal(ledger, now_s))]
        if seals:
            self._read(now_s)
        if seals or now_s - self._signed_s >= SIGN_S:
            self._signed_s = now_s
            for ledger in list(self._ledgers.values()):
                self._sign(ledger)
        return seals

    def alarms(self) -> list[RoomAlarm]:
        """Of a signer that is away, and of hearings that a person must know are not sealed, the oldest first. Not while
        a step runs."""
        now_s, now_ns = self._monotonic(), self._clock.now_ns()
        found: list[RoomAlarm] = []
        for name, ledger in sorted(self._ledgers.items()):
            since_ns = ledger.hearing.closed_ns or ledger.hearing.opened_ns
            if ledger.broken or self._is_late(ledger, now_s, now_ns):
                found.append(unsealed.alarm(name, ledger.why or unsealed.UNREAD, since_ns))
        return [*self._signer.alarms(), *found[: unsealed.MOST_TOLD]]

    def _is_late(self, ledger: _Ledger, now_s: float, now_ns: int) -> bool:
        if ledger.closed_s is None:
            return False
        closed_ns = ledger.hearing.closed_ns
        if now_s - ledger.closed_s >= UNSEALED_S:
            return True
        # It was so before this service started.
        late = ledger.seals == 0 and closed_ns is not None and now_ns - closed_ns >= UNSEALED_S * NS_PER_S
        return late and now_s - ledger.closed_s >= AGAIN_S

    def _read(self, now_s: float) -> None:
        if self._number is None:
            start = self._log.last_number()
            for hearing in self._checkpoints.unfinished():
                self._load(hearing, start, now_s)
            self._number = start
        while events := self._log.since(self._number, mark=True):
            for event in events:
                if event.hearing is not None:
                    ledger = self._ledgers.get(event.hearing)
                    if ledger is None:
                        self._load(event.hearing, event.number, now_s)
                    else:
                        self._take(ledger, event, now_s)
                self._number = event.number

    def _load(self, hearing: str, until: int, now_s: float) -> None:
        ledger = _Ledger(Hearing(hearing))
        for event in self._log.of_hearing(hearing, mark=True):
            if event.number <= until:
                self._take(ledger, event, now_s)
        last = self._checkpoints.last(hearing)
        ledger.signed = 0 if last is None else last.size
        self._ledgers[hearing] = ledger

    def _take(self, ledger: _Ledger, event: Event, now_s: float) -> None:
        ledger.kind, ledger.said_s = event.kind, now_s
        if ledger.broken:
            return
        try:
            if DAMAGED in event.body:
                raise LedgerError(f"its body cannot be read: {event.body[DAMAGED]}", code="leaf")
            ledger.tree.append(leaf_hash(leaf_of(event)))
            ledger.hearing.apply(event)
            if event.kind == "open":
                missing(ledger.hearing)  # its list of tracks is one
        except (LedgerError, *UNREADABLE) as error:
            log.error("ledger_broken", hearing=event.hearing, number=event.number, why=repr(error))
            ledger.broken = True
            ledger.why = unsealed.broken(event.number, event.kind, str(error) or type(error).__name__)
            return
        if event.kind == "seal":
            ledger.seals += 1
            ledger.closed_s = ledger.why = None
        elif ledger.hearing.closed_ns is not None and ledger.closed_s is None:
            ledger.closed_s = now_s

    def _try_seal(self, ledger: _Ledger, now_s: float) -> int | None:
        try:
            return self._seal(ledger, now_s)
        except StorageError as error:  # of this one; another may be whole
            log.error("seal_waits", hearing=ledger.hearing.id, why=error.message)
            ledger.why = unsealed.refused(error.message)
            return None

    def _is_done(self, ledger: _Ledger, now_s: float) -> bool:
        """Whether the transcriber has said all, or is not waited for any more."""
        words = self._words(ledger.hearing.id)
        if words is not ledger.words:
            ledger.words, ledger.words_s, ledger.heard_s = words, now_s, None
        heard_s = self._heard()
        if words is Words.BUSY and heard_s is not None:
            if ledger.heard_s is None:
                ledger.heard_s = heard_s
            elif heard_s - ledger.heard_s >= FURTHER_S:
                ledger.heard_s, ledger.moved_s = heard_s, now_s
        if ledger.closed_s is None:
            return False
        if words is Words.DONE:
            return now_s - max(ledger.words_s, ledger.closed_s) >= SETTLE_S
        # A transcriber that comes and goes and one that stands still are one: nothing is said.
        return now_s - max(ledger.said_s, ledger.moved_s, ledger.closed_s) >= GIVE_UP_S

    def _seal(self, ledger: _Ledger, now_s: float) -> int | None:
        """Append the seal if everything is in; its number."""
        name = ledger.hearing.id
        done = self._is_done(ledger, now_s)
        words = ledger.words
        if ledger.broken or ledger.closed_s is None:
            return None
        holes = missing(ledger.hearing)
        if holes or not done:
            ledger.why = unsealed.missing(holes) if holes else unsealed.WORDS
            return None
        quiet_s = SETTLE_S if ledger.seals == 0 else RESETTLE_S
        if now_s - ledger.said_s < quiet_s and (ledger.seals == 0 or now_s - ledger.closed_s < RESEAL_S):
            return None
        try:
            events = self._log.of_hearing(name)
            body = body_of(ledger.seals, ledger.tree, events, words_complete=words is Words.DONE)
            event = self._log.append(
                "seal",
                body,
                hearing=name,
                room_ns=self._clock.now_ns(),
                utc_ns=self._clock.utc_now_ns(),
                key=seal_key(name, ledger.seals),
                after=ledger.hearing.last_number,
            )
        except LedgerError as error:
            log.info("seal_waits", hearing=name, why=error.message)
            ledger.why = unsealed.refused(error.message)
            return None
        log.info("sealed", hearing=name, index=ledger.seals, leaves=ledger.tree.size, words=words.value)
        return event.number

    def _sign(self, ledger: _Ledger) -> None:
        name, tree = ledger.hearing.id, ledger.tree
        if not ledger.broken and tree.size > ledger.signed:
            head = Checkpoint(
                self._address, name, tree.size, tree.root(), ledger.hearing.last_number, self._clock.utc_now_ns()
            )
            try:
                signed = note.sign(head.to_text(), self._address, self._key)
            except LedgerError as error:  # the next look tries again
                log.error("checkpoint_waits", hearing=name, leaves=tree.size, why=error.message)
                self._signer.failed(name, error)
                return
            self._signer.signed(name)
            self._checkpoints.add(name, tree.size, signed.to_text(), seal=ledger.kind == "seal")
            ledger.signed = tree.size
        if ledger.kind == "seal":
            del self._ledgers[name]
