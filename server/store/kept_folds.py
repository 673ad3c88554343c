"""Hearings that are looked at, folded once and kept: a page that is opened again costs what has happened since.

Promises: what `use` gives is the fold of exactly the events that are stored when it asks. New events are added to a
kept fold; one that comes late, before others that are in it, has the hearing folded anew. A fold is used by one thread
at a time, and never from outside of `use`. All that is kept is bounded in bytes, and what was not looked at for longest
goes first. Encoded pages are kept with their fold, under a key that says for whom, and all of them go when an event
comes. Refuses to judge who may see what: whoever keeps a page puts into its key all that decides it.

It works in threads of its own, so that screens which wait for a long hearing hold up no query of the others.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar
from weakref import WeakValueDictionary

from sqlalchemy import Connection, func, select

from server.store import tables as t
from server.store.database import Database
from server.store.encoded_page import EncodedPage
from server.store.events import event_of
from sync.errors import WutongError
from sync.record.event import Event
from sync.record.hearing import Hearing
from sync.record.signing import KINDS as SIGNING
from sync.record.transcript import lines_named

T = TypeVar("T")

MOST_BYTES = 128 * 1024 * 1024
"""Also because all that is kept is walked over by Python's collector of cycles, which holds up everybody."""
AT_ONCE = 2
"""Hearings that are folded or encoded beside each other; each has its own turns at the interpreter."""
MOST_PAGES = 8
"""Of one hearing: the kinds of readers, and the stretches that they may not see."""
_EVENT_BYTES = 400
_BODY_TIMES = 2
"""What an event takes in a fold, beside and for each character of its body: counted generously, about twice what was
measured of a hearing with words whose times are dropped."""
_LINE_BYTES = 120
"""What a kept line takes beside its text."""


@dataclass(slots=True)
class KeptFold:
    """The fold of a hearing, and what was made of it."""

    room: str
    hearing: Hearing
    signing: list[Event] = field(default_factory=list)
    """The events that say who signed its words."""
    lines: dict[str, bytes] = field(default_factory=dict)
    """Line's id -> its JSON, of lines as the record has them; gone when an event names the line."""
    segments: list[bytes] = field(default_factory=list)
    """The JSON of the first of its segments, which never change."""
    pages: OrderedDict[Hashable, EncodedPage] = field(default_factory=OrderedDict)
    count: int = 0
    """How many events of the hearing are in it."""
    last: int = -1
    event_bytes: int = 0

    def take(self, event: Event, size: int) -> None:
        """The next event, whose body is JSON of `size` bytes."""
        self.hearing.apply(event)
        if event.kind in SIGNING:
            self.signing.append(event)
        elif event.kind in ("utterance", "revision"):
            for name in lines_named(event):
                self.lines.pop(name, None)
        self.pages.clear()
        self.count += 1
        self.last = event.number
        self.event_bytes += _EVENT_BYTES + _BODY_TIMES * size

    def page(self, key: Hashable, make: Callable[[], EncodedPage]) -> EncodedPage:
        """A page for whoever `key` says, made if it is not kept."""
        page = self.pages.get(key)
        if page is None:
            page = self.pages[key] = make()
            while len(self.pages) > MOST_PAGES:
                self.pages.popitem(last=False)
        self.pages.move_to_end(key)
        return page

    @property
    def bytes_kept(self) -> int:
        """About what all of it takes in memory."""
        pieces = sum(map(len, self.lines.values())) + sum(map(len, self.segments))
        pieces += _LINE_BYTES * (len(self.lines) + len(self.segments))
        return self.event_bytes + pieces + sum(page.bytes_kept for page in self.pages.values())


@dataclass(slots=True)
class _Slot:
    lock: threading.Lock = field(default_factory=threading.Lock)
    fold: KeptFold | None = None
    bytes_kept: int = 0


class KeptFolds:
    """`use` belongs to one event loop."""

    def __init__(self, database: Database, *, most_bytes: int = MOST_BYTES) -> None:
        self._db = database
        self._most = most_bytes
        self._pool = ThreadPoolExecutor(AT_ONCE, "folds")
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._guard = threading.Lock()
        self._slots: OrderedDict[str, _Slot] = OrderedDict()
        self._bytes = 0
        self.folded = 0
        """How many hearings were folded from their first event on."""

    async def use(self, hearing: str, work: Callable[[KeptFold], T]) -> T:
        """What `work`, in a thread, makes of the fold of all events that are stored now; it keeps nothing of it but
        what never changes. `WutongError` "not-found", `StorageError`."""
        turn = self._turns.setdefault(hearing, asyncio.Lock())
        async with turn:  # the readers of one hearing hold one thread, and those behind the first find its page
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._use, hearing, work)

    def close(self) -> None:
        """Wait for what runs."""
        self._pool.shutdown(wait=True)

    @property
    def bytes_kept(self) -> int:
        """Of all that is kept."""
        return self._bytes

    def _use(self, hearing: str, work: Callable[[KeptFold], T]) -> T:
        with self._guard:
            slot = self._slots.setdefault(hearing, _Slot())
        size = 0
        try:
            with slot.lock:  # also against whoever was canceled, and whose thread goes on
                before, slot.fold = slot.fold, None  # and back when all is well: what failed in between is no fold
                fold = self._db.read_now(lambda connection: self._current(connection, hearing, before))
                made = work(fold)
                slot.fold, size = fold, fold.bytes_kept
                return made
        finally:
            self._settle(hearing, slot, size)

    def _current(self, connection: Connection, hearing: str, fold: KeptFold | None) -> KeptFold:
        e = t.events.c
        if fold is not None:
            before = select(func.count()).where(e.hearing == hearing, e.number <= fold.last)
            if connection.execute(before).scalar() != fold.count:
                fold = None  # one came late: what is folded behind it may be otherwise
        if fold is None:
            room = connection.execute(select(e.room).where(e.hearing == hearing).limit(1)).scalar()
            if room is None:
                raise WutongError("没有这次庭审 (there is no such hearing)", code="not-found")
            fold = KeptFold(str(room), Hearing(hearing))
            self.folded += 1
        query = select(t.events).where(e.hearing == hearing, e.number > fold.last).order_by(e.number)
        # Closed also where it ends early: a statement that is still read from keeps its connection at what was then.
        with connection.execute(query) as rows:
            for row in rows:
                fold.take(event_of(row), len(row.body))
        return fold

    def _settle(self, hearing: str, slot: _Slot, size: int) -> None:
        """Count what this hearing takes, 0 when nothing is kept of it; let go of what was not looked at for longest."""
        with self._guard:
            if self._slots.get(hearing) is not slot:
                return  # it gave way while it was used: nothing of it is kept
            self._bytes += size - slot.bytes_kept
            slot.bytes_kept = size
            self._slots.move_to_end(hearing)
            if not size:
                del self._slots[hearing]
            while self._bytes > self._most:
                _, quiet = self._slots.popitem(last=False)
                self._bytes -= quiet.bytes_kept
