"""Says the recorder's facts in the room's log: in order, off the event loop, again until the log takes them.

While the log takes nothing, the facts wait in memory and in a small file beside the media, so that they outlive this
process, too; each has a key, so none is ever said twice. At most `MAX_WAITING` wait: the oldest go first, and of those
the files on the disk tell again.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import structlog

from sync.errors import StorageError
from sync.roomlog import Event, RoomLog

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


class Scribe:
    """On the event loop, `said` is called for each event that the log took, `trouble` when it takes none, or again."""

    def __init__(
        self,
        room_log: RoomLog,
        said: Callable[[Event], None],
        unsaid: Path,
        trouble: Callable[[str | None], None] = lambda why: None,
    ) -> None:
        """`unsaid` is the file in which facts wait; what an earlier life of this service left there is said first."""
        self._log = room_log
        self._said = said
        self._trouble = trouble
        self._unsaid = unsaid
        self._waiting: deque[Fact] = deque(_read(unsaid), maxlen=MAX_WAITING)
        self._noted = len(self._waiting)
        """How many of those that wait are in the file."""
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
        self._waiting.append(Fact(kind, body, hearing, room_ns, utc_ns, key or f"said/{uuid4().hex}"))
        self._idle.clear()
        self._ready.set()

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
                    self._trouble(error.message)
                    await asyncio.to_thread(self._note)
                    await asyncio.sleep(RETRY_S)
                    continue
                if self._waiting and self._waiting[0] is fact:
                    self._waiting.popleft()
                    self._noted = max(self._noted - 1, 0)
                self._said(event)
            self._trouble(None)
            if self._used:
                await asyncio.to_thread(self._unsaid.unlink, missing_ok=True)
                self._used, self._noted = False, 0
            if not self._waiting:
                self._idle.set()
                self._ready.clear()

    def _note(self) -> None:
        """Write those that are not in the file yet; a full disk is no reason to stop trying."""
        new = list(self._waiting)[self._noted :]
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
        self._noted += len(new)

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
