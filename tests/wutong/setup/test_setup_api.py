"""The setup page's routes: nothing without the code of the machine's own screen, and each wrong field in its words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from hardware.discovery import found_devices
from hardware.simulation.scenario import BUNDLED_HEARING
from sync.http.rights.access import Access
from sync.http.rights.rules import check_declared
from sync.http.serve import new_app
from wutong.setup.api import add_setup
from wutong.setup.one_time_code import OneTimeCode
from wutong.setup.profile_making import SIMULATED, SetupPlace
from wutong.setup.room_setup import RoomSetup
from wutong.setup.services import RoomServices

HEADERS = {"X-Wutong": "1"}
ALONE = {"alone": True, "court": "jianshan", "room": "3", "court_name": "尖山区人民法院", "room_name": "第三法庭"}


@pytest.fixture(autouse=True)
def no_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine of a test has no input devices; to look for them takes PortAudio a second."""
    monkeypatch.setattr(found_devices, "input_microphones", list)


@asynccontextmanager
async def page(
    folder: Path, *, signed_in: bool = True
) -> AsyncIterator[tuple[httpx.AsyncClient, RoomSetup, OneTimeCode]]:
    place = SetupPlace(folder / "room.toml", folder / "data", "127.0.0.1", 8810, BUNDLED_HEARING, (), ())
    setup = RoomSetup(place, RoomServices(place.profile))
    code = OneTimeCode(lambda address: None)
    app = new_app("setup")
    access = Access.open(folder / "page" / "access.json", {})
    access.install(app, "setup")
    add_setup(app, setup, access, code)
    check_declared(app)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8810", headers=HEADERS) as http:
        if signed_in:
            assert (await http.post("/api/setup/session", json={"code": code.text})).status_code == 200
        try:
            yield http, setup, code
        finally:
            await setup.close()


async def test_without_the_code_nothing_is_said_and_nothing_is_done(tmp_path: Path) -> None:
    async with page(tmp_path, signed_in=False) as (http, _, code):
        assert (await http.get("/api/setup")).status_code == 401
        for path in ("center", "search", "cameras", "microphones", "profile", "again", "finish", "cameras/c1/picture"):
            assert (await http.post(f"/api/setup/{path}", json={})).status_code == 401
        assert (await http.post("/api/setup/session", json={"code": "AAAA-BBBB-CC"})).status_code == 401
        assert (await http.post("/api/setup/session", json={"code": code.text})).status_code == 200
        assert (await http.get("/api/setup")).status_code == 200
        async with httpx.AsyncClient(transport=http._transport, base_url=http.base_url, headers=HEADERS) as other:
            again = await other.post("/api/setup/session", json={"code": code.text})
            assert (again.status_code, again.json()["code"]) == (403, "used")


async def test_each_field_of_the_center_has_its_own_words(tmp_path: Path) -> None:
    async with page(tmp_path) as (http, _, _):
        empty = await http.post("/api/setup/center", json={})
        assert (empty.status_code, empty.json()["code"]) == (422, "invalid")
        assert [fault["field"] for fault in empty.json()["faults"]] == ["carried", "url"]
        half = await http.post("/api/setup/center", json={"carried": "https://center.example#ABCDE"})
        assert [fault["field"] for fault in half.json()["faults"]] == ["carried"]
        wrong = {**ALONE, "court": "尖山", "room_name": ""}
        alone = await http.post("/api/setup/center", json=wrong)
        assert [fault["field"] for fault in alone.json()["faults"]] == ["court", "room_name"]


async def test_a_typed_address_that_is_none_says_so_at_its_field(tmp_path: Path) -> None:
    async with page(tmp_path) as (http, _, _):
        answer = await http.post("/api/setup/cameras", json={"url": "http://user:hunter2@camera/"})
        assert [fault["field"] for fault in answer.json()["faults"]] == ["url"]
        assert "hunter2" not in answer.text
        assert (await http.get("/api/setup/cameras/c9/picture")).status_code == 404


@pytest.mark.process
async def test_a_room_that_stands_alone_is_written_when_all_of_it_was_said(tmp_path: Path) -> None:
    async with page(tmp_path) as (http, setup, _):
        choices = {
            "cameras": [{"candidate": "c1", "name": "审判席"}],
            "microphones": {"name": SIMULATED, "channels": 4},
            "seats": [{"role": "审判长", "channel": 0}, {"role": "书记员", "channel": 3}],
        }
        early = await http.post("/api/setup/profile", json=choices)
        assert [fault["field"] for fault in early.json()["faults"]] == ["carried"]
        assert (await http.post("/api/setup/center", json=ALONE)).json()["offer"]["room_name"] == "第三法庭"
        found = (await http.post("/api/setup/search", json={})).json()
        assert [one["driver"] for one in found["cameras"]] == ["simulated", "simulated"]
        looked = (await http.post("/api/setup/cameras/c1/picture", json={})).json()["cameras"][0]
        assert (looked["picture"], looked["trouble"]) == (1, "")
        picture = await http.get("/api/setup/cameras/c1/picture")
        assert picture.headers["content-type"] == "image/jpeg"
        wrong = await http.post("/api/setup/profile", json={**choices, "seats": [{"role": "", "channel": 7}]})
        assert [fault["field"] for fault in wrong.json()["faults"]] == ["seats.0.role", "seats.0.channel"]
        assert not setup.place.profile.exists()
        written = (await http.post("/api/setup/profile", json=choices)).json()
        assert written["state"] == "working"
        assert written["steps"][0]["state"] == "done"
        assert "signer" in written["command"]
        assert setup.place.profile.exists()
        early = await http.post("/api/setup/finish", json={})
        assert (early.status_code, early.json()["code"]) == (400, "unfinished")
        assert not setup.finished.is_set()
