"""A room says live that a hearing is not public: believed at once of its own hearings, and of no other room's."""

from __future__ import annotations

import asyncio

from server.access.closed_hearings_said import MOST_SAID, ClosedHearingsSaid
from sync.errors import StorageError

C03, C04 = "court1/c03", "court1/c04"


class Said:
    """With a store that knows whose the hearings `h…` are, and answers when it is let."""

    def __init__(self) -> None:
        self.owners = {"h3": C03, "h4": C04}
        self.answers = asyncio.Event()
        self.asked: list[str] = []
        self.opened: list[str] = []
        self.broken = False
        self.said = ClosedHearingsSaid(self.owner, self.opened.append)

    async def owner(self, hearing: str) -> str | None:
        self.asked.append(hearing)
        await self.answers.wait()
        if self.broken:
            raise StorageError("no database")
        return self.owners.get(hearing)

    async def judged(self) -> None:
        self.answers.set()
        for _ in range(20):
            await asyncio.sleep(0)


async def test_it_counts_at_once_and_for_good_where_it_is_the_room_s_own_or_nobody_s_yet() -> None:
    one = Said()
    one.said.add(C03, "h3")
    one.said.add(C04, "new")
    assert one.said.hearings() == {"h3", "new"}
    await one.judged()
    assert one.said.hearings() == {"h3", "new"}
    assert one.opened == []


async def test_another_room_s_hearing_is_not_closed_by_it() -> None:
    one = Said()
    one.said.add(C04, "h3")
    assert "h3" in one.said  # until it is known whose it is
    await one.judged()
    assert "h3" not in one.said
    assert one.opened == ["h3"]
    for _ in range(3):
        one.said.add(C04, "h3")  # as with every status
        await one.judged()
    assert one.asked == ["h3"]
    assert "h3" not in one.said


async def test_what_its_own_room_says_stands_when_another_has_said_it_too() -> None:
    one = Said()
    one.said.add(C04, "h3")
    one.said.add(C03, "h3")
    await one.judged()
    assert "h3" in one.said
    assert one.opened == []


async def test_however_many_hearings_a_room_names_a_few_are_kept_and_one_is_asked_for_at_a_time() -> None:
    one = Said()
    for n in range(40_000):
        one.said.add(C04, f"invented-{n}")
    assert len(one.said.hearings()) == MOST_SAID
    await asyncio.sleep(0)
    assert len(one.asked) == 1
    await one.judged()
    assert len(one.asked) <= MOST_SAID + 1
    assert one.said.hearings() == {f"invented-{40_000 - n}" for n in range(1, MOST_SAID + 1)}


async def test_while_the_store_cannot_be_read_it_stays_closed() -> None:
    one = Said()
    one.broken = True
    one.said.add(C04, "h3")
    await one.judged()
    assert "h3" in one.said
