"""The room's notary: signs checkpoints of every hearing's ledger as it grows, and seals the hearing after its close.

Promises: the tree is over exactly the events of the room's log, in the order of their numbers; no two checkpoints of
one size are ever signed; a hearing is sealed when every track is on disk or declared missing to its end and the
transcriber has nothing left to say (or was absent for `GIVE_UP_S`: then the seal says so); words that come later are
sealed again; a hearing that was left unsealed by a crash is sealed after the next start. Recording never waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.checkpoints import Checkpoints
from sync.clock import RoomClock
from sync.errors import LedgerError, StorageError
from sync.hearing import Hearing
from sync.ledger import note
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.leaf import leaf_of
from sync.ledger.seal import body_of, missing
from sync.ledger.tree import Tree, leaf_hash
from sync.roomlog import Event, RoomLog, seal_key

log = structlog.get_logger(__name__)

LOOK_S = 1.0
SIGN_S = 3.0
SETTLE_S = 2.0
"""Nothing has been said of the hearing for so long: the last alarms and words are in."""
GIVE_UP_S = 600.0
"""A transcriber that is absent for so long is not waited for."""


class Words(StrEnum):
    """What the room knows of its transcriber."""

    DONE = "done"
    BUSY = "busy"
    ABSENT = "absent"


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
    seals: int = 0
    signed: int = 0
    broken: bool = False
    """An event cannot be a leaf: there is no ledger of this hearing any more, and no seal."""


class Notary:
    """`step` works in one thread at a time; `run` calls it."""

    def __init__(
        self,
        address: str,
        key: Ed25519PrivateKey,
        clock: RoomClock,
        room_log: RoomLog,
        checkpoints: Checkpoints,
        *,
        words: Callable[[str], Words],
        said: Callable[[int], None] = lambda number: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`address` is `court/room`; `words(hearing)` is what is known of the transcriber; `said(number)` is called on
        the event loop after a seal was appended."""
        self._address = address
        self._key = key
        self._clock = clock
        self._log = room_log
        self._checkpoints = checkpoints
        self._words = words
        self._said = said
        self._monotonic = monotonic
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
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._kick.wait()
            await asyncio.sleep(0.1)  # events come in groups

    def step(self) -> list[int]:
        """Read what is new, seal what can be, sign what grew; the numbers of new seals."""
        now_s = self._monotonic()
        self._read(now_s)
        seals = [number for ledger in list(self._ledgers.values()) if (number := self._seal(ledger, now_s))]
        if seals:
            self._read(now_s)
        if seals or now_s - self._signed_s >= SIGN_S:
            self._signed_s = now_s
            for ledger in list(self._ledgers.values()):
                self._sign(ledger)
        return seals

    def _read(self, now_s: float) -> None:
        if self._number is None:
            start = self._log.last_number()
            for hearing in self._checkpoints.unfinished():
                self._load(hearing, start, now_s)
            self._number = start
        while events := self._log.since(self._number):
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
        for event in self._log.of_hearing(hearing):
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
            ledger.tree.append(leaf_hash(leaf_of(event)))
            ledger.hearing.apply(event)
        except (LedgerError, KeyError, TypeError, ValueError) as error:
            log.error("ledger_broken", hearing=event.hearing, number=event.number, why=repr(error))
            ledger.broken = True
            return
        if event.kind == "seal":
            ledger.seals += 1
            ledger.closed_s = None
        elif ledger.hearing.closed_ns is not None and ledger.closed_s is None:
            ledger.closed_s = now_s

    def _seal(self, ledger: _Ledger, now_s: float) -> int | None:
        """Append the seal if everything is in; its number."""
        name = ledger.hearing.id
        words = self._words(name)
        if words is not ledger.words:
            ledger.words, ledger.words_s = words, now_s
        if ledger.broken or ledger.closed_s is None or now_s - ledger.said_s < SETTLE_S:
            return None
        wait_s = {Words.DONE: SETTLE_S, Words.ABSENT: GIVE_UP_S}.get(words, float("inf"))
        if now_s - max(ledger.words_s, ledger.closed_s) < wait_s or missing(ledger.hearing):
            return None
        body = body_of(ledger.seals, ledger.tree, self._log.of_hearing(name), words_complete=words is Words.DONE)
        try:
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
            return None
        log.info("sealed", hearing=name, index=ledger.seals, leaves=ledger.tree.size, words=words.value)
        return event.number

    def _sign(self, ledger: _Ledger) -> None:
        name, tree = ledger.hearing.id, ledger.tree
        if not ledger.broken and tree.size > ledger.signed:
            head = Checkpoint(
                self._address, name, tree.size, tree.root(), ledger.hearing.last_number, self._clock.utc_now_ns()
            )
            signed = note.sign(head.to_text(), self._address, self._key)
            self._checkpoints.add(name, tree.size, signed.to_text(), seal=ledger.kind == "seal")
            ledger.signed = tree.size
        if ledger.kind == "seal":
            del self._ledgers[name]
