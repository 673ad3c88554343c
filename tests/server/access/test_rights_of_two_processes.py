"""Two processes of one center: what is sealed, taken back or signed out at one is shown by the other no more.

From the moment at which the act is answered, whatever the other does: runs, stands still (SIGSTOP), has lost the
database, is dead.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
import websockets

from sync.media.envelope import Kind
from tests.support.peers.center_peers import ROOM_NS, RoomPeer, event, opening, said, until
from tests.support.peers.live_tab import BENCH, INIT, Tab, envelope, tab
from tests.support.peers.shared_center import SharedCenter, shared_center

pytestmark = pytest.mark.process

SEAL = {"level": "withdrawn", "reason": "涉及国家秘密"}
AT = 100_000
"""Number of a fragment whose time is behind all that rooms have said here."""
_numbers = itertools.count(1)
_hearings = itertools.count(1)


@pytest.fixture(scope="module")
def center(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedCenter]:
    with shared_center(tmp_path_factory.mktemp("shared")) as both:
        yield both


@pytest_asyncio.fixture
async def room(center: SharedCenter) -> AsyncIterator[RoomPeer]:
    peer = await RoomPeer(center.first.served.broker_port).start()
    yield peer
    peer.stop()


async def held(room: RoomPeer, *, closed: bool = True) -> str:
    """A hearing in the record."""
    name = f"h{next(_hearings)}"
    story = [opening(next(_numbers), hearing=name), said(next(_numbers), f"关于{name}的借条", hearing=name, at_ms=500)]
    if closed:
        story.append(event(next(_numbers), "close", {}, hearing=name, at_ms=900))
    for one in story:
        room.publish("events", one)
    await until(lambda: {one["number"] for one in story} <= room.receipts())
    return name


def told_of(screen: Tab, hearing: str) -> list[dict[str, Any]]:
    """What a tab was told of a hearing that runs."""
    shown = [told["room"]["hearing"] for told in screen.of("room")]
    return [one for one in shown if one and one["id"] == hearing]


def noticed(room: RoomPeer, hearing: str) -> list[str]:
    """The levels of a hearing that the room was told, by all processes."""
    return [told["level"] for told in room.of("notices") if told["hearing"] == hearing]


async def code(http: httpx.AsyncClient, path: str) -> tuple[int, str]:
    answer = await http.get(path)
    said = answer.json() if answer.headers["Content-Type"].startswith("application/json") else {}
    return answer.status_code, said.get("code", "") if isinstance(said, dict) else ""


async def test_who_signs_in_at_one_is_signed_in_at_both_and_signed_out_at_both(center: SharedCenter) -> None:
    async with center.first.served.inspector() as one:
        two = httpx.AsyncClient(base_url=center.second.served.url, headers={"X-Wutong": "1"}, cookies=one.cookies)
        async with two:
            assert (await two.get("/api/session")).json()["role"] == "inspector"
            async with tab(center.second.served, two) as screen:
                reading = asyncio.ensure_future(screen.ws.wait_closed())
                assert (await one.delete("/api/session")).status_code == 200
                assert await code(two, "/api/rooms") == (401, "signed-out")
                assert await code(two, "/api/session") == (401, "signed-out")
                await reading
            assert screen.ws.close_code == 4401


async def test_what_is_sealed_at_one_is_refused_at_the_other_from_the_answer_on(
    center: SharedCenter, room: RoomPeer
) -> None:
    for _ in range(5):
        hearing = await held(room)
        async with center.first.served.inspector() as one, center.second.served.inspector() as two:
            assert await code(two, f"/api/hearings/{hearing}") == (200, "")
            assert (await one.put(f"/api/hearings/{hearing}/access", json=SEAL)).status_code == 200
            assert await code(two, f"/api/hearings/{hearing}") == (403, "sealed")
            row = next(row for row in (await two.get("/api/hearings")).json() if row["id"] == hearing)
            assert (row["access"], row["case"]["case_no"]) == ("withdrawn", "")
            assert (await two.get("/api/search", params={"q": f"{hearing}的借条"})).json() == []


async def test_a_part_that_is_sealed_at_one_is_withheld_by_the_other_and_lifted_again(
    center: SharedCenter, room: RoomPeer
) -> None:
    hearing = await held(room)
    path = f"/api/hearings/{hearing}"
    body = {"from_ms": ROOM_NS / 1e6, "to_ms": ROOM_NS / 1e6 + 10_000, "level": "withdrawn", "reason": "商业秘密"}
    async with center.first.served.inspector("archivist") as one, center.second.served.inspector("archivist") as two:
        assert "借条" in (await two.get(path)).text
        parts = (await one.put(f"{path}/sealed-parts", json=body)).json()
        withheld = (await two.get(path)).json()
        assert "借条" not in json.dumps(withheld, ensure_ascii=False)
        assert len(withheld["unseen"]) == 1
        lifted = await two.post(f"{path}/sealed-parts/{parts[0]['id']}/lift", json={"reason": "期满"})
        assert lifted.json() == []
        assert "借条" in (await one.get(path)).text
        again = await one.post(f"{path}/sealed-parts/{parts[0]['id']}/lift", json={"reason": "再次"})
        assert (again.status_code, again.json()["code"]) == (404, "not-found")


async def test_what_a_room_seals_itself_is_withheld_by_both(center: SharedCenter, room: RoomPeer) -> None:
    hearing = await held(room, closed=False)
    body = {"id": "p1", "from_ns": ROOM_NS, "to_ns": None, "level": "withdrawn", "by": "clerk", "reason": "隐私"}
    number = next(_numbers)
    async with center.first.served.inspector() as one, center.second.served.inspector() as two:
        room.publish("events", event(number, "sealed_part", body, hearing=hearing, at_ms=600))
        await until(lambda: number in room.receipts())
        for http in (one, two):
            while "借条" in (await http.get(f"/api/hearings/{hearing}")).text:
                await asyncio.sleep(0.02)  # one has stored it, and the other follows


async def test_a_grant_that_is_revoked_at_one_opens_nothing_at_the_other(center: SharedCenter, room: RoomPeer) -> None:
    hearing = await held(room)
    async with center.first.served.inspector("archivist") as one:
        made = await one.post(f"/api/hearings/{hearing}/grants", json={"role": "原告代理人", "name": "赵律师"})
        grant = made.json()
        async with httpx.AsyncClient(base_url=center.second.served.url, headers={"X-Wutong": "1"}) as party:
            links = [party.post("/api/view/session", json={"code": grant["code"]}) for _ in range(2)]
            opened = [answer.status_code for answer in await asyncio.gather(*links)]
            assert sorted(opened) == [200, 401], "a link works once"
            assert (await party.get("/api/view")).status_code == 200
            assert (await one.delete(f"/api/grants/{grant['id']}")).status_code == 200
            assert await code(party, "/api/view") == (401, "signed-out")


async def test_one_link_that_is_opened_at_both_at_once_opens_once(center: SharedCenter, room: RoomPeer) -> None:
    hearing = await held(room)
    async with center.first.served.inspector("archivist") as archivist:
        for _ in range(3):
            made = await archivist.post(f"/api/hearings/{hearing}/grants", json={"role": "被告", "name": "钱律师"})
            link = {"code": made.json()["code"]}
            async with (
                httpx.AsyncClient(base_url=center.first.served.url, headers={"X-Wutong": "1"}) as one,
                httpx.AsyncClient(base_url=center.second.served.url, headers={"X-Wutong": "1"}) as two,
            ):
                answers = await asyncio.gather(*(http.post("/api/view/session", json=link) for http in (one, two)))
            assert sorted(answer.status_code for answer in answers) == [200, 401]


async def test_acts_at_both_at_once_end_alike_and_no_inspector_lowers_what_was_raised_meanwhile(
    center: SharedCenter, room: RoomPeer
) -> None:
    async with center.first.served.inspector("archivist") as one, center.second.served.inspector() as two:
        for _ in range(4):
            hearing = await held(room)
            path = f"/api/hearings/{hearing}/access"
            answers = await asyncio.gather(
                one.put(path, json=SEAL), two.put(path, json={"level": "restricted", "reason": "不公开"})
            )
            assert answers[0].status_code == 200
            assert answers[1].status_code in (200, 403)
            for http in (one, two):
                assert await code(http, f"/api/hearings/{hearing}") == (403, "sealed")
            # Of the act itself, of who followed it, and once more when nobody says anything else any more.
            await until(lambda name=hearing: noticed(room, name).count("withdrawn") >= 3)  # type: ignore[misc]
            assert noticed(room, hearing)[-1] == "withdrawn"


async def test_what_waits_at_the_other_is_not_sent_once_it_is_sealed(center: SharedCenter, room: RoomPeer) -> None:
    hearing = await held(room, closed=False)
    status: dict[str, Any] = {
        "online": True,
        "at_utc_ns": 1,
        "room_ns": ROOM_NS + next(_numbers),
        "hearing": {"id": hearing, "state": "open", "case": {"case_no": "9", "public": True}},
    }
    async with (
        center.first.served.inspector() as one,
        center.second.served.inspector() as two,
        tab(center.second.served, two) as screen,
    ):
        room.publish("status", status)
        room.publish("live/bench/init", INIT)
        await until(lambda: told_of(screen, hearing))
        await screen.say(watch=[BENCH], rooms=["court1/c03"])
        await until(lambda: any(one["tracks"] == ["bench"] for one in room.demands()))
        room.publish("live/bench/frag", envelope(Kind.FRAGMENT, AT, key=True, kept=True))
        await until(lambda: screen.sequences() == [AT])
        center.second.freeze()
        try:
            for sequence in range(AT + 1, AT + 5):
                room.publish("live/bench/frag", envelope(Kind.FRAGMENT, sequence, kept=True))
            room.publish("caption", {"id": "c1", "text": "秘密", "start_ms": 1, "end_ms": 2})
            asked = asyncio.ensure_future(two.get(f"/api/hearings/{hearing}"))
            answer = await one.put(f"/api/hearings/{hearing}/access", json=SEAL)
            assert answer.status_code == 200
        finally:
            center.second.thaw()
        late = await asked
        assert (late.status_code, late.json()["code"]) in [(403, "sealed"), (503, "rights-unknown")]
        await until(lambda: any("hidden" in told for told in told_of(screen, hearing)))
        assert screen.sequences() == [AT]
        assert not screen.of("caption")
        assert await code(two, f"/api/hearings/{hearing}") == (403, "sealed")
    room.publish("status", {**status, "room_ns": status["room_ns"] + 1, "hearing": None})


async def test_two_that_watch_tracks_of_one_room_at_both_are_both_asked_for(
    center: SharedCenter, room: RoomPeer
) -> None:
    room.publish("status", {"online": True, "at_utc_ns": 1, "room_ns": ROOM_NS * 2, "session": "run"})
    async with (
        center.first.served.inspector() as one,
        center.second.served.inspector() as two,
        tab(center.first.served, one) as here,
        tab(center.second.served, two) as there,
    ):
        await here.say(watch=[BENCH], rooms=[])
        await there.say(watch=["court1/c03/wide"], rooms=[])

        def by_process() -> dict[str, Any]:
            return {told["center"]: told["tracks"] for told in room.of("demand") if told["tracks"]}

        await until(lambda: sorted(by_process().values()) == [["bench"], ["wide"]])


async def test_an_act_is_answered_although_the_other_was_killed_and_who_comes_anew_knows_of_it(
    center: SharedCenter, room: RoomPeer
) -> None:
    hearing = await held(room)
    async with center.first.served.inspector() as one:
        center.second.kill()
        assert (await one.put(f"/api/hearings/{hearing}/access", json=SEAL)).status_code == 200
        center.second.begin()
        await asyncio.to_thread(center.second.until_it_answers)
        two = httpx.AsyncClient(base_url=center.second.served.url, headers={"X-Wutong": "1"}, cookies=one.cookies)
        async with two:
            assert await code(two, f"/api/hearings/{hearing}") == (403, "sealed"), "the session is known, too"


async def test_without_the_database_nobody_is_shown_anything_and_then_all_goes_on(
    center: SharedCenter, room: RoomPeer
) -> None:
    hearing = await held(room)
    async with (
        center.first.served.inspector() as one,
        center.second.served.inspector() as two,
        tab(center.second.served, two) as screen,
    ):
        center.postgres.stop()
        try:
            for http in (one, two):
                while (await code(http, "/api/rooms")) != (503, "rights-unknown"):
                    await asyncio.sleep(0.05)
                assert await code(http, "/api/session") == (503, "rights-unknown")
                assert await code(http, f"/api/hearings/{hearing}") == (503, "rights-unknown")
                refusal = (await http.get("/api/rooms")).json()["message"]
                assert "无法确认查阅权限" in refusal
                assert "try again" in refusal
            room.publish("status", {"online": True, "at_utc_ns": 1, "room_ns": ROOM_NS * 3, "session": "later"})
            before = len(screen.texts)
            with pytest.raises(websockets.InvalidStatus):
                async with tab(center.second.served, two):
                    pass
            assert len(screen.texts) == before
        finally:
            center.postgres.start()
        for http in (one, two):
            while (await code(http, f"/api/hearings/{hearing}"))[0] != 200:
                await asyncio.sleep(0.05)
        await until(lambda: len(screen.texts) > before)


async def test_two_that_write_the_audit_log_at_once_lose_no_line_and_number_none_twice(
    center: SharedCenter, room: RoomPeer
) -> None:
    async def looks(http: httpx.AsyncClient, count: int) -> None:
        for number in range(count):
            await http.get(f"/api/hearings/none-{number}")

    async with center.first.served.inspector() as one, center.second.served.inspector() as two:
        writing = [asyncio.ensure_future(looks(http, 60)) for http in (one, one, two, two)]
        await asyncio.sleep(0)
        await until(
            lambda: center.postgres.run("SELECT 1 FROM audit WHERE detail LIKE '%none-%'", database=center.database)
        )
        center.second.kill()
        await asyncio.gather(*writing, return_exceptions=True)
        center.second.begin()
        await asyncio.to_thread(center.second.until_it_answers)
    rows = center.postgres.run(
        "SELECT l.place, l.row, a.row FROM audit_leaves l FULL JOIN audit a ON a.row = l.row ORDER BY l.place",
        database=center.database,
    )
    assert [place for place, _, _ in rows] == list(range(len(rows))), "no leaf is missing, or there twice"
    assert all(of_leaf == row for _, of_leaf, row in rows), "each leaf has its line, and each line its leaf"
    assert len({row for _, _, row in rows}) == len(rows)
