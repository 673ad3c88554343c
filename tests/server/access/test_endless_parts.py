"""Sealed parts without measure: a room that seals for ever, and one whose clock says that hardly any time went by."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from server.access.classification import Classifications
from server.access.sealing import MOST_PARTS, Sealing
from server.events.admission import read_event
from server.store.database import open_database
from server.store.reader import RecordReader
from server.store.rights.sealed_parts import MOST_OF_ROOM, OVERFLOW
from server.store.writer import RecordWriter
from sync.http.rights.people import Session
from tests.server.access.test_sealed_parts import ROOM_MS, seal
from tests.support.peers.center_peers import ROOM_NS, RoomPeer, Served, event, opening, said, until


def act(number: int, name: str) -> dict[str, Any]:
    body = {"id": name, "from_ns": ROOM_NS + number, "to_ns": ROOM_NS + number + 1, "level": "restricted"}
    return event(number, "sealed_part", {**body, "by": "书记员", "reason": "隐私"})


class Court:
    """A store, what is said of its parts, and how often anybody was told of a change."""

    def __init__(self, folder: Path) -> None:
        self.database = open_database(f"sqlite:///{folder / 'center.db'}")
        self.record, archive = RecordWriter(self.database), RecordReader(self.database)
        self.sealing = Sealing(self.record, Classifications(self.record, archive))
        self.told: list[str] = []
        self.sealing.changed.add(self.told.append)

    async def store(self, *events: dict[str, Any]) -> None:
        batch = [read_event("court1/c03", json.dumps(one).encode()) for one in events]
        self.sealing.said((await self.record.store_events(batch)).sealed)

    def is_seen(self, role: str, at: int) -> bool:
        return not self.sealing.unseen(role, "h1").at(ROOM_NS + at)


async def test_a_room_that_seals_without_end_has_all_of_its_hearing_sealed_and_costs_no_more(tmp_path: Path) -> None:
    court = Court(tmp_path)
    try:
        await court.store(opening(1))
        numbers = iter(range(2, 100_000))
        for _ in range(4):
            await court.store(*(act(n, f"p{n}") for n, _ in zip(numbers, range(100), strict=False)))
        assert len(court.sealing.of("h1")) == 2 * MOST_OF_ROOM
        assert court.told == ["h1"] * 4, "once a batch"
        assert court.is_seen("inspector", 10**9)
        await court.store(act(next(numbers), "one more"))
        assert not court.is_seen("inspector", 10**9)
        assert not court.is_seen("archivist", -(10**12))
        before, told = court.sealing.of("h1"), len(court.told)
        for _ in range(5):
            await court.store(*(act(n, f"p{n}") for n, _ in zip(numbers, range(100), strict=False)))
        assert court.sealing.of("h1") == before
        assert len(court.told) == told
        person = Session("archivist", "", 0, 0)
        await court.sealing.lift(person, "127.0.0.1", "h1", f"{OVERFLOW}1", "查明是故障")
        assert court.is_seen("inspector", 10**9)
        await court.store(act(next(numbers), "and again"))
        assert not court.is_seen("inspector", 10**9), "what a room seals is never passed over"
    finally:
        court.database.close()


async def test_what_a_room_seals_takes_no_place_of_what_people_seal(tmp_path: Path) -> None:
    court = Court(tmp_path)
    try:
        await court.store(opening(1), *(act(n, f"p{n}") for n in range(2, 2 * MOST_OF_ROOM)))
        person = Session("inspector", "", 0, 0)
        for n in range(MOST_PARTS - 2 * MOST_OF_ROOM + 10):
            await court.sealing.seal(person, "127.0.0.1", "h1", n, n + 1, "restricted", "理由")
    finally:
        court.database.close()


async def says(served: Served, room: RoomPeer, session: str, seconds: float) -> None:
    """One status of an uplink, at this moment since the hearing's first."""
    room_ns = ROOM_NS + round(seconds * 1e9)
    live = {"id": "h1", "state": "open", "case": {"public": True}}
    room.publish("status", {"online": True, "session": session, "room_ns": room_ns, "hearing": live})
    state = served.center.rooms.states[room.address]
    await until(lambda: state.status is not None and state.status.room_ns == room_ns)


@pytest.mark.parametrize("later", [0, -ROOM_NS / 1e9, 0.5])
async def test_a_part_ends_where_the_hearing_is_whatever_time_the_room_s_line_says(
    served: Served, room: RoomPeer, later: float
) -> None:
    """Another device, or whoever stole the connection, says that hardly any time has gone by."""
    for one in (opening(1), said(2, "隐私的话", at_ms=400_000), said(3, "后来", at_ms=480_000)):
        room.publish("events", one)
    await until(lambda: {1, 2, 3} <= room.receipts())
    async with served.inspector() as http:
        (part,) = await seal(http, from_ms=ROOM_MS + 1000, to_ms=None)
        await says(served, room, "a", 600)
        await says(served, room, "b", later)
        (ended,) = (await http.post(f"/api/hearings/h1/sealed-parts/{part['id']}/end")).json()
        assert ended["to_ms"] - ROOM_MS >= 600_000
        texts = [line["text"] for line in (await http.get("/api/hearings/h1")).json()["utterances"]]
        assert "隐私的话" not in texts


async def test_while_nothing_was_said_of_the_time_what_is_stored_says_how_far_it_is(
    served: Served, room: RoomPeer
) -> None:
    for one in (opening(1), said(2, "隐私的话", at_ms=400_000)):
        room.publish("events", one)
    await until(lambda: {1, 2} <= room.receipts())
    async with served.inspector() as http:
        (part,) = await seal(http, from_ms=ROOM_MS + 1000, to_ms=None)
        await says(served, room, "b", 0)
        (ended,) = (await http.post(f"/api/hearings/h1/sealed-parts/{part['id']}/end")).json()
        assert ended["to_ms"] - ROOM_MS >= 400_000
