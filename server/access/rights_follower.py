"""Follows the version of who may see what, on a line of its own to the database: woken at once, and looking twice a
second by itself.

At each beat this process says what it has taken and asks for the version of now. Only where that is what it has taken,
or once it has taken it, it was told the truth, and that as of the moment at which it *asked*: whatever is committed
later may be unknown to it. A line that was lost is made anew, and then everything is read again.

A process that is gone is waited for no more: its last beat has not changed for `GONE_S` of another's clock. By no
clock of the database, which somebody may set: one that lives beats, and whose row was taken away knows nothing.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

import structlog
from sqlalchemy import Connection, Engine

from server.store.rights.rights_rows import CHANNEL, NOTHING_SEEN, drop_follower, join_followers, other_beats, say_beat
from sync.runtime.units import NS_PER_S

log = structlog.get_logger(__name__)

BEAT_S = 0.5
AGAIN_S = 0.5
"""So long after a line was lost the next one is tried."""
GONE_S = 10.0
WHY_CHARS = 300
_EARLY_S = 0.02
"""So long after something was read before an act of this process it is read again."""
_LOOK_AT_OTHERS_S = 2.0
_OF_THE_LINE = (
    # A beat that is lost with the server says nothing that must be known after it; what it asks for is on disk.
    "SET synchronous_commit = off",
    "SET statement_timeout = '3s'",
    f"LISTEN {CHANNEL}",
)
_ROUND_TRIP_S = 1.0
"""An answer that takes longer does not say what time it is."""


class SnapshotTaker(Protocol):
    """For whom it is followed; the coroutines run in its event loop."""

    def read_news(self, seen: int) -> Any:
        """What has changed since this version; it has a `version`."""

    async def take_news(self, news: Any) -> int | None:
        """Take it; the version that was taken, None to read it again."""

    def heard(self, asked_s: float, offset_ns: int | None) -> None:
        """What was taken was the newest at a moment since `asked_s`; how far the database's clock is ahead."""

    async def began(self) -> None:
        """Everything was taken for the first time, and what time it is."""

    async def failed(self, error: Exception) -> bool:
        """It could not be read; whether to give up."""


class RightsFollower:
    """A thread with one connection."""

    def __init__(
        self,
        engine: Engine,
        process: str,
        taker: SnapshotTaker,
        monotonic_s: Callable[[], float],
        utc_ns: Callable[[], int],
    ) -> None:
        self._engine = engine
        self._utc_ns = utc_ns
        self._process = process
        self._taker = taker
        self._monotonic_s = monotonic_s
        self._loop = asyncio.get_running_loop()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rights", daemon=True)
        self._began = False
        self._others: dict[str, tuple[int, float]] = {}
        self._others_s = 0.0

    def start(self) -> None:
        """Begin, in the background."""
        self._thread.start()

    async def stop(self) -> None:
        """End it, and take this process from those that others wait for."""
        self._ending.set()
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                with self._engine.connect() as connection:
                    self._follow(connection.execution_options(isolation_level="AUTOCOMMIT"))
            except Exception as error:  # noqa: BLE001  # whatever it is, nobody is shown anything until it works again
                log.warning(
                    "rights_not_followed", why=f"{type(error).__name__}: {error}"[:WHY_CHARS], next="tried again"
                )
                if self._loop.is_closed() or self._run_there(self._taker.failed(error)):
                    return
                self._ending.wait(AGAIN_S)

    def _follow(self, connection: Connection) -> None:
        raw = connection.connection.driver_connection
        try:
            for statement in _OF_THE_LINE:
                connection.exec_driver_sql(statement)
            self._join(connection)
            seen = NOTHING_SEEN
            while not self._ending.is_set():
                seen = self._beat(connection, raw, seen)
            drop_follower(connection, self._process)
        finally:
            connection.invalidate()  # it is of no use to anybody else

    def _join(self, connection: Connection) -> None:
        join_followers(connection, self._process, self._number())

    def _beat(self, connection: Connection, raw: Any, seen: int) -> int:
        """The version that was taken."""
        asked_s, asked_ns = self._monotonic_s(), self._utc_ns()
        answer = say_beat(connection, self._process, seen, self._number())
        if answer is None:
            log.warning("rights_follower_dropped", next="it joins again and reads everything")
            self._join(connection)
            return NOTHING_SEEN
        version, database_s = answer
        if version != seen:
            # A version that goes back is another database: a copy that was put in its place.
            taken = self._take_news(seen if seen < version else NOTHING_SEEN)
            if taken < version:
                return NOTHING_SEEN
            self._taker.heard(asked_s, None)
            return taken  # said to the others at the next beat, which is now
        answered_s = self._monotonic_s()
        middle_ns = (asked_ns + self._utc_ns()) // 2
        timely = answered_s - asked_s < _ROUND_TRIP_S
        self._taker.heard(asked_s, round(database_s * NS_PER_S) - middle_ns if timely else None)
        if not self._began:
            self._began = True
            self._run_there(self._taker.began())
        self._drop_who_is_gone(connection)
        for _ in raw.notifies(timeout=BEAT_S, stop_after=1):
            pass
        return seen

    def _take_news(self, seen: int) -> int:
        while not self._ending.is_set():
            taken = self._run_there(self._taker.take_news(self._taker.read_news(seen)))
            if taken is not None:
                return int(taken)
            self._ending.wait(_EARLY_S)
        return NOTHING_SEEN

    def _drop_who_is_gone(self, connection: Connection) -> None:
        now_s = self._monotonic_s()
        if now_s - self._others_s < _LOOK_AT_OTHERS_S:
            return
        self._others_s = now_s
        others: dict[str, tuple[int, float]] = {}
        for process, beat in other_beats(connection, self._process).items():
            before = self._others.get(process)
            others[process] = before if before is not None and before[0] == beat else (beat, now_s)
            if now_s - others[process][1] >= GONE_S and drop_follower(connection, process, beat):
                log.warning("process_gone", process=process, next="nobody waits for it before an answer any more")
        self._others = others

    def _number(self) -> int:
        """Of a beat; no number comes twice."""
        return time.monotonic_ns()

    def _run_there(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()
