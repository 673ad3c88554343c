"""A court runs its rooms itself: a real center, a real broker by certificates, machines that know but a code."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from server.events.admission import Received
from sync import topics
from sync.broker_address import BrokerAddress
from sync.errors import CenterError
from sync.ledger.keys import make_key
from sync.mqtt import MqttConnection
from sync.record.event import Event
from sync.room.enrollment import RoomOffer, ask_room, carried_parts, enroll_at
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from sync.tls.identity import TlsIdentity
from tests.support.peers.administrator import Administrator, administrator
from tests.support.peers.center_peers import until
from tests.support.peers.tls_center import TlsCenter, files_of, served_by_tls
from tests.support.peers.tls_court import utc_now

ADDRESS = "court9/c01"
IDLE = {"version": "0.9.0", "disk_free_bytes": 900, "disk_bytes": 1000, "pending_events": 0, "pending_bytes": 0}


@pytest_asyncio.fixture
async def center(tmp_path: Path) -> AsyncIterator[TlsCenter]:
    async with served_by_tls(tmp_path) as one:
        yield one


@pytest_asyncio.fixture
async def clerk(center: TlsCenter) -> AsyncIterator[Administrator]:
    async with administrator(center, "administrator@court9", "administrator@court1") as one:
        yield one


class Machine:
    """A room's machine, at its broker."""

    def __init__(self, folder: Path, center: TlsCenter) -> None:
        self.layout = RoomPaths(folder)
        self.center = center
        self.line: MqttConnection | None = None

    async def enroll(self, carried: str) -> RoomOffer:
        """With nothing but what was carried to it; what it was told."""
        key = make_key(self.layout.device_key)
        url, code = carried_parts(carried)
        room = await asyncio.to_thread(ask_room, url, code)
        assert room is not None
        address = f"{room.court}/{room.room}"
        await asyncio.to_thread(enroll_at, url, self.layout, address, code, utc_now(), key, hosts=["room.example"])
        return room

    async def connect(self, room: RoomOffer) -> None:
        """To the broker that it was told of."""
        identity = TlsIdentity(files_of(self.layout))
        address, place = f"{room.court}/{room.room}", room.brokers[0]
        assert (place[0], room.mqtt_tls) == (":", True), "on the center's own machine"
        self.line = MqttConnection(BrokerAddress("127.0.0.1", int(place[1:]), address, tls=identity.context))
        self.line.start()
        await until(lambda: self.line is not None and self.line.connected)

    def say(self, **status: Any) -> None:
        """Its status."""
        assert self.line is not None
        said = {"online": True, "session": str(id(self)), "room_ns": 1, **status}
        self.line.publish(f"{topics.of_room(ADDRESS)}/{topics.STATUS}", json.dumps(said).encode(), qos=1)

    async def stop(self) -> None:
        """Switch it off."""
        if self.line is not None:
            await self.line.stop()


def _holds_nothing(center: TlsCenter) -> bool:
    """What the room says now."""
    status = center.center.rooms.states[ADDRESS].status
    return status is not None and status.facts is not None and status.facts.holds_nothing


def _said(layout: RoomPaths) -> Event:
    """A fact of a room's log."""
    with contextlib.closing(RoomLog(layout.log)) as room_log:
        return room_log.append("note", {}, hearing=None, room_ns=1, utc_ns=1)


