"""A clerk's day at the panel of a running room, by a center that signs who is who."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from edge.clerks.panel_entry import EMERGENCY
from sync.room.event_log import RoomLog
from tests.support.paths import HEARING
from tests.support.peers.clerk_center import LIN, PASSWORD, ZHOU, ClerkCenter
from tests.support.ports import free_port
from tests.support.rooms.edge_room import Room

PIN = "4826"


class Court:
    """A room, and the center that it asks."""

    def __init__(self, room: Room, center: ClerkCenter, stop: Callable[[], Awaitable[None]]) -> None:
        self.room, self.center, self.stop = room, center, stop

    async def sign_in(self, login: str = "lin", password: str = PASSWORD, totp: str = "") -> httpx.Response:
        body = {"login": login, "password": password, "totp": totp}
        return await self.room.stranger.post("/api/panel/sign-in", json=body)

    async def entry(self) -> Any:
        return (await self.room.stranger.get("/api/panel")).json()

    async def by_pin(self, person: str = LIN, pin: str = PIN) -> httpx.Response:
        return await self.room.stranger.post("/api/panel/pin", json={"person": person, "pin": pin})

    async def lock(self) -> None:
        assert (await self.room.stranger.put("/api/panel/pin", json={"pin": PIN})).status_code == 200
        assert (await self.room.stranger.post("/api/panel/lock")).status_code == 200

    def events(self, kind: str) -> list[dict[str, Any]]:
        with contextlib.closing(RoomLog(self.room.layout.log)) as log:
            return [dict(event.body) for event in log.since(0) if event.kind == kind]

    async def said(self, what: str, words: str) -> dict[str, Any]:
        """What the room's audit says of somebody, once it is written."""
        async with asyncio.timeout(20):
            while True:
                for body in self.events("access"):
                    if body["what"] == what and body["detail"].get("said", "") == words:
                        return body
                await asyncio.sleep(0.05)


@pytest_asyncio.fixture
async def court(tmp_path: Path, people: tuple[Path, str]) -> AsyncIterator[Court]:
    center = ClerkCenter(port=free_port())
    room = Room(tmp_path, *people, more=f'[center]\nurl = "http://127.0.0.1:{center.port}"\n')
    center.enroll(room.layout)
    async with center.running() as stop, room:
        yield Court(room, center, stop)


async def test_a_clerk_signs_in_as_a_person_and_the_record_says_who_acts(court: Court) -> None:
    court.center.totp = "123456"
    wrong = await court.sign_in(password="wrong")
    assert (wrong.status_code, wrong.json()["code"]) == (401, "password")
    assert (await court.sign_in()).json()["code"] == "second-factor"
    answer = await court.sign_in(totp="123456")
    assert answer.json() == {"role": "clerk", "name": "林书记", "person": LIN, "court": "jianshan"}
    me = (await court.entry())["me"]
    assert me["name"] == "林书记"
    assert me["until_utc_ms"]
    await court.room.open()
    await court.room.stranger.post("/api/marks", json={"kind": "重要", "text": ""})
    assert court.events("mark")[0]["who"] == {"person": LIN, "name": "林书记"}
    assert "who" not in court.events("open")[0]  # who came by the room's code


async def test_a_locked_panel_shows_neither_words_nor_pictures_and_the_hearing_goes_on(court: Court) -> None:
    panel = court.room.stranger
    await court.sign_in()
    assert (await panel.post("/api/panel/lock")).json()["code"] == "no-pin"
    assert (await panel.put("/api/panel/pin", json={"pin": "1234"})).json()["code"] == "weak-pin"
    await court.room.open()
    await panel.post("/api/marks", json={"kind": "重要", "text": "只有书记员可见"})
    exhibit = (await court.room.add("slip.png", (HEARING / "transfer-slip.png").read_bytes())).json()["id"]
    await court.lock()
    state = (await panel.get("/api/state")).json()
    assert state["hearing"]["state"] == "open"
    assert state["recorder"]["tracks"][0]["kept"]
    assert "只有书记员可见" not in json.dumps(state, ensure_ascii=False)
    assert state["hearing"]["exhibits"] == []
    for method, path in (
        ("GET", f"/api/exhibits/{exhibit}"),
        ("POST", "/api/hearing/close"),
        ("PUT", "/api/panel/pin"),
        ("GET", "/api/panel/sessions"),
    ):
        refused = await panel.request(method, path, json={"pin": PIN})
        assert (refused.status_code, refused.json()["code"]) == (423, "locked"), path
    shown = await court.entry()
    assert (shown["hearing"], shown["recording"], shown["me"]["locked"]) == ("open", True, True)
    assert (await court.by_pin(pin="4827")).json()["code"] == "pin"
    assert (await court.by_pin()).status_code == 200
    assert (await panel.get("/api/panel/sessions")).json()[0]["mine"]
    assert "只有书记员可见" in (await panel.get("/api/state")).text
    assert (await court.said("sign-out", "lock"))["detail"]["person"] == LIN


async def test_a_tab_that_is_open_while_the_panel_is_locked_is_sent_nothing_more_of_it(court: Court) -> None:
    await court.sign_in()
    await court.room.open()
    court.room.clerk.cookies = court.room.stranger.cookies
    async with court.room.socket("/api/live") as ws, asyncio.timeout(20):
        await ws.send(json.dumps({"watch": ["bench"]}))
        court.room.recorder.init()
        court.room.recorder.fragment(1, key=True)
        while not isinstance(await ws.recv(), bytes):
            pass
        await court.lock()
        while json.loads(text).get("unseen", []) == [] if isinstance(text := await ws.recv(), str) else True:
            pass
        court.room.recorder.fragment(2, key=True)
        words = {"id": "c1", "seat": "judge", "role": "审判长", "start_ns": 1, "end_ns": 2, "text": "秘密", "stable": 0}
        court.room.transcriber.publish_json("caption", words)
        for _ in range(8):
            message = await ws.recv()
            assert isinstance(message, str)
            assert "秘密" not in message


