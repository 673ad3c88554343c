"""Foreign files are read one at a time in the whole room, what is about to be shown first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from edge.exhibits import desk as module
from edge.exhibits.desk import Rank, ReadingDesk
from edge.exhibits.drawer import PageDrawer
from tests.support.files.evidence_files import numbered_pdf
from tests.support.rooms.edge_room import Room, until


class Readings:
    """Work that says when it is begun, and goes on when it is told."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.inside = self.most = 0
        self.goes_on: dict[str, asyncio.Event] = {}

    def of(self, name: str) -> Callable[[], Coroutine[Any, Any, str]]:
        self.goes_on[name] = asyncio.Event()

        async def work() -> str:
            self.begun.append(name)
            self.inside += 1
            self.most = max(self.most, self.inside)
            try:
                await self.goes_on[name].wait()
                return name
            finally:
                self.inside -= 1

        return work


async def test_what_is_to_be_shown_goes_before_all_that_waits_and_never_beside_it() -> None:
    desk, readings = ReadingDesk(), Readings()
    order = (Rank.HANDED_IN, Rank.AHEAD, Rank.ASKED, Rank.SHOWN, Rank.HANDED_IN)
    tasks = [
        asyncio.create_task(desk.run(rank, readings.of(f"{number} {rank.name}"))) for number, rank in enumerate(order)
    ]
    await until(lambda: readings.begun)
    for go_on in readings.goes_on.values():
        go_on.set()
    await asyncio.gather(*tasks)
    assert readings.begun == ["0 HANDED_IN", "3 SHOWN", "4 HANDED_IN", "2 ASKED", "1 AHEAD"]
    assert readings.most == 1


async def test_whose_asker_has_left_is_not_begun_or_is_ended() -> None:
    desk, readings = ReadingDesk(), Readings()
    first = asyncio.create_task(desk.run(Rank.SHOWN, readings.of("first")))
    left = asyncio.create_task(desk.run(Rank.SHOWN, readings.of("left")))
    last = asyncio.create_task(desk.run(Rank.AHEAD, readings.of("last")))
    await until(lambda: readings.begun)
    left.cancel()
    first.cancel()
    readings.goes_on["last"].set()
    assert await last == "last"
    assert readings.begun == ["first", "last"]
    assert (readings.most, readings.inside) == (1, 0)


async def test_what_is_worth_less_gives_way_after_a_while_and_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.01)
    desk, readings = ReadingDesk(), Readings()
    hostile = asyncio.create_task(desk.run(Rank.HANDED_IN, readings.of("hostile")))
    await until(lambda: readings.begun)
    shown = asyncio.create_task(desk.run(Rank.SHOWN, readings.of("shown")))
    readings.goes_on["shown"].set()
    assert await shown == "shown"
    readings.goes_on["hostile"].set()
    assert await hostile == "hostile"
    assert readings.begun == ["hostile", "shown", "hostile"]
    assert readings.most == 1


async def test_what_gives_way_to_two_is_called_away_once_and_ends_in_peace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its reader's end takes a moment, and the next one must not be given a reader that ends."""
    monkeypatch.setattr(module, "PATIENCE_S", 0.01)
    desk, readings = ReadingDesk(), Readings()
    ends, ended = asyncio.Event(), []

    async def ahead() -> str:
        try:
            await readings.of("ahead")()
        except asyncio.CancelledError:
            await ends.wait()
            ended.append("ahead")
            raise
        return "ahead"

    waits = asyncio.create_task(desk.run(Rank.AHEAD, ahead))
    await until(lambda: readings.begun)
    shown = [asyncio.create_task(desk.run(Rank.SHOWN, readings.of("first")))]
    await until(lambda: not readings.inside)  # it was called away, and ends
    shown.append(asyncio.create_task(desk.run(Rank.SHOWN, readings.of("second"))))
    await until(lambda: len(readings.goes_on) == 3)
    for name in ("first", "second"):
        readings.goes_on[name].set()
    later = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, later.set)  # behind what was to call it away for the second
    await later.wait()
    assert readings.begun == ["ahead"]
    ends.set()
    assert await asyncio.gather(*shown) == ["first", "second"]
    assert ended == ["ahead"]
    await until(lambda: readings.begun.count("ahead") == 2)
    readings.goes_on["ahead"].set()
    assert await waits == "ahead"


async def test_a_refusal_reaches_who_asked_and_the_next_one_is_read() -> None:
    async def refused() -> None:
        raise ValueError("no")

    desk, readings = ReadingDesk(), Readings()
    with pytest.raises(ValueError, match="no"):
        await desk.run(Rank.ASKED, refused)
    work = readings.of("next")
    readings.goes_on["next"].set()
    assert await desk.run(Rank.ASKED, work) == "next"


async def test_nothing_waits_any_more_when_it_is_closed() -> None:
    desk, readings = ReadingDesk(), Readings()
    tasks = [asyncio.create_task(desk.run(Rank.AHEAD, readings.of(str(n)))) for n in range(3)]
    await until(lambda: readings.begun)
    await desk.close()
    assert [type(e) for e in await asyncio.gather(*tasks, return_exceptions=True)] == [asyncio.CancelledError] * 3
    assert readings.inside == 0


@pytest.mark.process
async def test_a_reader_stays_for_its_next_page_and_goes_for_another_file_and_when_idle(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.pdf").write_bytes(numbered_pdf(2))
    desk = ReadingDesk()

    async def reader(name: str) -> PageDrawer:
        return await desk.run(Rank.ASKED, lambda: desk.drawer(name, tmp_path / f"{name}.pdf"))

    first = await reader("a")
    assert await reader("a") is first
    second = await reader("b")
    assert (first.alive, second.alive) == (False, True)
    await desk.shut_idle(1000.0)
    assert second.alive
    await desk.shut_idle(-1.0)
    assert not second.alive
    third = await reader("b")
    await desk.close()
    assert not third.alive


async def test_a_room_never_has_two_readers_at_once(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two files handed in, both drawn ahead, shown and asked for, all at once."""
    alive: list[PageDrawer] = []
    most = 0
    opens = PageDrawer.open

    async def counted(path: Path) -> PageDrawer:
        nonlocal most
        assert not any(one.alive for one in alive)
        opened = await opens(path)
        alive.append(opened)
        most = max(most, sum(one.alive for one in alive))
        return opened

    monkeypatch.setattr(PageDrawer, "open", counted)
    await room.open()
    first, second = [
        answer.json()
        for answer in await asyncio.gather(room.add("a.pdf", numbered_pdf(4)), room.add("b.pdf", numbered_pdf(5)))
    ]
    await asyncio.gather(
        room.clerk.put("/api/presentation", json={"exhibit": second["id"], "page": 4}),
        room.clerk.get(f"/api/exhibits/{first['id']}/pages/3", params={"scale": 2}),
        room.add("c.pdf", numbered_pdf(2)),
    )
    await room.until_state(lambda s: sorted(e["drawn"] for e in s["hearing"]["exhibits"]) == [2, 4, 5], 60)
    assert most == 1


async def test_a_page_that_is_withdrawn_before_it_is_drawn_is_not_drawn(room: Room) -> None:
    await room.open()
    exhibit = (await room.add("a.pdf", numbered_pdf(260))).json()
    pages = (250, 251)
    answers = await asyncio.gather(
        *(room.clerk.put("/api/presentation", json={"exhibit": exhibit["id"], "page": page}) for page in pages)
    )
    assert [answer.status_code for answer in answers] == [200, 200]
    assert (await room.clerk.delete("/api/presentation")).json()["presented"] is None