async def test_a_room_that_is_added_while_the_center_runs_stands_on_the_wall(
    center: TlsCenter, clerk: Administrator, tmp_path: Path
) -> None:
    """Code, enrollment, status by the broker's TLS; the center is not restarted, nor is anything told to the broker."""
    made = await clerk.add_room("court9", "c01")
    assert (made["state"], made["by"], made["has_device"]) == ("planned", "管理员", False)
    code = await clerk.ask("POST", f"/rooms/{ADDRESS}/code")
    assert code["qr_svg"].startswith("<svg")
    machine = Machine(tmp_path / "room", center)
    try:
        room = await machine.enroll(code["carried"])
        assert (room.court, room.room, room.room_name) == ("court9", "c01", "第九法庭")
        await machine.connect(room)
        machine.say(room_name="自称", facts={**IDLE, "selftest": {"utc_ms": 5, "passed": True}})
        await until(lambda: center.center.rooms.states[ADDRESS].online)
        async with administrator(center, "inspector@court9") as inspector:
            wall = (await inspector.http.get("/api/rooms")).json()
        shown = next(one for one in wall if one["address"] == ADDRESS)
        assert (shown["online"], shown["room_name"]) == (True, "第九法庭"), "called as the administrator says"
        async with center.http(files_of(machine.layout)) as http:
            assert (await http.options("/api/uploads/", headers={"Tus-Resumable": "1.0.0"})).status_code == 204
            profile = '[room]\nname = "第九法庭"\n[[cameras]]\nid = "bench"\npassword_file = "/etc/x"\n'
            assert (await http.post("/api/rooms/profile", json={"profile": profile})).status_code == 200
            secret = {"profile": 'password = "geheim"\n'}
            assert (await http.post("/api/rooms/profile", json=secret)).json()["code"] == "profile"
        assert (await clerk.ask("GET", f"/rooms/{ADDRESS}/profile"))["profile_toml"] == profile
        fleet = await clerk.ask("GET", "/fleet", params={"q": "第九"})
        row = fleet["rows"][0]
        assert (fleet["total"], row["address"], row["state"], row["version"]) == (1, ADDRESS, "ok", "0.9.0")
        assert row["selftest"] == {"utc_ms": 5, "passed": True}
        devices = await clerk.ask("GET", "/devices", params={"court": "court9"})
        assert (devices["total"], devices["rows"][0]["current"]) == (1, True)
    finally:
        await machine.stop()


async def test_a_room_moves_to_another_machine_once_the_first_holds_nothing(
    center: TlsCenter, clerk: Administrator, tmp_path: Path
) -> None:
    """And its log goes on behind what the center has."""
    await clerk.add_room("court9", "c01")
    first, second = Machine(tmp_path / "first", center), Machine(tmp_path / "second", center)
    try:
        room = await first.enroll((await clerk.ask("POST", f"/rooms/{ADDRESS}/code"))["carried"])
        assert (await clerk.ask("POST", f"/rooms/{ADDRESS}/code", status=409))["code"] == "has-device"
        await first.connect(room)
        first.say(facts={**IDLE, "pending_events": 3, "pending_bytes": 7})
        await until(lambda: center.center.rooms.states[ADDRESS].online)
        refused = await clerk.ask("POST", f"/rooms/{ADDRESS}/move", json={}, status=409)
        assert refused["code"] == "still-holds"
        waits = await clerk.ask("GET", f"/rooms/{ADDRESS}")
        assert (waits["moving"], waits["leaving"]) == ("waits", {"pending_events": 3, "pending_bytes": 7})

        first.say(facts=IDLE)
        await until(lambda: _holds_nothing(center))
        code = (await clerk.ask("POST", f"/rooms/{ADDRESS}/move", json={}))["carried"]
        # A hearing has begun between the code and its use: the first machine is still the room.
        first.say(facts={**IDLE, "pending_events": 1})
        await until(lambda: not _holds_nothing(center))
        with pytest.raises(CenterError, match="still holds") as refusal:
            await second.enroll(code)
        assert refusal.value.code == "still-holds"
        async with center.http(files_of(first.layout)) as http:
            assert (await http.options("/api/uploads/", headers={"Tus-Resumable": "1.0.0"})).status_code == 204

        first.say(facts=IDLE)
        await until(lambda: _holds_nothing(center))
        await second.enroll(code)
        assert not (await clerk.ask("GET", f"/rooms/{ADDRESS}"))["moving"]
        await until(lambda: len(center.center.tls.certificates.revoked) == 1)
        async with center.http(files_of(first.layout)) as http:
            assert (await http.options("/api/uploads/", headers={"Tus-Resumable": "1.0.0"})).status_code == 401
    finally:
        await first.stop()
        await second.stop()


