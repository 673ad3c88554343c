"""密级: who may see a hearing; changing it works at once, everywhere, and is kept with its reason."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text

from server.config import load_config
from server.running import running
from server.service import build
from sync.errors import ConfigError
from sync.media.envelope import Kind
from tests.support.peers.center_peers import RoomPeer, Served, event, opening, said, until
from tests.support.peers.live_tab import BENCH, INIT, envelope, tab

pytestmark = pytest.mark.both_databases

SEAL = {"level": "withdrawn", "reason": "涉及国家秘密"}
STATUS = {
    "online": True,
    "at_utc_ns": 1,
    "room_ns": 1,
    "hearing": {"id": "h1", "state": "open", "case": {"case_no": "9", "public": True}},
}


async def hearing(room: RoomPeer, *, public: bool = True) -> None:
    first = opening(1)
    first["body"]["case"]["public"] = public
    room.publish("events", first)
    room.publish("events", said(2, "关于借条的签名", at_ms=500))
    await until(lambda: {1, 2} <= room.receipts())


async def test_sealing_cuts_picture_words_lists_and_downloads_in_one_act(served: Served, room: RoomPeer) -> None:
    await hearing(room)
    room.publish("live/bench/init", INIT)
    async with served.inspector() as http, tab(served, http) as one:
        room.publish("status", STATUS)
        await until(lambda: [t for t in one.of("room") if t["room"]["hearing"]])
        await one.say(watch=[BENCH], rooms=["court1/c03"])
        await until(lambda: {"tracks": ["bench"], "levels": True} in room.demands())
        room.publish("live/bench/frag", envelope(Kind.FRAGMENT, 1, key=True))
        await until(lambda: one.sequences() == [1])

        answer = await http.put("/api/hearings/h1/access", json=SEAL)
        assert answer.json() == {"access": "withdrawn"}, answer.text

        room.publish("live/bench/frag", envelope(Kind.FRAGMENT, 2))
        room.publish("live/bench/thumb", envelope(Kind.THUMBNAIL, 3))
        room.publish("caption", {"id": "c1", "text": "秘密"})
        room.publish("events", said(3, "秘密", at_ms=900))
        await until(lambda: 3 in room.receipts())
        await until(lambda: room.demands()[-1] == {"tracks": [], "levels": True})
        await one.say(watch=[BENCH])  # asking again does not help
        room.publish("status", {**STATUS, "speaking": ["judge"]})
        hidden = await until(
            lambda: [t for t in one.of("room") if t["room"]["hearing"] and "hidden" in t["room"]["hearing"]]
        )
        assert hidden[-1]["room"]["hearing"]["case"]["case_no"] == ""
        assert one.sequences() == [1]
        assert not [e for _, e in one.media if e.kind is Kind.THUMBNAIL]
        assert not one.of("caption")
        assert "秘密" not in json.dumps(one.of("event"), ensure_ascii=False)
        for path in ("", "/media/bench?from_ms=0&to_ms=9", "/exhibits/e1", "/explanation"):
            refused = await http.get(f"/api/hearings/h1{path}")
            assert (refused.status_code, refused.json()["code"]) == (403, "sealed"), path
        assert (await http.get("/api/search", params={"q": "借条"})).json() == []
        row = (await http.get("/api/hearings")).json()[0]
        assert (row["id"], row["access"], row["case"]["case_no"]) == ("h1", "withdrawn", "")
        assert (await http.get("/api/hearings", params={"case": "123"})).json() == []


async def test_an_inspector_may_raise_a_level_and_only_the_archivist_lowers_it(served: Served, room: RoomPeer) -> None:
    await hearing(room)
    async with served.inspector() as inspector, served.inspector("archivist") as archivist:

        async def level(http: object, name: str) -> int:
            body = {"level": name, "reason": "商业秘密"}
            return int((await http.put("/api/hearings/h1/access", json=body)).status_code)  # type: ignore[attr-defined]

        assert await level(inspector, "restricted") == 200
        assert (await inspector.get("/api/hearings/h1")).json()["code"] == "restricted"
        assert (await archivist.get("/api/hearings/h1")).json()["access"] == "restricted"
        assert await level(inspector, "open") == 403
        assert await level(archivist, "withdrawn") == 200
        assert (await archivist.get("/api/hearings/h1")).json()["code"] == "sealed"
        assert await level(archivist, "open") == 200
        assert (await inspector.get("/api/hearings/h1")).status_code == 200
        assert (
            await inspector.put("/api/hearings/h1/access", json={"level": "sealed", "reason": " "})
        ).status_code == 422
        assert (await inspector.put("/api/hearings/none/access", json=SEAL)).status_code == 404
    kept = [json.loads(row["detail"]) for row in await served.audited("level")]
    assert [(k["before"], k["level"]) for k in kept] == [
        ("open", "restricted"),
        ("restricted", "withdrawn"),
        ("withdrawn", "open"),
    ]
    assert {row["role"] for row in await served.audited("level")} == {"inspector", "archivist"}


async def test_a_trial_that_is_not_public_is_restricted_from_its_opening_and_granted_by_the_archivist(
    served: Served, room: RoomPeer
) -> None:
    await hearing(room, public=False)
    async with served.inspector() as inspector, served.inspector("archivist") as archivist:
        assert (await inspector.get("/api/hearings/h1")).json()["code"] == "restricted"
        assert (await archivist.get("/api/hearings/h1")).status_code == 200
        grant = {"level": "open", "reason": "督查人员申请获批"}
        assert (await archivist.put("/api/hearings/h1/access", json=grant)).status_code == 200
        assert (await inspector.get("/api/hearings/h1")).status_code == 200


async def test_what_comes_after_the_close_of_a_closed_trial_is_not_for_inspectors(
    served: Served, room: RoomPeer
) -> None:
    async with (
        served.inspector() as inspector,
        served.inspector("archivist") as archivist,
        tab(served, inspector) as one,
        tab(served, archivist) as other,
    ):
        for screen in (one, other):
            await screen.say(watch=[], rooms=["court1/c03"])
        await until(lambda: room.demands() and room.demands()[-1]["levels"])
        await hearing(room, public=False)  # before the room says in its status that there is a hearing
        room.publish("events", event(3, "close", {}, at_ms=900))
        room.publish("events", said(4, "迟到的话", at_ms=800))
        await until(lambda: len(other.of("event")) == 4)
        room.publish(
            "status", STATUS | {"hearing": {"id": "h1", "state": "closed", "case": {"case_no": "9", "public": True}}}
        )
        told = (await until(lambda: [t for t in one.of("room") if t["room"]["hearing"]]))[-1]["room"]["hearing"]
        assert (told["hidden"], told["case"]["case_no"]) == (True, "")
        assert one.of("event") == []
        listed = (await inspector.get("/api/rooms")).json()[0]["hearing"]
        assert (listed["state"], listed["case"]["case_no"]) == ("closed", "")
        assert (await archivist.get("/api/rooms")).json()[0]["hearing"]["case"]["case_no"] == "9"


async def test_a_new_tab_gets_no_picture_of_the_hearing_that_has_just_ended(served: Served, room: RoomPeer) -> None:
    await hearing(room, public=False)
    async with served.inspector() as inspector, served.inspector("archivist") as archivist:
        async with tab(served, archivist) as one:
            room.publish("status", STATUS)
            room.publish("live/bench/thumb", envelope(Kind.THUMBNAIL, 3))
            await until(lambda: [e for _, e in one.media if e.kind is Kind.THUMBNAIL])
            room.publish("status", STATUS | {"hearing": None})
            await until(lambda: one.of("room") and not one.of("room")[-1]["room"]["hearing"])
        async with tab(served, inspector) as late:
            await until(lambda: late.of("rooms"))
            room.publish("status", STATUS | {"hearing": None, "speaking": ["judge"]})
            await until(lambda: late.of("room"))
            assert late.media == []


async def test_a_level_that_cannot_be_read_shows_nobody_anything(served: Served, room: RoomPeer) -> None:
    await hearing(room)
    async with served.inspector() as http:
        assert (await http.put("/api/hearings/h1/access", json=SEAL)).status_code == 200
    await served.center.database.write(
        lambda connection: connection.execute(text("UPDATE audit SET detail = x'00' WHERE what = 'level'"))
    )
    again = build(load_config(served.data.parent / "center.toml"))
    with pytest.raises(ConfigError, match="verify --audit"):
        await again.rights.start()
    again.database.close()


async def test_levels_survive_a_restart_of_the_center(served: Served, room: RoomPeer) -> None:
    await hearing(room)
    closed = opening(10, hearing="h2")
    closed["body"]["case"]["public"] = False
    room.publish("events", closed)
    room.publish("events", event(11, "close", {}, hearing="h2", at_ms=5))
    await until(lambda: 11 in room.receipts())
    async with served.inspector() as http:
        assert (await http.put("/api/hearings/h1/access", json=SEAL)).status_code == 200
    again = build(load_config(served.data.parent / "center.toml"))
    async with running(again, "127.0.0.1", 0):
        values = [again.classifications.of(hearing).value for hearing in ("h1", "h2")]
        assert values == ["withdrawn", "restricted"]
