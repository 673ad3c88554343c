"""Writes the recorder's facts to the room's log: in order, off the event loop, again until the log takes them.

While the log takes nothing, the facts wait in memory and in a small file beside the media, so that they outlive this
process, too; each has a key, so none is ever written twice. At most `MAX_WAITING` wait: beyond that the oldest alarm
is dropped, or when there is none the oldest fact; the alarm `log` tells once that this happened.
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
    """An event that the log does not have yet."""

    kind: str
    body: Mapping[str, Any]
    hearing: str
    room_ns: int
    utc_ns: int
    key: str


class EventWriter:
    """On the event loop, `on_append` is called for each event that the log took.

    `on_trouble` is called with the reason when the log takes none, and with None when it takes them again.
    """

    def __init__(
        self,
        room_log: RoomLog,
        on_append: Callable[[Event], None],
        backlog: Path,
        on_trouble: Callable[[str | None], None] = lambda why: None,
        *,
        most: int = MAX_WAITING,
    ) -> None:
        """`backlog` is the file in which facts wait; what an earlier life of this service left there is written first.

        At most `most` facts wait.
        """
        self._log = room_log
        self._on_append = on_append
        self._on_trouble = on_trouble
        self._backlog = backlog
        self._most = most
        self._waiting: deque[Fact] = deque()
        self._alarms = 0
        """How many of those that wait are alarms."""
        self._dropped: Counter[str] = Counter()
        """Of each kind: facts that were given up since the log last took everything."""
        self._dropped_of = ""
        """The hearing of the last fact that was given up."""
        for fact in _read(backlog):
            self._add(fact)
        self._saved = {fact.key for fact in self._waiting}
        """The keys of those that wait and are in the file."""
        self._used = backlog.exists()
        self.refused = False
        """The log took nothing when it was last asked."""
        self._ready = asyncio.Event()
        self._idle = asyncio.Event()
        (self._ready if self._waiting else self._idle).set()

    @property
    def waiting(self) -> int:
        """How many facts the log has not taken yet."""
        return len(self._waiting)

    def append(
        self, kind: str, body: Mapping[str, Any], *, hearing: str, room_ns: int, utc_ns: int, key: str | None
    ) -> None:
        """Take an event that is to be written; this never waits. Without `key`, it gets one of its own."""
        self._add(Fact(kind, body, hearing, room_ns, utc_ns, key or f"said/{uuid4().hex}"))
        self._idle.clear()
        self._ready.set()

    def _add(self, fact: Fact) -> None:
        self._waiting.append(fact)
        self._alarms += fact.kind == "alarm"
        if len(self._waiting) > self._most:
            # The first stays: another thread is just writing it.
            alarms = (position for position, f in enumerate(self._waiting) if position and f.kind == "alarm")
            position = next(alarms, 1) if self._alarms else 1
            gone = self._waiting[position]
            del self._waiting[position]
            self._alarms -= gone.kind == "alarm"
            if not self._dropped:
                log.error("facts_dropped", most=self._most, first=gone.kind, key=gone.key)
            self._dropped[gone.kind] += 1
            self._dropped_of = gone.hearing

    def _kinds(self) -> str:
        return ", ".join(f"{kind} {count}" for kind, count in sorted(self._dropped.items()))

    def _too_many(self) -> str:
        return f"；等候的事件超过 {self._most} 条，已放弃：{self._kinds()}" if self._dropped else ""

    def _loss_alarm(self, last: Fact) -> Fact:
        """What the log is told of the facts that it will never get, when it has taken all that waited."""
        total, kinds = self._dropped.total(), self._kinds()
        log.error("facts_lost", total=total, kinds=kinds)
        text = (
            f"法庭日志长时间无法写入，{total} 条事件未能补记：{kinds}"
            f" (the room's log took nothing for too long; {total} events were given up: {kinds})"
        )
        body: AlarmBody = {"code": "log", "subject": "dropped", "text": text}
        return Fact("alarm", body, self._dropped_of, last.room_ns, last.utc_ns, f"said/{uuid4().hex}")

    async def run(self) -> None:
        """Run until it is canceled."""
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
                    self.refused = True
                    self._on_trouble(error.message + self._too_many())
                    await asyncio.to_thread(self._save, list(self._waiting))
                    await asyncio.sleep(RETRY_S)
                    continue
                self.refused = False
                self._waiting.popleft()
                self._alarms -= fact.kind == "alarm"
                self._saved.discard(fact.key)
                self._on_append(event)
                if self._dropped and not self._waiting:
                    self._waiting.append(self._loss_alarm(fact))
                    self._alarms += 1
                    self._dropped.clear()
            self._on_trouble(None)
            if self._used:
                await asyncio.to_thread(self._backlog.unlink, missing_ok=True)
                self._used = False
                self._saved.clear()
            if not self._waiting:
                self._idle.set()
                self._ready.clear()

    def _save(self, waiting: list[Fact]) -> None:
        """Write those that are not in the file yet; a full disk is no reason to stop trying."""
        new = [fact for fact in waiting if fact.key not in self._saved]
        self._used = True
        text = "\n" + "".join(json.dumps(asdict(fact), ensure_ascii=False) + "\n" for fact in new)
        try:
            self._backlog.parent.mkdir(parents=True, exist_ok=True)
            with self._backlog.open("a", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            log.error("unsaid_not_noted", why=str(error))
            return
        self._saved |= {fact.key for fact in new}

    async def drained(self, timeout_s: float) -> bool:
        """Wait until the log has everything; False when it does not within the time."""
        try:
            await asyncio.wait_for(self._idle.wait(), timeout_s)
        except TimeoutError:
            return False
        return True


def _read(path: Path) -> list[Fact]:
    """The facts that wait in the file; a torn last line is left out."""
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
