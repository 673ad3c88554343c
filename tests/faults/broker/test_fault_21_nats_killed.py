"""Fault 21 with NATS as the broker: one node killed and back, and the node of a cluster that everybody was at.

Lost: nothing. What the center has not receipted is sent again, and what it has twice it keeps once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from sync.broker_client import unguessable_client_id
from sync.ledger.keys import make_key
from sync.media.envelope import Kind
from sync.mqtt import MqttConnection
from sync.room.paths import RoomPaths
from sync.tls.identity import TlsFiles
from tests.support.peers.center_peers import opening, until
from tests.support.peers.live_tab import Tab
from tests.support.peers.mqtt_peer import is_refused
from tests.support.peers.nats_broker import NatsBroker
from tests.support.peers.real_room import stored_at
from tests.support.peers.tls_center import OTHER, ROOM, TlsCenter, files_of, served_by_nats
from tests.support.peers.tls_court import shows
from tests.support.peers.tls_device import Device, running
from wutong.enroll import at_center
from wutong.terminal import terminal

pytestmark = pytest.mark.timeout(170)


def utterance(number: int) -> dict[str, Any]:
    at_ns = time.monotonic_ns()
    times = {"start_ns": at_ns, "end_ns": at_ns + 1}
    text = f"第{number}句"
    return {"id": f"u{at_ns}", "seat": "judge", "role": "审判长", "text": text, "confidence": 0.9, "words": [], **times}


@contextlib.asynccontextmanager
async def enrolled(center: TlsCenter, folder: Path) -> AsyncIterator[Device]:
    """The room, with an id that nobody knows, as the product makes it."""
    key = make_key(RoomPaths(folder).device_key)
    layout = await center.enrolled(folder, key=key)
    broker, shown = center.broker, shows(files_of(layout), center.broker.authority)
    for _, port in broker.places:  # else it would be refused here and there until the list has it, and try the next
        while await asyncio.to_thread(is_refused, port, shown):
            await asyncio.sleep(0.05)
    async with running(center, folder, key, unguessable_client_id("room")) as device:
        yield device


async def says(device: Device, count: int, *, pause_s: float = 0.0) -> None:
    for number in range(count):
        device.say("utterance", **utterance(number))
        await asyncio.sleep(pause_s)


async def arrived(center: TlsCenter, device: Device) -> None:
    """All that the room has said is receipted, and at the center, once, as it was said."""
    await until(lambda: device.log.pending_count() == 0, 60)
    assert stored_at(center.config.storage.data) == device.digests()
    assert center.center.ingest.stored_events == len(device.digests())


@contextlib.asynccontextmanager
async def watching(center: TlsCenter, http: httpx.AsyncClient, context: ssl.SSLContext) -> AsyncIterator[Tab]:
    """An inspector's tab that watches the room's camera."""
    code = json.loads((center.config.storage.data / "codes.json").read_text())["inspector"]
    assert (await http.post("/api/session", json={"code": code})).status_code == 200
    cookie = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
    address = center.url.replace("https", "wss") + "/api/live"
    headers = {"Cookie": cookie}
    async with websockets.connect(address, origin=center.url, additional_headers=headers, ssl=context) as ws:  # type: ignore[arg-type]
        one = Tab(ws)
        reading = asyncio.create_task(one.read())
        try:
            await until(lambda: one.of("rooms"))
            await one.say(watch=[f"{ROOM}/bench"], rooms=[ROOM])
            yield one
        finally:
            reading.cancel()


async def test_by_one_node_events_are_receipted_live_media_comes_and_a_killed_node_costs_nothing(
    tmp_path: Path,
) -> None:
    async with served_by_nats(tmp_path / "c") as center, enrolled(center, tmp_path / "room") as device:
        broker = center.broker
        assert isinstance(broker, NatsBroker)
        await until(lambda: center.center.rooms.states[ROOM].online, 60)
        device.say("open", **opening(1)["body"])
        await says(device, 10)
        await arrived(center, device)
        async with center.http() as http, watching(center, http, shows(None, broker.authority)) as tab:

            async def plays() -> None:
                for sequence in range(1, 10_000):
                    device.picture(sequence, b"picture")
                    await asyncio.sleep(0.05)

            playing = asyncio.create_task(plays())
            seen = [Kind.INIT, Kind.FRAGMENT, Kind.THUMBNAIL]
            await until(lambda: {one.kind for _, one in tab.media} >= set(seen), 30)
            playing.cancel()
        # Killed without a word while events are on their way, and away while more are said.
        saying = asyncio.create_task(says(device, 40, pause_s=0.01))
        await until(lambda: len(device.digests()) > 20)
        await asyncio.to_thread(broker.kill)
        await until(lambda: not center.center.broker.connected and device.link["broker"] is False)
        await saying
        assert device.log.pending_count() > 0
        await asyncio.to_thread(broker.start)
        await arrived(center, device)
        await until(lambda: center.center.rooms.states[ROOM].online, 60)


async def test_a_revoked_device_is_put_out_by_the_list_and_the_new_one_of_its_room_is_let_in(tmp_path: Path) -> None:
    """The certificate of the device before has the same name, and opens nothing at the broker either."""
    async with served_by_nats(tmp_path / "c") as center, enrolled(center, tmp_path / "old") as old:
        await center.enrolled(tmp_path / "other", OTHER)
        await until(lambda: old.link.get("broker") is True, 30)
        await asyncio.to_thread(at_center, center.file, None, ROOM, listed=False, console=terminal(quiet=True))
        await until(lambda: old.link["broker"] is False, 20)
        await until(lambda: center.center.tls.revocations.is_idle, 20)
        async with enrolled(center, tmp_path / "new") as new:
            await until(lambda: new.link.get("broker") is True, 30)
            new.say("open", **opening(1)["body"])
            await until(lambda: new.log.pending_count() == 0, 30)
            assert old.link["broker"] is False
            users = (center.config.storage.data / "broker" / "nats-users.conf").read_text()
            assert f"CN={ROOM}" not in users
            assert f"CN={OTHER}" in users  # as long as none of its certificates was revoked


async def test_of_three_nodes_the_center_s_is_killed_and_nothing_is_lost_or_doubled(
    tmp_path: Path,
) -> None:
    async with served_by_nats(tmp_path / "c", nodes=3) as center, enrolled(center, tmp_path / "room") as device:
        broker = center.broker
        assert isinstance(broker, NatsBroker)
        await until(lambda: center.center.rooms.states[ROOM].online, 60)
        device.say("open", **opening(1)["body"])
        await says(device, 10)
        await arrived(center, device)
        shown = shows(files_of(RoomPaths(tmp_path / "room")), broker.authority)
        for context in (shown, shows(broker.court.files, broker.authority), shows(None, broker.authority)):
            assert await asyncio.to_thread(is_no_node, broker, context)
        key = center.config.storage.data / "keys" / "broker.key"
        itself = TlsFiles(broker.authority, broker.court.broker_folder / "server.pem", key)
        assert not await asyncio.to_thread(is_no_node, broker, shows(itself, broker.authority))
        ours, theirs = center.center.broker._connection, device.line
        killed = at(ours, broker)  # each takes the first of the list that answers when it comes
        saying = asyncio.create_task(says(device, 40, pause_s=0.02))
        await until(lambda: len(device.digests()) > 20)
        began_s = time.monotonic()
        await asyncio.to_thread(broker.kill, killed)
        await until(lambda: ours.connected and at(ours, broker) != killed, 30)
        await until(lambda: theirs.connected and at(theirs, broker) != killed, 30)
        print(f"both at another node after {time.monotonic() - began_s:.1f} s")
        await saying
        await arrived(center, device)
        print(f"all receipted after {time.monotonic() - began_s:.1f} s")
        await asyncio.to_thread(broker.start, killed)
        await says(device, 5)
        await arrived(center, device)


def at(line: MqttConnection, broker: NatsBroker) -> int:
    """The number of the node that somebody is at, or tries."""
    return broker.places.index(line.place)


def is_no_node(broker: NatsBroker, context: ssl.SSLContext) -> bool:
    """Whether who shows this is not taken for another node of the cluster: its line is ended, unanswered."""
    said = b""
    with (
        socket.create_connection(("127.0.0.1", broker.ports[0].cluster), timeout=10) as plain,
        contextlib.suppress(OSError),
        context.wrap_socket(plain, server_hostname="127.0.0.1") as line,
    ):
        line.sendall(b'CONNECT {"verbose":false,"name":"stranger","cluster":"wutong","lnoc":true}\r\nPING\r\n')
        while b"PONG" not in said and (piece := line.recv(8192)):
            said += piece
    return b"PONG" not in said
