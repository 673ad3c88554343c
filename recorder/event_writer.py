"""Says the recorder's facts in the room's log: in order, off the event loop, again until the log takes them.

While the log takes nothing, the facts wait in memory and in a small file beside the media, so that they outlive this
process, too; each has a key, so none is ever said twice. At most `MAX_WAITING` wait: beyond that the oldest
alarm is dropped, or when there is none the oldest fact; that it was is said once, by the alarm `log`.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import structlog

from sync.errors import StorageError
from sync.record.bodies.media import AlarmBody
from sync.record.event import Event
from sync.room.event_log import RoomLog

log = structlog.get_logger(__name__)

MAX_WAITING = 100_000
RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class Fact:
    """An event that is still to be said."""

    kind: str
    body: Mapping[str, Any]
    hearing: str
    room_ns: int
    utc_ns: int
    key: str


class EventWriter:
    """On the event loop, `said` is called for each event that the log took, `trouble` when it takes none, or again."""

    def __init__(
        self,
        room_log: RoomLog,
        said: Callable[[Event], None],
        unsaid: Path,
        trouble: Callable[[str | None], None] = lambda why: None,
        *,
        most: int = MAX_WAITING,
    ) -> None:
        """`unsaid` is the file in which facts wait; what an earlier life of this service left there is said first.

        At most `most` facts wait.
        """
        self._log = room_log
        self._said = said
        self._trouble = trouble
        self._unsaid = unsaid
        self._most = most
        self._waiting: deque[Fact] = deque()
        self._alarms = 0
        """How many of those that wait are alarms."""
        self._dropped: Counter[str] = Counter()
        """Of each kind: facts that were given up since the log last took everything."""
        self._dropped_of = ""
        """The hearing of the last one."""
        for fact in _read(unsaid):
            self._add(fact)
        self._noted = {fact.key for fact in self._waiting}
        """The keys of those that wait and are in the file."""
        self._used = unsaid.exists()
        self._ready = asyncio.Event()
        self._idle = asyncio.Event()
        (self._ready if self._waiting else self._idle).set()

    @property
    def waiting(self) -> int:
        """How many facts the log has not taken yet."""
        return len(self._waiting)

    def say(
        self, kind: str, body: Mapping[str, Any], *, hearing: str, room_ns: int, utc_ns: int, key: str | None
    ) -> None:
        """Never waits."""
        self._add(Fact(kind, body, hearing, room_ns, utc_ns, key or f"said/{uuid4().hex}"))
        self._idle.clear()
        self._ready.set()

    def _add(self, fact: Fact) -> None:
        self._waiting.append(fact)
        self._alarms += fact.kind == "alarm"
        if len(self._waiting) > self._most:
            # Not what another thread is just saying: the first.
            places = (place for place, f in enumerate(self._waiting) if place and f.kind == "alarm")
            place = next(places, 1) if self._alarms else 1
            gone = self._waiting[place]
            del self._waiting[place]
            self._alarms -= gone.kind == "alarm"
            if not self._dropped:
                log.error("facts_dropped", most=self._most, first=gone.kind, key=gone.key)
            self._dropped[gone.kind] += 1
            self._dropped_of = gone.hearing

    def _kinds(self) -> str:
        return ", ".join(f"{kind} {count}" for kind, count in sorted(self._dropped.items()))

    def _too_many(self) -> str:
        return f"；等候的事件超过 {self._most} 条，已放弃：{self._kinds()}" if self._dropped else ""

    def _last_words(self, last: Fact) -> Fact:
        """The log has taken all that waited: it is to know of what it will never get. Of the hearing that lost it."""
        total, kinds = self._dropped.total(), self._kinds()
        log.error("facts_lost", total=total, kinds=kinds)
        text = (
            f"法庭日志长时间无法写入，{total} 条事件未能补记：{kinds}"
            f" (the room's log took nothing for too long; {total} events were given up: {kinds})"
        )
        body: AlarmBody = {"code": "log", "subject": "dropped", "text": text}
        return Fact("alarm", body, self._dropped_of, last.room_ns, last.utc_ns, f"said/{uuid4().hex}")

    async def run(self) -> None:
        """For ever; cancel to end it."""
        while True:
            await self._ready.wait()
            while self._waiting:
                fact = self._waiting[0]
                try:
                    event = await asyncio.to_thread(
                        self._log.append,
                        fact.kind,
                        fact.body,
                        hearing=fact.hearing,
                        room_ns=fact.room_ns,
                        utc_ns=fact.utc_ns,
                        key=fact.key,
                    )
                except StorageError as error:
                    log.error("event_refused", kind=fact.kind, why=error.message, waiting=len(self._waiting))
                    self._trouble(error.message + self._too_many())
                    await asyncio.to_thread(self._note, list(self._waiting))
                    await asyncio.sleep(RETRY_S)
                    continue
                self._waiting.popleft()
                self._alarms -= fact.kind == "alarm"
                self._noted.discard(fact.key)
                self._said(event)
                if self._dropped and not self._waiting:
                    self._waiting.append(self._last_words(fact))
                    self._alarms += 1
                    self._dropped.clear()
            self._trouble(None)
            if self._used:
                await asyncio.to_thread(self._unsaid.unlink, missing_ok=True)
                self._used = False
                self._noted.clear()
            if not self._waiting:
                self._idle.set()
                self._ready.clear()

    def _note(self, waiting: list[Fact]) -> None:
        """Write those that are not in the file yet; a full disk is no reason to stop trying."""
        new = [fact for fact in waiting if fact.key not in self._noted]
        self._used = True
        text = "\n" + "".join(json.dumps(asdict(fact), ensure_ascii=False) + "\n" for fact in new)
        try:
            self._unsaid.parent.mkdir(parents=True, exist_ok=True)
            with self._unsaid.open("a", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            log.error("unsaid_not_noted", why=str(error))
            return
        self._noted |= {fact.key for fact in new}

    async def drained(self, timeout_s: float) -> bool:
        """True when all was said within the time."""
        try:
            await asyncio.wait_for(self._idle.wait(), timeout_s)
        except TimeoutError:
            return False
        return True


def _read(path: Path) -> list[Fact]:
    """What waits in the file; a torn last line is left out."""
    facts = []
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return []
    for line in lines:
        try:
            facts.append(Fact(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return facts