async def test_another_clerk_takes_over_while_the_hearing_goes_on(court: Court) -> None:
    await court.sign_in()
    await court.room.open()
    await court.lock()
    assert (await court.sign_in("zhou")).json()["person"] == ZHOU
    await court.room.stranger.post("/api/hearing/pause", json={"reason": "recess"})
    assert court.events("pause")[0]["who"]["name"] == "周书记"
    assert (await court.said("sign-in", "takes over from 林书记"))["detail"]["person"] == ZHOU
    assert [one["name"] for one in (await court.entry())["pins"]] == ["林书记"]
    assert (await court.by_pin()).json()["person"] == LIN
    assert (await court.room.state())["hearing"]["state"] == "paused"


async def test_a_pin_is_worth_nothing_elsewhere_and_nothing_after_ten_wrong_ones(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.http.rights.people._MAX_DELAY_S", 0.0)
    await court.sign_in()
    await court.lock()
    async with httpx.AsyncClient(base_url=court.room.base, headers={"X-Wutong": "1"}, trust_env=False) as other:
        assert (await other.get("/api/panel")).json()["pins"] == []
        answer = await other.post("/api/panel/pin", json={"person": LIN, "pin": PIN})
        assert answer.json()["code"] == "pin-over"
    said = [(await court.by_pin(pin="0000")).json()["code"] for _ in range(10)]
    assert said == ["pin"] * 9 + ["pin-over"]
    assert (await court.by_pin()).json()["code"] == "pin-over"
    await court.sign_in()
    assert (await court.by_pin()).status_code == 200


async def test_a_restart_while_the_center_is_away_keeps_who_was_in_and_the_code_opens_nothing(court: Court) -> None:
    await court.sign_in()
    await court.lock()
    await court.stop()
    await court.room.stop()
    await court.room.start()
    shown = await court.entry()
    assert (shown["me"]["name"], shown["me"]["locked"]) == ("林书记", True)
    assert (await court.sign_in("zhou")).json()["code"] == "center-away"
    answer = await court.room.stranger.post("/api/session", json={"code": court.room.code})
    assert (answer.status_code, answer.json()["code"]) == (403, "persons")
    assert (await court.by_pin()).status_code == 200


async def test_the_code_is_the_emergency_way_while_the_center_is_away_and_nobody_was_in(court: Court) -> None:
    code = {"code": court.room.code}
    assert (await court.room.stranger.post("/api/session", json=code)).status_code == 200  # no person was ever in
    await court.sign_in()
    await court.room.stranger.delete("/api/session")
    refused = await court.room.stranger.post("/api/session", json=code)
    assert refused.json()["code"] == "persons"
    await court.stop()
    assert (await court.room.stranger.post("/api/session", json=code)).status_code == 200
    await court.said("sign-in", EMERGENCY)
    state = await court.room.until_state(lambda s: any(alarm["code"] == EMERGENCY for alarm in s["alarms"]))
    assert state["hearing"] is None


async def test_who_left_the_court_loses_the_panel_and_the_hearing_goes_on(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    await court.room.stop()
    monkeypatch.setattr("edge.clerks.panel_entry.LOOK_S", 0.05)
    await court.room.start()
    await court.sign_in()
    await court.room.open()
    court.center.gone = [LIN]
    async with asyncio.timeout(20):
        while (await court.entry())["me"] is not None:
            await asyncio.sleep(0.05)
    assert (await court.room.stranger.get("/api/state")).status_code == 401
    assert (await court.entry())["hearing"] == "open"
    assert (await court.room.state())["hearing"]["state"] == "open"


async def test_a_clerk_sees_and_ends_their_own_sessions_alone(court: Court) -> None:
    await court.sign_in()
    async with httpx.AsyncClient(base_url=court.room.base, headers={"X-Wutong": "1"}, trust_env=False) as other:
        await other.post("/api/panel/sign-in", json={"login": "lin", "password": PASSWORD})
        assert (await other.get("/api/state")).status_code == 200
        listed = (await court.room.stranger.get("/api/panel/sessions")).json()
        theirs = next(one["id"] for one in listed if not one["mine"])
        assert len(listed) == 2
        assert (await court.room.clerk.delete(f"/api/panel/sessions/{theirs}")).json()["code"] == "not-found"
        assert (await court.room.stranger.delete(f"/api/panel/sessions/{theirs}")).status_code == 200
        assert (await other.get("/api/state")).status_code == 401


async def test_a_room_without_a_center_keeps_its_code(room: Room) -> None:
    answer = await room.stranger.post("/api/panel/sign-in", json={"login": "lin", "password": PASSWORD})
    assert answer.json()["code"] == "no-persons"
    assert (await room.stranger.post("/api/session", json={"code": room.code})).status_code == 200
    assert (await room.stranger.post("/api/panel/lock")).status_code == 200
    assert (await room.stranger.post("/api/marks", json={"kind": "x", "text": ""})).json()["code"] == "locked"
    assert (await room.stranger.post("/api/session", json={"code": room.code})).status_code == 200
    assert (await room.stranger.get("/api/panel")).json()["me"]["locked"] is False