async def test_the_log_of_another_machine_goes_on_behind_what_the_center_has(
    center: TlsCenter, clerk: Administrator, tmp_path: Path
) -> None:
    await clerk.add_room("court9", "c01")
    first, second = Machine(tmp_path / "first", center), Machine(tmp_path / "second", center)
    await first.enroll((await clerk.ask("POST", f"/rooms/{ADDRESS}/code"))["carried"])
    event = _said(first.layout)
    assert event.number == 1
    await center.center.record.store_events([Received(ADDRESS, event, "{}", "0" * 64)])
    code = (await clerk.ask("POST", f"/rooms/{ADDRESS}/move", json={"force": True}))["carried"]
    await second.enroll(code)
    assert _said(second.layout).number == 1_000_001


async def test_a_retired_room_is_gone_at_once_and_can_come_back(
    center: TlsCenter, clerk: Administrator, tmp_path: Path
) -> None:
    await clerk.add_room("court9", "c01")
    machine = Machine(tmp_path / "room", center)
    try:
        room = await machine.enroll((await clerk.ask("POST", f"/rooms/{ADDRESS}/code"))["carried"])
        await machine.connect(room)
        machine.say(facts=IDLE, alarms=[])
        await until(lambda: center.center.rooms.states[ADDRESS].online)
        center.center.rooms.alarm(ADDRESS, "conflict", "x")
        retired = await clerk.ask("POST", f"/rooms/{ADDRESS}/retire", json={})
        assert retired["state"] == "retired"
        assert ADDRESS not in center.center.rooms
        assert not center.center.rooms.states[ADDRESS].alarms
        await until(lambda: machine.line is not None and not machine.line.connected)
        async with center.http(files_of(machine.layout)) as http:
            assert (await http.options("/api/uploads/", headers={"Tus-Resumable": "1.0.0"})).status_code == 401
        assert (await clerk.ask("POST", f"/rooms/{ADDRESS}/code", status=409))["code"] == "retired"
        assert (await clerk.ask("GET", "/fleet", params={"q": ADDRESS}))["total"] == 0
        assert (await clerk.ask("POST", f"/rooms/{ADDRESS}/return"))["state"] == "planned"
        assert ADDRESS in center.center.rooms
        await machine.enroll((await clerk.ask("POST", f"/rooms/{ADDRESS}/code"))["carried"])
        rows = await center.center.archive.audited("room-retired")
        assert json.loads(rows[0]["detail"])["room"] == ADDRESS
    finally:
        await machine.stop()


async def test_rooms_of_the_configuration_are_managed_by_the_administrators_of_their_court_alone(
    center: TlsCenter, clerk: Administrator
) -> None:
    async with administrator(center, "administrator@court1") as own:
        listed = await own.ask("GET", "/rooms")
        assert [(one["address"], one["by"]) for one in listed["rows"]] == [
            ("court1/c03", "configuration"),
            ("court1/c04", "configuration"),
        ]
        renamed = await own.ask("PATCH", "/rooms/court1/c03", json={"room_name": "大法庭"})
        assert (renamed["room_name"], center.center.rooms.states["court1/c03"].room_name) == ("大法庭", "大法庭")
        again = {"court": "court1", "room": "c03", "room_name": "x"}
        assert (await own.ask("POST", "/rooms", json=again, status=409))["code"] == "there-already"
        for bad in (
            {"court": "Court", "room_name": "x"},
            {"court": "court1", "room_name": ""},
            {"court": "a", "no": 1},
        ):
            await own.ask("POST", "/rooms", json=bad, status=422)
        await own.ask("GET", "/rooms/court1/nowhere", status=404)
    assert (await clerk.ask("GET", "/rooms"))["total"] == 0
    assert (await clerk.ask("GET", "/fleet"))["total"] == 0
    for act in ("code", "move", "retire"):
        await clerk.ask("POST", f"/rooms/court1/c03/{act}", json={}, status=404)
    await clerk.ask("POST", "/rooms", json={"court": "court1", "room_name": "x"}, status=403)
    async with administrator(center, "inspector@court1") as other:
        for path in ("/rooms", "/fleet", "/devices"):
            await other.ask("GET", path, status=403)
