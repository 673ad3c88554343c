"""What rooms say of closed hearings is written together, again where it was not, and no more than counts."""

from __future__ import annotations

import asyncio

from server.access.closed_hearing_notes import ClosedHearingNotes
from server.access.closed_hearings_said import MOST_SAID
from sync.errors import StorageError


class Store:
    """Answers a write, and lets time go on, when the test says so."""

    def __init__(self) -> None:
        self.written: list[list[tuple[str, str]]] = []
        self.answers = asyncio.Event()
        self.broken = False
        self.pauses: list[float] = []
        self.notes = ClosedHearingNotes(self.write, pause=self.pause)

    async def write(self, said: list[tuple[str, str]]) -> None:
        self.written.append(said)
        await self.answers.wait()
        if self.broken:
            raise StorageError("no database")

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def done(self) -> None:
        self.answers.set()
        assert self.notes._writing is not None
        await self.notes._writing


async def test_what_many_rooms_say_at_once_is_two_writes() -> None:
    store = Store()
    for number in range(1000):
        store.notes.add(f"court1/c{number}", f"h{number}")
        await asyncio.sleep(0)
    await store.done()
    assert [len(said) for said in store.written] == [1, 999]
    assert {said for batch in store.written for said in batch} == {(f"court1/c{n}", f"h{n}") for n in range(1000)}
    assert len(store.pauses) == 2, "it goes no faster than its pace"


async def test_what_was_not_written_is_written_again_with_what_came_meanwhile() -> None:
    store = Store()
    store.broken = True
    store.notes.add("court1/c03", "h1")
    await asyncio.sleep(0)
    store.notes.add("court1/c03", "h2")
    store.notes.add("court1/c04", "h3")

    async def pause(seconds: float) -> None:
        store.broken = False

    store.notes._pause = pause
    await store.done()
    assert store.written == [
        [("court1/c03", "h1")],
        [("court1/c03", "h1"), ("court1/c03", "h2"), ("court1/c04", "h3")],
    ]


async def test_a_room_that_names_hearing_after_hearing_is_written_of_as_much_as_counts() -> None:
    store = Store()
    for number in range(40_000):
        store.notes.add("court1/c03", f"h{number}")
    await store.done()
    assert store.written == [[("court1/c03", f"h{40_000 - n}") for n in reversed(range(1, MOST_SAID + 1))]]
