"""Fault 28: QoS 1 delivers twice and in another order, on the rooms' line and on the center's, in both directions.

Lost: nothing. Each event is stored once, as the room said it; a receipt takes out of the outbox what it names and
nothing else; words come in their order to who reads the record.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sync.broker_address import BrokerAddress
from sync.uplink.events import outbox as outbox_module
from tests.support.files import databases
from tests.support.peers.center_fixtures import center_at
from tests.support.peers.center_peers import until
from tests.support.peers.mqtt_relay import MqttRelay
from tests.support.peers.real_room import SendingRoom, sending_room, stored_at

WORDS = 150


def forgotten_without_being_stored(room: SendingRoom, center: Path) -> set[int]:
    pending = {event.number for event in room.log.pending(limit=10_000)}
    return room.digests().keys() - pending - stored_at(center).keys()


@pytest.mark.parametrize("seed", [1, 2])
async def test_each_event_is_stored_once_and_in_its_order(
    tmp_path: Path, broker_port: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "RESEND_S", 0.2)  # what is on its way is said again, too
    monkeypatch.setattr(outbox_module, "WINDOW", 8)
    ours, theirs = MqttRelay(broker_port, seed), MqttRelay(broker_port, seed + 100)
    async with (
        theirs.running() as center_port,
        ours.running() as room_port,
        center_at(tmp_path, center_port) as served,
        sending_room(served.data, tmp_path / "room", BrokerAddress("127.0.0.1", room_port, "room")) as room,
    ):
        await until(lambda: room.line.connected and served.center.broker.connected)
        room.open("h1")
        for turn in range(WORDS):
            room.utter("h1", f"第{turn:03}句")
            if turn % 10 == 0:
                await asyncio.sleep(0)
                assert not forgotten_without_being_stored(room, served.data)
        await until(lambda: room.log.pending_count() == 0, 60)
        assert stored_at(served.data) == room.digests()
        rows = databases.rows(served.data / "center.db", "SELECT count(*), count(DISTINCT number) FROM events")
        assert rows == [(WORDS + 1, WORDS + 1)]
        async with served.inspector() as http:
            shown = (await http.get("/api/hearings/h1")).json()
        assert [line["text"] for line in shown["utterances"]] == [f"第{turn:03}句" for turn in range(WORDS)]
        assert served.center.rooms.states["court1/c03"].alarms == {}
        assert room.outbox.failed == 0
    for relay in (ours, theirs):
        assert min(relay.carried, relay.doubled, relay.moved) > 5, "the line did what it is for"
