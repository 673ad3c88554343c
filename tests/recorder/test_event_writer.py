"""The event writer: what waits while the room's log takes nothing, what is given up first, and that it says so once."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

from recorder.event_writer import EventWriter
from sync.record.event import Event
from sync.room.event_log import RoomLog

S = 1_000_000_000


class Bench:
    """A log that another process can hold, and an event writer that may keep five facts."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "room.db"
        self.backlog = folder / "unsaid.jsonl"
        self.log = RoomLog(self.path, patient=True)
        self.log.append("open", {}, hearing="h", room_ns=1, utc_ns=1)
        self.troubles: list[str | None] = []
        self.refused = asyncio.Event()
        self.start()

    def start(self, most: int = 5) -> None:
        self.appended: list[Event] = []
        self.event_writer = EventWriter(self.log, self.appended.append, self.backlog, self._trouble, most=most)

    def _trouble(self, why: str | None) -> None:
        self.troubles.append(why)
        if why is not None:
            self.refused.set()

    def append(self, kind: str, *names: str, **body: object) -> None:
        for name in names:
            self.event_writer.append(
                kind, {"name": name, **body}, hearing="h", room_ns=S, utc_ns=S, key=f"{kind}/{name}"
            )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.event_writer.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def damage(self) -> None:
        """The log's table is away; `mend` brings it back."""
        self._alter("ALTER TABLE event RENAME TO gone")

    def mend(self) -> None:
        self._alter("DROP TABLE IF EXISTS event", "ALTER TABLE gone RENAME TO event")

    def _alter(self, *statements: str) -> None:
        with contextlib.closing(sqlite3.connect(self.path, timeout=30)) as db:
            for statement in statements:
                db.execute(statement)

    def names(self) -> list[str]:
        return [str(e.body.get("name", e.kind)) for e in self.log.of_hearing("h")]


async def test_alarms_are_given_up_before_facts_and_the_log_is_told_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.damage()
    bench.append("segment", "s1")
    bench.append("alarm", "a1", "a2")
    bench.append("gap", "g1", "g2")
    async with bench.running():
        await asyncio.wait_for(bench.refused.wait(), 30)
        bench.append("segment", "s2", "s3", "s4")  # a1, a2, and then the oldest that is not just being written
        assert bench.event_writer.waiting == 5
        bench.mend()
        assert await bench.event_writer.drained(30)
    *kept, loss = bench.log.of_hearing("h")
    assert [e.body["name"] for e in kept[1:]] == ["s1", "g2", "s2", "s3", "s4"]
    assert (loss.kind, loss.body["code"], loss.body["subject"]) == ("alarm", "log", "dropped")
    assert "3 条事件未能补记：alarm 2, gap 1" in loss.body["text"]
    assert bench.troubles[-1] is None
    assert not bench.backlog.exists()
    bench.appended.clear()
    bench.start()
    bench.append("segment", "s5")
    async with bench.running():
        assert await bench.event_writer.drained(30)
    assert bench.names()[-1] == "s5"  # it is written once
    bench.log.close()


async def test_what_was_noted_before_a_crash_is_said_by_the_next_life_also_what_was_given_up(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.damage()
    bench.append("segment", "s1", "s2", "s3", "s4", "s5")
    async with bench.running():
        await asyncio.wait_for(bench.refused.wait(), 30)
        while not bench.backlog.exists() or bench.backlog.read_bytes().count(b"name") < 5:
            await asyncio.sleep(0.05)
        bench.append("segment", "s6")
        while bench.backlog.read_bytes().count(b"name") < 6:  # also after one was given up, the new ones are noted
            await asyncio.sleep(0.05)
    assert "segment 1" in str(bench.troubles[-1])
    bench.mend()
    bench.start(most=10)
    async with bench.running():
        assert await bench.event_writer.drained(30)
    assert sorted(bench.names()) == ["open", "s1", "s2", "s3", "s4", "s5", "s6"]
    bench.log.close()
