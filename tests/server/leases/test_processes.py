"""Four processes of one center, one PostgreSQL, one Mosquitto: whatever of them dies, no event is lost or doubled.

Rooms are the product's own outboxes. After each fault they go on speaking until everything is receipted again; then
what the database holds is compared with what they said. How long it takes is measured by the bench and bounds no test.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.leases.shards import SHARDS, shard_of
from sync.uplink.files.pieces import PieceHeader, pack_pieces
from tests.support.peers.center_peers import until
from tests.support.peers.center_processes import CenterProcesses, center_processes, token_of
from tests.support.peers.device_signatures import signed_claim
from tests.support.peers.postgres_server import PostgresServer
from tests.support.peers.real_room import SendingRoom

pytestmark = [pytest.mark.process, pytest.mark.broker, pytest.mark.slow]

COUNT = 4
CASES = ("silent", "killed", "stopped", "broker", "database", "rolling", "files")
ROOMS = {case: [f"{case}/c{number}" for number in range(6)] for case in CASES}
PATIENCE_S = 100


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """One that the tests may stop."""
    with PostgresServer() as made:
        yield made


@pytest.fixture(scope="module")
def center(server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CenterProcesses]:
    rooms = [room for case in CASES for room in ROOMS[case]]
    with center_processes(tmp_path_factory.mktemp("several"), server, rooms, COUNT) as made:
        asyncio.run(made.enroll(rooms))
        yield made


async def eventually(condition: Callable[[], object]) -> None:
    """Wait for what the database says, asked a few times a second."""
    async with asyncio.timeout(PATIENCE_S):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.2)


def owner_of(center: CenterProcesses, room: str) -> int:
    """The number of the process that owns a room; 0 for none."""
    address = center.owners().get(shard_of(room), "")
    return next((one.number for one in center.processes if one.url == address), 0)


def is_shared(center: CenterProcesses) -> bool:
    """Whether each process owns its fair share."""
    owners = list(center.owners().values())
    return len(owners) == SHARDS and all(owners.count(one.url) == SHARDS // COUNT for one in center.processes)


async def whole(center: CenterProcesses, rooms: dict[str, SendingRoom]) -> None:
    """Until every event is receipted; then the database has what was said, once each."""
    await until(lambda: all(room.log.pending_count() == 0 for room in rooms.values()), PATIENCE_S)
    for address, room in rooms.items():
        stored = center.stored(address)
        assert sorted(stored) == sorted(room.digests().items()), address
        words = center.rows(
            f"SELECT count(*), count(DISTINCT u.id) FROM utterances u WHERE hearing = '{hearing_of(address)}'"
        )
        assert words == [(len(stored) - 1, len(stored) - 1)], "every sentence is one line"


async def receipted_anew(rooms: dict[str, SendingRoom]) -> None:
    """Until something more of each is receipted."""
    before = {address: room.outbox.receipted for address, room in rooms.items()}
    await until(lambda: all(room.outbox.receipted > before[a] for a, room in rooms.items()), PATIENCE_S)


def hearing_of(address: str) -> str:
    return f"h-{address.replace('/', '-')}"


async def speaking(
    center: CenterProcesses, case: str, folder: Path, faults: list[Callable[[dict[str, SendingRoom]], Awaitable[None]]]
) -> None:
    """Rooms speak all the time while the faults happen one after the other, and a while behind the last."""
    center.start()
    async with center.sending(folder, ROOMS[case]) as rooms:
        for address, room in rooms.items():
            room.open(hearing_of(address))
        over = asyncio.Event()

        async def speak(address: str, room: SendingRoom) -> None:
            for number in itertools.count():
                room.utter(hearing_of(address), f"第{number}句")
                if over.is_set():
                    return
                await asyncio.sleep(0.05)

        talking = [asyncio.create_task(speak(address, room)) for address, room in rooms.items()]
        try:
            await until(lambda: all(room.outbox.receipted for room in rooms.values()), PATIENCE_S)
            for fault in faults:
                await fault(rooms)
                await receipted_anew(rooms)
        finally:
            over.set()
            await asyncio.gather(*talking)
        await whole(center, rooms)


async def test_what_was_said_while_nobody_listened_arrives_once_somebody_does(
    center: CenterProcesses, tmp_path: Path
) -> None:
    """The broker kept nothing of it for anybody: the rooms say again what is not receipted."""
    center.broker.start()
    async with center.sending(tmp_path, ROOMS["silent"]) as rooms:
        for address, room in rooms.items():
            room.open(hearing_of(address))
            for number in range(30):
                room.utter(hearing_of(address), f"第{number}句")
        await until(lambda: all(room.line.connected and room.line.backlog_bytes == 0 for room in rooms.values()))
        assert center.rows("SELECT count(*) FROM events") == [(0,)]
        center.start()
        await whole(center, rooms)


async def test_a_process_that_is_killed_is_replaced_by_the_others(
    center: CenterProcesses, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    killed: list[int] = []

    async def kill(rooms: dict[str, SendingRoom]) -> None:
        await eventually(lambda: is_shared(center))
        killed.append(owner_of(center, ROOMS["killed"][0]))
        center.processes[killed[0] - 1].kill()
        killed_s = time.monotonic()
        owners = {0, killed[0]}
        await eventually(lambda: not owners & {owner_of(center, room) for room in ROOMS["killed"]})
        record_property("taken_over_s", round(time.monotonic() - killed_s, 1))
        await receipted_anew(rooms)
        record_property("receipted_again_s", round(time.monotonic() - killed_s, 1))

    await speaking(center, "killed", tmp_path, [kill])


async def test_a_process_that_stands_still_longer_than_its_lease_does_nothing_as_an_owner_when_it_wakes(
    center: CenterProcesses, tmp_path: Path
) -> None:
    async def stand_still(rooms: dict[str, SendingRoom]) -> None:
        await eventually(lambda: is_shared(center))
        one = center.processes[owner_of(center, ROOMS["stopped"][0]) - 1]
        one.freeze()
        await eventually(lambda: owner_of(center, ROOMS["stopped"][0]) not in (0, one.number))
        await receipted_anew(rooms)
        one.thaw()
        await eventually(lambda: is_shared(center))

    await speaking(center, "stopped", tmp_path, [stand_still])


async def test_the_broker_is_killed_and_comes_back(center: CenterProcesses, tmp_path: Path) -> None:
    async def without_broker(rooms: dict[str, SendingRoom]) -> None:
        center.broker.kill()
        await until(lambda: not any(room.line.connected for room in rooms.values()))
        center.broker.start()

    await speaking(center, "broker", tmp_path, [without_broker])


async def test_the_database_is_stopped_longer_than_a_lease_and_comes_back(
    center: CenterProcesses, server: PostgresServer, tmp_path: Path
) -> None:
    async def without_database(rooms: dict[str, SendingRoom]) -> None:
        center.postgres.stop()
        # Long enough that no process believes itself to be an owner any more: each says so.
        logs = [center.folder / f"center-{one.number}.log" for one in center.processes]
        read = [log.stat().st_size for log in logs]
        await until(
            lambda: all(b"leases_changed" in log.read_bytes()[at:] for log, at in zip(logs, read, strict=True)), 30
        )
        await asyncio.to_thread(server.start)

    await speaking(center, "database", tmp_path, [without_database])


async def test_a_rolling_restart_loses_and_doubles_nothing(center: CenterProcesses, tmp_path: Path) -> None:
    async def restart(rooms: dict[str, SendingRoom]) -> None:
        for one in center.processes[:1]:
            assert await asyncio.to_thread(one.stop) == 0
            assert center.rows(f"SELECT count(*) FROM center_processes WHERE number = {one.number}") == [(0,)]
            one.start()
            await asyncio.to_thread(one.wait)

    await speaking(center, "rolling", tmp_path, [restart])


async def test_files_of_a_room_reach_its_owner_by_any_process_and_outlive_it(
    center: CenterProcesses, tmp_path: Path
) -> None:
    """Half of a file by one process, the owner is killed, the rest by another: one file, as it was sent."""
    center.start()
    await eventually(lambda: is_shared(center))
    room, data = ROOMS["files"][0], bytes(range(256)) * 4096
    middle = len(data) // 2
    sent = {"hearing": hearing_of(room), "kind": "segment", "track": "bench", "index": 0, "name": "bench/00000.mp4"}

    async def say(number: int, offset: int, until_byte: int) -> dict[str, Any]:
        part = data[offset:until_byte]
        header = PieceHeader.model_validate({**sent, "offset": offset, "bytes": len(part), "length": len(data)})
        (answer,) = (await ask(number, "/api/pieces", content=pack_pieces([(header, part)])))["pieces"]
        return dict(answer)

    async def ask(number: int, path: str, **what: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token_of(room)}"}
        async with httpx.AsyncClient(headers=headers, trust_env=False, timeout=30) as http:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    answer = await http.post(center.processes[number - 1].url + path, **what)
                    if answer.status_code != 503:
                        assert answer.status_code in (200, 201), answer.text
                        return dict(answer.json())
                    await asyncio.sleep(0.2)

    async with center.sending(tmp_path, [room]) as rooms:
        rooms[room].open(hearing_of(room))
        await until(lambda: rooms[room].log.pending_count() == 0, PATIENCE_S)
        others = [one.number for one in center.processes if one.number != owner_of(center, room)]
        first = await say(others[0], 0, middle)
        assert (first["code"], first["offset"]) == ("", middle)
        assert (await say(owner_of(center, room), middle, middle))["upload"] == first["upload"]
        center.processes[owner_of(center, room) - 1].kill()
        last = await say(others[1], middle, len(data))
        assert (last["code"], last["offset"], last["upload"]) == ("", len(data), first["upload"])
        digest = hashlib.sha256(data).hexdigest()
        claim = {
            "upload": last["upload"],
            "sha256": digest,
            "bytes": len(data),
            "room": room,
            "hearing": hearing_of(room),
        }
        claim |= {"kind": "segment", "track": "bench", "index": 0}
        assert (await ask(others[2], "/api/objects", json=signed_claim(claim)))["sha256"] == digest
    assert (center.data / "objects" / digest[:2] / digest).read_bytes() == data
    assert center.rows(f"SELECT count(*) FROM files WHERE room = '{room}'") == [(1,)]
