"""A room that is added at one process of a center is one at the other at once, and so is one that is retired."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from sync import topics
from tests.support.peers.administrator import Administrator, signed_in
from tests.support.peers.center_peers import RoomPeer, Served, config_text, until
from tests.support.peers.postgres_server import PostgresServer, migrated_database
from tests.support.peers.two_processes import two_processes
from tests.support.ports import free_ports

pytestmark = [pytest.mark.process, pytest.mark.broker, pytest.mark.service]

ROOM, NEW = "court1/c03", "court9/c01"


@pytest_asyncio.fixture
async def two(tmp_path: Path, postgres: PostgresServer, broker_port: int) -> AsyncIterator[tuple[Served, Served]]:
    file = tmp_path / "center.toml"
    file.write_text(config_text(tmp_path / "center", broker_port, free_ports(3), migrated_database(postgres)))
    async with two_processes(file, broker_port, ROOM) as both:
        yield both


async def test_a_room_added_at_one_process_is_owned_and_shown_without_a_restart(two: tuple[Served, Served]) -> None:
    first, second = two
    headers = {"X-Wutong": "1", **await signed_in(first.center, "administrator@court9")}
    async with httpx.AsyncClient(base_url=first.url, headers=headers, timeout=20) as http:
        clerk = Administrator(http)
        await clerk.add_room("court9", "c01")
        assert all(NEW in one.center.rooms for one in two), "when the answer is there"
        keepers = [one.center.share.keeper for one in two if one.center.share is not None]
        await until(lambda: sum(keeper.owns(NEW) for keeper in keepers) == 1)
        owner = first if keepers[0].owns(NEW) else second
        peer = await RoomPeer(first.broker_port, NEW).start()
        try:
            status = {"online": True, "session": "s", "room_ns": 1, "facts": {"version": "0.9.0"}}
            await until(lambda: owner.center.share.subscriptions.heard.get(NEW))

            def is_online() -> bool:
                peer.publish(topics.STATUS, json.dumps(status).encode())
                return bool(owner.center.rooms.states[NEW].online)

            await until(is_online)
            await owner.center.facts.poll()
            fleet = await clerk.ask("GET", "/fleet", params={"q": NEW})
            assert fleet["rows"][0]["version"] == "0.9.0"
            await clerk.ask("POST", f"/rooms/{NEW}/retire", json={"force": True})
            assert not any(NEW in one.center.rooms for one in two)
            assert not any(keeper.has(NEW) for keeper in keepers)
        finally:
            peer.stop()
