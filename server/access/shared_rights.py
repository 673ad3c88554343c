"""Who may see what, the same in every process of a center, and shown by none that does not know it.

The truth is in the database (`server.store.rights.rights_rows`). Each process keeps it in memory, as one alone does,
and follows its version (`server.access.rights_follower`). Promises: what a process shows it judges by a version that
was the newest at some moment of the last `SILENCE_S`, by a clock of its own that no one sets; one that has heard
nothing for longer shows nothing to anybody (`rights-unknown`) until it has caught up. Whoever changes a right does so
here at once, and waits, before it answers, until every other process has taken the change or must have fallen silent.
So from the answer on nobody is shown what is not theirs any more, whatever became of the others (ADR 37).

Where one process has the database alone (SQLite) it always knows, and waits for nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import secrets
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from sqlalchemy import Connection

from server.access.rights_follower import RightsFollower, SnapshotTaker
from server.store.database import Database
from server.store.refusals import refusal_of
from server.store.rights.rights_rows import NOTHING_SEEN, Change, changes_since, is_anybody_behind, stored_version
from sync.errors import StorageError, WutongError
from sync.runtime.listeners import Listeners
from sync.runtime.units import NS_PER_S

log = structlog.get_logger(__name__)

SILENCE_S = 2.0
"""So long after it last asked for the version a process may show something."""
MARGIN_S = 0.25
"""Beyond that, what the clocks of two processes may differ by in going."""
SOON_S = 2.0
"""So long a request waits for a process that has lost the version: a line to the database that broke is made anew by
then, and nobody needs to be told of it."""
LOOK_S = 0.1
"""So often it is looked whether a process that had lost the version knows it again."""


class RightsKeeper(Protocol):
    """What keeps one kind of rights in memory."""

    def read(self, connection: Connection, names: Collection[str] | None) -> Any:
        """What the database says of these, None: of all; in another thread."""

    def take(self, names: Collection[str] | None, found: Any) -> None:
        """That is so now; with all, what is not among them is not any more."""


@dataclass(frozen=True, slots=True)
class RightsSnapshot:
    """What one moment's database says of the rights that changed; `names` None: of all."""

    version: int
    names: dict[str, set[str]] | None
    found: dict[str, Any]


