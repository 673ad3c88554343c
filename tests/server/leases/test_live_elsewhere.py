"""Two processes of a center, an inspector at the one that does not own the room: everything live reaches them."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from server.access import shared_rights
from server.leases.lease_rows import leave
from sync import topics
from sync.media.envelope import Envelope, Kind
from sync.uplink.files.piece_client import PieceClient
from tests.support.peers.center_peers import (
    ROOM_NS,
    TOKENS,
    RoomPeer,
    Served,
    config_text,
    event,
    metadata,
    opening,
    said,
    until,
)
from tests.support.peers.live_tab import INIT, Tab, envelope, tab
from tests.support.peers.piece_peers import claim_of, piece
from tests.support.peers.postgres_server import PostgresServer, migrated_database
from tests.support.peers.two_processes import two_processes
from tests.support.ports import free_ports

pytestmark = [pytest.mark.process, pytest.mark.broker, pytest.mark.service]

ROOM = "court1/c03"
BENCH = f"{ROOM}/bench"
CASE = {"id": "c1", "case_no": "(2026)黑05民初1号", "cause": "", "parties": {}, "public": True}


@dataclass
class Two:
    """The owner of the room, the other, and the room."""

    owner: Served
    other: Served
    room: RoomPeer

    def status(self, at: int, **more: Any) -> None:
        hearing = {"id": "h1", "state": "open", "pause": None, "case": CASE, "opened_utc_ns": 1}
        said = {"online": True, "at_utc_ns": 1, "room_ns": ROOM_NS + at, "hearing": hearing, "speaking": ["judge"]}
        self.room.publish(topics.STATUS, {**said, **more})


@pytest_asyncio.fixture
async def two(tmp_path: Path, broker_port: int, postgres: PostgresServer) -> AsyncIterator[Two]:
    file = tmp_path / "center.toml"
    file.write_text(config_text(tmp_path / "center", broker_port, free_ports(3), migrated_database(postgres)))
    async with two_processes(file, broker_port, ROOM) as (owner, other):
        peer = await RoomPeer(broker_port).start()
        try:
            yield Two(owner, other, peer)
        finally:
            peer.stop()


@contextlib.asynccontextmanager
async def looking(served: Served) -> AsyncIterator[Tab]:
    async with served.inspector() as http, tab(served, http, max_size=None) as one:
        yield one


def shown(one: Tab) -> dict[str, Any]:
    """The room as the tab was told last, a tab of before."""
    rooms = [room for text in one.texts for room in text.get("rooms", [text.get("room")]) if isinstance(room, dict)]
    return next((room for room in reversed(rooms) if room["address"] == ROOM), {})


async def test_events_are_stored_and_receipted_by_the_owner_alone(two: Two) -> None:
    two.room.publish("events", opening(1))
    for number in range(2, 12):
        two.room.publish("events", said(number, f"第{number}句"))
    await until(lambda: two.room.receipts() == set(range(1, 12)))
    assert two.owner.center.ingest.stored_events == 11
    assert two.other.center.ingest.stored_events + two.other.center.ingest.events_again == 0
    receipts = [one for one in two.room.of("receipts") if one["stored"]]
    assert sum(len(one["stored"]) for one in receipts) == 11, "each once"


async def test_whoever_looks_at_the_other_process_sees_state_words_and_pictures(two: Two) -> None:
    two.room.publish("events", opening(1))
    await until(lambda: two.room.receipts() == {1})
    async with looking(two.other) as one:
        await one.say(watch=[BENCH], rooms=[ROOM], sight=[ROOM])
        await until(lambda: any("bench" in demand["tracks"] for demand in two.room.demands()))
        two.status(1)
        await until(lambda: shown(one).get("online"))
        assert shown(one)["hearing"]["id"] == "h1"
        two.room.publish(topics.live("bench", topics.INIT), INIT)
        for sequence in range(1, 4):
            two.room.publish(
                topics.live("bench", topics.FRAGMENT), envelope(Kind.FRAGMENT, sequence, key=sequence == 1)
            )
        still = Envelope(Kind.THUMBNAIL, 1, 1, ROOM_NS, 1, 0, b"a picture", kept=True).pack()
        two.room.publish(topics.live("bench", topics.THUMBNAIL), still)
        caption = {"id": "c1", "text": "原告陈述", "hearing": "h1", "start_ns": ROOM_NS, "end_ns": ROOM_NS + 1}
        two.room.publish(topics.CAPTION, caption)
        two.room.publish(topics.LEVELS, {"at_ns": ROOM_NS, "seats": {}})
        two.room.publish("events", said(2, "原告陈述"))
        await until(lambda: one.sequences() == [1, 2, 3])
        await until(lambda: any(e.kind is Kind.THUMBNAIL for _, e in one.media))
        await until(lambda: one.of("caption") and one.of("levels"))
        await until(lambda: [text["value"]["number"] for text in one.of("event")] == [2])
    assert two.other.center.ingest.stored_events == 0


@contextlib.contextmanager
def behind(served: Served) -> Iterator[None]:
    """This process does not get to what others have changed of the rights."""

    async def hold(news: object) -> int | None:
        return None

    served.center.rights.take_news = hold
    try:
        yield
    finally:
        del served.center.rights.take_news


async def test_what_was_sealed_with_an_event_hides_it_at_a_process_that_does_not_know_of_the_seal_yet(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine the process would fall silent before it has read the event, and read it no more.
    monkeypatch.setattr(shared_rights, "SILENCE_S", 60.0)
    seal = {"id": "p1", "from_ns": ROOM_NS, "to_ns": None, "level": "withdrawn", "by": "clerk", "reason": "隐私"}
    two.room.publish("events", opening(1))
    await until(lambda: two.room.receipts() == {1})
    read: list[int] = []
    two.other.center.share.elsewhere.read.add(lambda events: read.extend(one.event.number for one in events))
    asked = asyncio.Event()
    catch_up = two.other.center.rights.catch_up

    async def caught_up() -> None:
        asked.set()
        await catch_up()

    async with looking(two.other) as one, two.other.inspector() as http:
        await one.say(watch=[], rooms=[ROOM], sight=[ROOM])
        await until(lambda: any(demand["levels"] for demand in two.room.demands()))
        two.status(1)
        await until(lambda: shown(one).get("online"))
        with behind(two.other):
            two.room.publish("events", event(2, "sealed_part", seal, at_ms=100))
            two.room.publish("events", said(3, "秘密的话", at_ms=200))
            await until(lambda: 3 in read)
            two.other.center.rights.catch_up = caught_up
            page = asyncio.ensure_future(http.get("/api/hearings/h1"))
            await asked.wait()
        await until(lambda: one.of("sealed"))
        answer = await page
        assert (answer.status_code, answer.json()["code"]) in [(403, "sealed-part"), (503, "rights-unknown")]
        two.room.publish("events", event(4, "close", {}, at_ms=1000))
        await until(lambda: any(text["value"]["number"] == 4 for text in one.of("event")))
    assert 3 not in [text["value"]["number"] for text in one.of("event")]


async def test_a_process_that_does_not_hear_the_room_says_so_and_ends_no_part_before_what_the_owner_has_heard(
    two: Two,
) -> None:
    two.room.publish("events", opening(1))
    two.status(600 * 10**9)
    await until(lambda: two.room.receipts() == {1} and two.owner.center.rooms.now_ns(ROOM))
    async with two.other.inspector() as http:
        parts = "/api/hearings/h1/sealed-parts"
        body = {"from_ms": ROOM_NS / 1e6, "to_ms": None, "level": "restricted", "reason": "个人隐私"}
        (part,) = (await http.put(parts, json=body)).json()
        ended = (await http.post(f"{parts}/{part['id']}/end")).json()
        assert ended[0]["to_ms"] >= ROOM_NS / 1e6 + 600_000, "as the owner has heard it"
        assert two.other.center.rooms.now_ns(ROOM) is None

        async def room() -> dict[str, Any]:
            return next(one for one in (await http.get("/api/rooms")).json() if one["address"] == ROOM)

        first = await room()
        assert (first["known"], first["online"], first["hearing"]) == (False, False, None)
        page = (await http.get("/api/hearings/h1")).json()
        assert (page["now_ms"], page["room_known"]) == (None, False)
        assert page["court_name"] == "尖山区人民法院", "as it was said at the opening"
        while not (later := await room())["known"]:  # since somebody has asked, it is listened to
            two.status(601 * 10**9)
        assert (later["online"], later["hearing"]["id"]) == (True, "h1")
        page = (await http.get("/api/hearings/h1")).json()
        assert page["room_known"]
        assert page["now_ms"] >= ROOM_NS / 1e6 + 601_000


async def test_nothing_live_of_the_room_reaches_a_process_at_which_nobody_looks(two: Two) -> None:
    seen: list[str] = []
    two.other.center.broker.message.add(lambda room, topic, payload: seen.append(topic))
    async with looking(two.owner) as one:
        await one.say(watch=[BENCH], rooms=[ROOM], sight=[ROOM])
        await until(lambda: two.room.demands())
        two.status(1)
        two.room.publish(topics.live("bench", topics.INIT), INIT)
        two.room.publish(topics.live("bench", topics.FRAGMENT), envelope(Kind.FRAGMENT, 1, key=True))
        two.room.publish("events", opening(1))
        await until(lambda: one.sequences() == [1])
        await until(lambda: two.room.receipts() == {1})
    assert seen == []


async def test_what_the_owner_has_noticed_is_on_every_wall_and_outlives_the_owner(
    two: Two, tmp_path: Path, broker_port: int
) -> None:
    two.room.publish("events", b'{"events": "nonsense", "note": "nobody\'s"}')
    await until(lambda: two.owner.center.rooms.states[ROOM].alarms)
    codes = set(two.owner.center.rooms.states[ROOM].alarms)
    async with looking(two.other) as one:
        two.status(1)
        await until(lambda: {alarm["code"] for alarm in shown(one).get("center_alarms", [])} >= codes, 60)
        keeper = two.owner.center.share.keeper
        keeper.stop_acting()
        await keeper._in_thread(lambda connection: leave(connection, keeper.mine))
        await until(lambda: two.other.center.share.keeper.owns(ROOM), 60)
        await until(lambda: set(two.other.center.rooms.states[ROOM].alarms) >= codes)
        await until(lambda: {alarm["code"] for alarm in shown(one)["center_alarms"]} >= codes)


async def test_a_file_that_came_by_the_other_process_is_played_there_while_it_grows(two: Two, footage: bytes) -> None:
    two.room.publish("events", opening(1))
    await until(lambda: two.room.receipts() == {1})
    headers = {"Authorization": f"Bearer {TOKENS[ROOM]}"}
    async with httpx.AsyncClient(base_url=two.other.url, headers=headers, timeout=20) as http:
        (answer,) = await PieceClient(http).send([piece(footage)])
        assert (answer.code, answer.offset) == ("", len(footage))
        assert two.owner.center.uploads.partial(answer.upload) is not None
        for served in (two.other, two.owner):
            async with served.inspector() as inspector:
                page = (await inspector.get("/api/hearings/h1")).json()
                (bench,) = page["tracks"]
                assert bench["ranges"], served.url
                media = await inspector.get("/api/hearings/h1/media/bench", params={"from_ms": 0, "to_ms": 4000})
                assert media.status_code in (200, 404), media.text
        stored = await http.post("/api/objects", json=claim_of(answer, footage))
        assert stored.status_code in (200, 201), stored.text
        assert stored.json()["sha256"] == hashlib.sha256(footage).hexdigest()
    assert two.owner.center.uploads.partial(answer.upload) is None


async def test_tus_works_by_the_other_process_too(two: Two, footage: bytes) -> None:
    """Rooms of before: the address that they are given for the rest of the file is one that they reach."""
    two.room.publish("events", opening(1))
    await until(lambda: two.room.receipts() == {1})
    async with two.other.uploader() as (client, http):
        upload = await client.create(metadata(0))
        offset = await client.append(upload, 0, footage[:1000])
        assert offset == 1000
        assert await client.offset(upload) == 1000
        assert await client.append(upload, 1000, footage[1000:]) == len(footage)
        assert http.base_url.port == int(two.other.url.rpartition(":")[2])


async def test_two_unfinished_words_say_the_same_at_both_processes(two: Two) -> None:
    """What another process stores is in the pages of this one, too: nothing of a hearing is kept as it was."""
    two.room.publish("events", opening(1))
    two.room.publish("events", said(2, "第一句"))
    await until(lambda: two.room.receipts() == {1, 2})
    async with two.other.inspector() as http:
        assert [line["text"] for line in (await http.get("/api/hearings/h1")).json()["utterances"]] == ["第一句"]
        two.room.publish("events", said(3, "第二句", at_ms=5000))
        await until(lambda: two.room.receipts() == {1, 2, 3})
        lines = (await http.get("/api/hearings/h1")).json()["utterances"]
        assert [line["text"] for line in lines] == ["第一句", "第二句"]
