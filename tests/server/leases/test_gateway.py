"""A process that owns no room: whoever looks there sees everything, and what rooms bring there reaches the owner."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from typer.testing import CliRunner

from server.leases.lease_rows import leave
from server.leases.ownership import owned_by
from sync import topics
from sync.errors import ConfigError
from sync.media.envelope import Envelope, Kind
from sync.uplink.files.piece_client import PieceClient
from tests.support.peers.center_peers import (
    ROOM_NS,
    TOKENS,
    RoomPeer,
    Served,
    config_text,
    opening,
    said,
    until,
)
from tests.support.peers.live_tab import INIT, Tab, envelope, tab
from tests.support.peers.piece_peers import claim_of, piece
from tests.support.peers.postgres_server import PostgresServer, migrated_database
from tests.support.peers.process_here import process_at
from tests.support.ports import free_ports
from wutong.cli import app

pytestmark = [pytest.mark.process, pytest.mark.broker, pytest.mark.service]

ROOM = "court1/c03"
BENCH = f"{ROOM}/bench"
OF_THE_RECORD = {topics.EVENTS, topics.CHECKPOINTS}
CASE = {"id": "c1", "case_no": "(2026)黑05民初1号", "cause": "", "parties": {}, "public": True}


@dataclass
class WithGateway:
    """The owner of all rooms, the gateway, and a room."""

    owner: Served
    gateway: Served
    room: RoomPeer

    def status(self, at: int, **more: Any) -> None:
        hearing = {"id": "h1", "state": "open", "pause": None, "case": CASE | more, "opened_utc_ns": 1}
        self.room.publish(topics.STATUS, {"online": True, "at_utc_ns": at, "room_ns": ROOM_NS + at, "hearing": hearing})

    def caption(self, words: str) -> None:
        one = {"id": words, "text": words, "hearing": "h1", "start_ns": ROOM_NS, "end_ns": ROOM_NS + 1}
        self.room.publish(topics.CAPTION, one)

    async def owner_is_gone(self) -> None:
        """It gives everything back, as at its end."""
        keeper = self.owner.center.share.keeper
        keeper.stop_acting()
        await keeper._in_thread(lambda connection: leave(connection, keeper.mine))
        await self.gateway.center.share.keeper.step()


@pytest_asyncio.fixture
async def both(tmp_path: Path, broker_port: int, postgres: PostgresServer) -> AsyncIterator[WithGateway]:
    file = tmp_path / "center.toml"
    file.write_text(config_text(tmp_path / "center", broker_port, free_ports(3), migrated_database(postgres)))
    async with (
        process_at(file, broker_port, 1) as owner,
        process_at(file, broker_port, 2, is_gateway=True) as gateway,
    ):
        await owner.enroll()
        await gateway.center.enrollment.refresh()
        await owner.center.share.keeper.step()
        await gateway.center.share.keeper.step()
        peer = await RoomPeer(broker_port).start()
        try:
            yield WithGateway(owner, gateway, peer)
        finally:
            peer.stop()


@contextlib.asynccontextmanager
async def looking(served: Served) -> AsyncIterator[Tab]:
    async with served.inspector() as http, tab(served, http, max_size=None) as one:
        yield one


def tracks(room: RoomPeer) -> dict[str, list[str]]:
    """What each process of the center has asked for last, by its name."""
    return {one["center"]: one["tracks"] for one in room.of("demand")}


async def test_a_gateway_is_listed_takes_nothing_of_who_is_gone_and_says_what_it_is(both: WithGateway) -> None:
    keeper = both.gateway.center.share.keeper
    assert both.owner.center.share.keeper.count == 256, "nothing is given back to a gateway"
    assert (keeper.count, keeper.owner_of(ROOM)) == (0, both.owner.url)
    for served, role, rooms in ((both.owner, "owner", 2), (both.gateway, "gateway", 0)):
        monitoring = served.center.monitoring
        said = (await monitoring._scrape.text()).decode()
        assert f'role="{role}"' in said
        assert f"\nwutong_center_rooms {rooms}.0\n" in said
        assert (await monitoring._readiness.answer())["role"] == role
    await both.owner_is_gone()
    assert await keeper.step() == pytest.approx(keeper.mine.lease_s / 3), "there is nothing that it waits for"
    assert (keeper.count, keeper.owner_of(ROOM), keeper.owns_first()) == (0, "", False)
    with pytest.raises(ConfigError, match="--process"):
        owned_by(None, both.gateway.center.database, [ROOM])


async def test_whoever_looks_at_a_gateway_sees_state_words_pictures_and_the_page(both: WithGateway) -> None:
    both.room.publish("events", opening(1))
    await until(lambda: both.room.receipts() == {1})
    heard: set[str] = set()
    both.gateway.center.broker.message.add(lambda room, topic, payload: heard.add(topic))
    async with looking(both.gateway) as one:
        await one.say(watch=[BENCH], rooms=[ROOM], sight=[ROOM])
        await until(lambda: "bench" in [name for names in tracks(both.room).values() for name in names])
        both.status(1)
        await until(lambda: both.gateway.center.rooms.states[ROOM].live_id == "h1")
        both.room.publish(topics.live("bench", topics.INIT), INIT)
        for sequence in range(1, 4):
            fragment = envelope(Kind.FRAGMENT, sequence, key=sequence == 1)
            both.room.publish(topics.live("bench", topics.FRAGMENT), fragment)
        still = Envelope(Kind.THUMBNAIL, 1, 1, ROOM_NS, 1, 0, b"a picture", kept=True).pack()
        both.room.publish(topics.live("bench", topics.THUMBNAIL), still)
        both.caption("原告陈述")
        both.room.publish("events", said(2, "原告陈述"))
        await until(lambda: one.sequences() == [1, 2, 3] and any(e.kind is Kind.THUMBNAIL for _, e in one.media))
        await until(lambda: one.of("caption"))
        await until(lambda: [event["value"]["number"] for event in one.of("event")] == [2])
        async with both.gateway.inspector() as http:
            assert [line["text"] for line in (await http.get("/api/hearings/h1")).json()["utterances"]] == ["原告陈述"]
            found = (await http.get("/api/archive/words", params={"q": "陈述"})).json()
            assert "原告陈述" in json.dumps(found, ensure_ascii=False)
    assert not heard & OF_THE_RECORD, "what is for the record is heard by the owner alone"
    gateway, owner = both.gateway.center, both.owner.center
    assert (owner.ingest.stored_events, gateway.ingest.stored_events + gateway.ingest.events_again) == (2, 0)


async def test_what_is_watched_at_a_gateway_stands_beside_what_is_watched_elsewhere(both: WithGateway) -> None:
    async with looking(both.owner) as at_owner:
        await at_owner.say(watch=[BENCH], rooms=[ROOM])
        await until(lambda: sorted(tracks(both.room).values()) == [["bench"]])
        async with looking(both.gateway) as at_gateway:
            await at_gateway.say(watch=[f"{ROOM}/wide"], rooms=[ROOM])
            await until(lambda: sorted(tracks(both.room).values()) == [["bench"], ["wide"]])
        await until(lambda: sorted(tracks(both.room).values()) == [[], ["bench"]])


async def test_a_hearing_that_is_closed_is_shown_live_at_a_gateway_to_nobody_without_its_level(
    both: WithGateway,
) -> None:
    """Its own status closes it at the gateway, whatever the owner has stored by then."""
    async with looking(both.gateway) as one:
        await one.say(watch=[BENCH], rooms=[ROOM], sight=[ROOM])
        both.status(1)
        await until(lambda: both.gateway.center.rooms.states[ROOM].live_id == "h1")
        both.caption("公开")
        await until(lambda: one.of("caption"))
        both.status(2, public=False)
        both.caption("不公开")
        both.room.publish(topics.live("bench", topics.INIT), INIT)
        both.room.publish(topics.live("bench", topics.FRAGMENT), envelope(Kind.FRAGMENT, 1, key=True))
        both.status(3)
        both.room.publish(topics.STATUS, {"online": True, "at_utc_ns": 4, "room_ns": ROOM_NS + 4, "hearing": None})
        await until(lambda: both.gateway.center.rooms.states[ROOM].live_id is None)
        assert [caption["value"]["text"] for caption in one.of("caption")] == ["公开"]
        assert one.sequences() == []


async def test_files_that_a_room_brings_to_a_gateway_are_the_owners(both: WithGateway, footage: bytes) -> None:
    both.room.publish("events", opening(1))
    await until(lambda: both.room.receipts() == {1})
    headers = {"Authorization": f"Bearer {TOKENS[ROOM]}"}
    async with httpx.AsyncClient(base_url=both.gateway.url, headers=headers, timeout=20) as http:
        (answer,) = await PieceClient(http).send([piece(footage)])
        assert (answer.code, answer.offset) == ("", len(footage))
        assert both.owner.center.uploads.partial(answer.upload) is not None
        stored = await http.post("/api/objects", json=claim_of(answer, footage))
        assert stored.status_code in (200, 201), stored.text
        await both.owner_is_gone()
        later = await http.post("/api/objects", json=claim_of(answer, footage))
        assert (later.status_code, later.json()["code"]) == (503, "busy"), "it takes nothing in the owner's place"
    async with both.gateway.inspector() as http:
        media = await http.get("/api/hearings/h1/media/bench", params={"from_ms": 0, "to_ms": 4000})
        assert media.status_code in (200, 404), media.text


def test_a_gateway_without_a_number_is_refused_in_words(tmp_path: Path) -> None:
    file = tmp_path / "center.toml"
    file.write_text(config_text(tmp_path / "center", 1))
    refused = CliRunner().invoke(app, ["server", "--config", str(file), "--gateway"])
    assert isinstance(refused.exception, ConfigError)
    assert "--process" in refused.exception.message