class SharedRights(SnapshotTaker):
    """All methods belong to one event loop, but `read_news` and `heard`."""

    def __init__(
        self,
        database: Database | None,
        *,
        monotonic_s: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_BOOTTIME),
        utc_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """None: of one process, whatever the database is. `monotonic_s` goes on while the machine sleeps."""
        self.process = secrets.token_hex(8)
        """How this process is called among the others, in this life of it."""
        self._db = database
        self.shared = database is not None and database.dialect == "postgresql"
        """Whether there may be others."""
        self.agreed = Listeners[[str]]()
        """Told of a hearing of which no process says what was so before any more; where there may be others."""
        self._monotonic_s = monotonic_s
        self._utc_ns = utc_ns
        self._keepers: dict[str, RightsKeeper] = {}
        self._seen = NOTHING_SEEN
        self._taken = asyncio.Event()
        """Set, and another in its place, whenever something was taken."""
        self.anew = 0
        """How often all that was taken became worth nothing."""
        self._own: dict[Change, int] = {}
        """What this process has changed itself and not followed yet, by its version."""
        self._until_s = -math.inf if self.shared else math.inf
        self._offset_ns = 0
        self._was_known = True
        self._follower: RightsFollower | None = None
        self._started: asyncio.Future[None] | None = None

    def keep(self, kind: str, keeper: RightsKeeper) -> None:
        """Rights of this kind are kept by `keeper`."""
        self._keepers[kind] = keeper

    async def start(self) -> None:
        """Read everything, before anybody can ask, and follow it from then on; `ConfigError`, `StorageError`."""
        assert self._db is not None
        if not self.shared:
            for keeper in self._keepers.values():
                keeper.take(None, await self._read_all(self._db, keeper))
            return
        self._started = asyncio.get_running_loop().create_future()
        self._follower = RightsFollower(self._db.engine, self.process, self, self._monotonic_s, self._utc_ns)
        self._follower.start()
        await self._started

    @staticmethod
    async def _read_all(database: Database, keeper: RightsKeeper) -> Any:
        return await database.read(lambda connection: keeper.read(connection, None))

    async def stop(self) -> None:
        """Follow no more; call when nobody is shown anything any more, so that the others need not wait for this."""
        if self._follower is not None:
            await self._follower.stop()
        if self.shared:
            self._until_s = -math.inf

    # Whether this process may show something.

    def known(self) -> bool:
        """Whether this process knows who may see what now."""
        return self._monotonic_s() < self._until_s

    def check(self) -> None:
        """`WutongError` "rights-unknown" unless this process knows who may see what."""
        if not self.known():
            self._note_known(known=False)
            raise WutongError(
                "中心暂时无法确认查阅权限，已停止显示，请稍后重试 (the center cannot tell for now who may see what and "
                "shows nothing; try again)",
                code="rights-unknown",
            )
        self._note_known(known=True)

    async def soon(self) -> None:
        """Return when this process knows it, or after `SOON_S`."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.until_known(), SOON_S)

    async def until_taken(self, version: int, anew: int) -> None:
        """Return when this process has taken a version that was read in the database when `anew` was as it says."""
        if self.shared:
            while not self._has_taken(version, anew):
                await self._taken.wait()

    async def catch_up(self) -> None:
        """Return when this process has taken what is stored of rights now: what it has read before is judged then by
        rights that are as new. `WutongError` "rights-unknown"."""
        if not self.shared or self._db is None:
            return
        anew = self.anew
        while (version := await self._stored_version(self._db)) is None:
            self.check()
            await asyncio.sleep(LOOK_S)
        while not self._has_taken(version, anew):
            self.check()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._taken.wait(), LOOK_S)

    async def _stored_version(self, database: Database) -> int | None:
        """None while the database does not say it; `WutongError` "rights-unknown" when it says nothing for too long."""
        asked = asyncio.ensure_future(database.read(stored_version))
        asked.add_done_callback(lambda done: done.cancelled() or done.exception())  # also where nobody waits any more
        while not asked.done():
            self.check()
            await asyncio.wait({asked}, timeout=LOOK_S)
        try:
            return asked.result()
        except StorageError:
            return None

    def _has_taken(self, version: int, anew: int) -> bool:
        """`anew` is of before the version was read: what was read as a whole after it is as new, whatever its number
        (a copy was put in the database's place)."""
        return self._seen >= version or (anew != self.anew and self._seen != NOTHING_SEEN)

    async def until_known(self) -> None:
        """Return when this process knows it: at once, as a rule."""
        while not self.known():
            self._note_known(known=False)
            await asyncio.sleep(LOOK_S)
        self._note_known(known=True)

    def _note_known(self, *, known: bool) -> None:
        if known != self._was_known:
            self._was_known = known
            if known:
                log.info("rights_known_again")
            else:
                log.error("rights_unknown", next="nothing is shown until the database answers again")

    # Acts of this process.

    def own(self, version: int, changes: Iterable[Change]) -> list[Change]:
        """An act of this process is committed; those of its changes that are to be taken here now. Of the others what
        was followed is as new, or newer."""
        if not version:
            return list(changes)
        fresh = [] if version <= self._seen else list(changes)
        for change in fresh:
            self._own[change] = max(version, self._own.get(change, 0))
        return fresh

    async def settled(self, version: int, hearing: str = "") -> None:
        """Return when no other process can show any more what was so before `version`, which is committed; of a
        `hearing` that it is about `agreed` is told then."""
        if not version or self._db is None:
            return
        await self._until_seen(self._db, version)
        if hearing:
            self.agreed.notify(hearing)

    async def _until_seen(self, database: Database, version: int) -> None:
        until_s, pause_s = self._monotonic_s() + SILENCE_S + MARGIN_S, 0.005
        while (left_s := until_s - self._monotonic_s()) > 0:
            if not await self._is_anybody_behind(database, version, left_s):
                return
            await asyncio.sleep(min(pause_s, left_s))
            pause_s = min(2 * pause_s, LOOK_S)
        log.warning("rights_not_seen_by_all", version=version, next="who has not seen it shows nothing any more")

    async def _is_anybody_behind(self, database: Database, version: int, most_s: float) -> bool:
        """Whether another process has not said that it has taken a version; so it is where nobody answers."""
        asked = database.read(lambda connection: is_anybody_behind(connection, version, self.process))
        try:
            return await asyncio.wait_for(asked, most_s)
        except (StorageError, TimeoutError):
            return True

    # Time.

    def utc_ns(self) -> int:
        """UTC by the clock that all processes share, the database's; by this machine's where there is one process."""
        return self._utc_ns() + self._offset_ns

    def utc_s(self) -> float:
        """The same in seconds."""
        return self.utc_ns() / NS_PER_S

    # What is followed (`SnapshotTaker`).

    def read_news(self, seen: int) -> RightsSnapshot:
        """What has changed since a version, in the follower's thread."""
        assert self._db is not None

        def work(connection: Connection) -> RightsSnapshot:
            changes = changes_since(connection, seen)
            if changes.names is None:
                found = {kind: keeper.read(connection, None) for kind, keeper in self._keepers.items()}
            else:
                known = {kind: names for kind, names in changes.names.items() if kind in self._keepers}
                found = {kind: self._keepers[kind].read(connection, names) for kind, names in known.items()}
            return RightsSnapshot(changes.version, changes.names, found)

        return self._db.read_now(work)

    async def take_news(self, news: RightsSnapshot) -> int | None:
        """Take it; the version that was taken. None: it was read before an act of this process, and is read again."""
        later = {change for change, version in self._own.items() if version > news.version}
        if news.names is None:
            read_too_early = bool(later)
        else:
            read_too_early = any(name in news.names.get(kind, ()) for kind, name in later)
        if read_too_early:
            return None
        for kind, found in news.found.items():
            self._keepers[kind].take(None if news.names is None else news.names[kind], found)
        if news.version < self._seen:
            self.anew += 1
        self._seen = news.version
        self._taken.set()
        self._taken = asyncio.Event()
        self._own = {change: self._own[change] for change in later}
        return news.version

    def heard(self, asked_s: float, offset_ns: int | None) -> None:
        """What this process has taken was the newest at some moment since `asked_s`; in the follower's thread."""
        self._until_s = asked_s + SILENCE_S
        if offset_ns is not None:
            self._offset_ns = offset_ns

    async def began(self) -> None:
        """All of it was taken for the first time."""
        if self._started is not None and not self._started.done():
            self._started.set_result(None)

    async def failed(self, error: Exception) -> bool:
        """The line is lost, or what was read cannot be followed. Whether that is the end: it was never begun."""
        # The next line may lead to a copy that was put in the database's place, where an act of before is missing.
        self._seen = NOTHING_SEEN
        self.anew += 1
        self._own.clear()
        if self._started is not None and not self._started.done():
            self._started.set_exception(error if isinstance(error, WutongError) else refusal_of(error, "read"))
            return True
        return False
