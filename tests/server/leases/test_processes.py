"""Three owners and a gateway of one center, one PostgreSQL, one Mosquitto: whatever of them dies, no event is lost or
doubled, and nobody is shown for a moment what he may not see.

Rooms are the product's own outboxes. After each fault they go on speaking until everything is receipted again; then
what the database holds is compared with what they said. An inspector's page is open meanwhile: of three rooms it may
see one. How long it takes is measured by the bench and bounds no test.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.leases.shards import SHARDS, fair_share, shard_of
from sync import topics
from sync.uplink.files.pieces import PieceHeader, pack_pieces
from tests.support.peers.center_peers import opening, until
from tests.support.peers.center_processes import CenterProcesses, center_processes, token_of
from tests.support.peers.device_signatures import signed_claim
from tests.support.peers.postgres_server import PostgresServer
from tests.support.peers.real_room import SendingRoom
from tests.support.peers.watching_page import WatchingPage, watching_page

pytestmark = [pytest.mark.process, pytest.mark.broker, pytest.mark.slow]

OWNERS, GATEWAY = 3, 4
COUNT = GATEWAY
LEASE_S = 3.0
"""Half of what a center is given."""
CASES = ("silent", "killed", "gateway", "stopped", "broker", "database", "rolling")
ROOMS = {case: [f"{case}/c{number}" for number in range(6)] for case in CASES}
OPEN, CLOSED, WITHDRAWN = range(3)
"""Rooms of a case, by what an inspector may see there: all; nothing, as the room itself says; nothing, as the archivist
says."""
SECRET = "不得外传"
PATIENCE_S = 100


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """One that the tests may kill."""
    with PostgresServer() as made:
        yield made


@pytest.fixture(scope="module")
def center(server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CenterProcesses]:
    rooms = [room for case in CASES for room in ROOMS[case]]
    folder = tmp_path_factory.mktemp("several")
    with center_processes(folder, server, rooms, COUNT, gateways=1, lease_s=LEASE_S) as made:
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
    """Whether each owner has its fair share, and the gateway none."""
    owners, most = list(center.owners().values()), fair_share(OWNERS)
    shares = [owners.count(one.url) for one in center.processes]
    return sum(shares) == SHARDS and max(shares) == most and shares[GATEWAY - 1] == 0


def hearing_of(address: str) -> str:
    return f"h-{address.replace('/', '-')}"


def case_of(number: int) -> dict[str, Any]:
    """What is heard in the room of this number of a case."""
    cause = SECRET if number in (CLOSED, WITHDRAWN) else "民间借贷"
    return {"id": "c1", "case_no": "(2026)黑05民初1号", "cause": cause, "parties": {}, "public": number != CLOSED}


async def withdraw(center: CenterProcesses, hearing: str) -> None:
    """The archivist does, at another process than those who look."""
    async with center.served(1).inspector("archivist") as http:
        seal = {"level": "withdrawn", "reason": "涉及国家秘密"}
        answer = await http.put(f"/api/hearings/{hearing}/access", json=seal)
        assert answer.status_code == 200, answer.text


@dataclass
class Speaking:
    """The rooms of a case, which speak all the time, and the page that looks at them."""

    center: CenterProcesses
    rooms: dict[str, SendingRoom]
    page: WatchingPage
    live_said: int = 0
    """So often something live was said in any of the rooms."""

    @property
    def addresses(self) -> list[str]:
        return list(self.rooms)

    async def receipted_anew(self) -> None:
        """Until something more of each room is receipted."""
        before = {address: room.outbox.receipted for address, room in self.rooms.items()}
        await until(lambda: all(room.outbox.receipted > before[a] for a, room in self.rooms.items()), PATIENCE_S)

    async def shown_anew(self) -> None:
        """Until the page has been shown something more."""
        before = len(self.page.captions)
        await until(lambda: len(self.page.captions) > before, PATIENCE_S)

    async def whole(self) -> None:
        """Until every event is receipted; then the database has what was said, once each."""
        await until(lambda: all(room.log.pending_count() == 0 for room in self.rooms.values()), PATIENCE_S)
        for address, room in self.rooms.items():
            stored = self.center.stored(address)
            assert sorted(stored) == sorted(room.digests().items()), address
            words = self.center.rows(
                f"SELECT count(*), count(DISTINCT u.id) FROM utterances u WHERE hearing = '{hearing_of(address)}'"
            )
            assert words == [(len(stored) - 1, len(stored) - 1)], "every sentence is one line"

    async def speak(self, number: int, over: asyncio.Event) -> None:
        """Sentences for the record, and for three of the rooms what is live."""
        address = self.addresses[number]
        room, hearing = self.rooms[address], hearing_of(address)
        secret = SECRET if number in (CLOSED, WITHDRAWN) else ""
        for count in itertools.count():
            room.utter(hearing, f"第{count}句{secret}")
            if over.is_set():
                return
            if number <= WITHDRAWN:
                self._say_live(room, address, number, f"正在说第{count}句{secret}")
            await asyncio.sleep(0.1)

    def _say_live(self, room: SendingRoom, address: str, number: int, words: str) -> None:
        now_ns, prefix = time.monotonic_ns(), topics.of_room(address)
        hearing = {"id": hearing_of(address), "state": "open", "pause": None, "case": case_of(number)}
        status = {"online": True, "session": "real-room", "at_utc_ns": time.time_ns(), "room_ns": now_ns}
        status |= {"hearing": hearing | {"opened_utc_ns": 1}}
        caption = {"id": f"c{now_ns}", "text": words, "hearing": hearing["id"], "start_ns": now_ns, "end_ns": now_ns}
        for topic, value in ((topics.STATUS, status), (topics.CAPTION, caption)):
            room.line.publish(f"{prefix}/{topic}", json.dumps(value, ensure_ascii=False).encode())
        self.live_said += 1


@contextlib.asynccontextmanager
async def speaking(center: CenterProcesses, case: str, folder: Path) -> AsyncIterator[Speaking]:
    """Rooms speak all the time while the block runs, and until everything is receipted and shown behind it."""
    await asyncio.to_thread(center.start)
    async with contextlib.AsyncExitStack() as stack:
        rooms = await stack.enter_async_context(center.sending(folder, ROOMS[case]))
        for number, (address, room) in enumerate(rooms.items()):
            room.say("open", hearing_of(address), **opening(1)["body"] | {"case": case_of(number)})
        await until(lambda: all(room.outbox.receipted for room in rooms.values()), PATIENCE_S)
        await withdraw(center, hearing_of(ROOMS[case][WITHDRAWN]))
        looked_at = ROOMS[case][: WITHDRAWN + 1]
        page = await stack.enter_async_context(watching_page(center, looked_at, GATEWAY))
        here, over = Speaking(center, rooms, page), asyncio.Event()
        talking = [asyncio.create_task(here.speak(number, over)) for number in range(len(rooms))]
        try:
            await here.shown_anew()
            yield here
            await here.receipted_anew()
            await here.shown_anew()
        finally:
            over.set()
            await asyncio.gather(*talking)
        await here.whole()
        assert set(page.captions) == {here.addresses[OPEN]}, "words of the others are nobody's"
        assert page.saying(SECRET) == []


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
        await asyncio.to_thread(center.start)
        await until(lambda: all(room.log.pending_count() == 0 for room in rooms.values()), PATIENCE_S)
        for address, room in rooms.items():
            assert sorted(center.stored(address)) == sorted(room.digests().items()), address


async def test_an_owner_that_is_killed_is_replaced_by_the_others_its_half_files_too(
    center: CenterProcesses, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Half of a file by the gateway, the owner is killed, the rest by another: one file, as it was sent."""
    room = ROOMS["killed"][0]
    async with speaking(center, "killed", tmp_path) as here:
        await eventually(lambda: is_shared(center))
        file = SentFile(center, room)
        await file.send(GATEWAY, 0, file.middle)
        owner = owner_of(center, room)
        center.processes[owner - 1].kill()
        killed_s = time.monotonic()
        await eventually(lambda: not {0, owner} & {owner_of(center, one) for one in here.addresses})
        record_property("taken_over_s", round(time.monotonic() - killed_s, 1))
        await here.receipted_anew()
        record_property("receipted_again_s", round(time.monotonic() - killed_s, 1))
        await file.send(owner % OWNERS + 1, file.middle, len(file.data))
        await file.claim(GATEWAY)
    assert (center.data / "objects" / file.digest[:2] / file.digest).read_bytes() == file.data
    assert center.rows(f"SELECT count(*) FROM files WHERE room = '{room}'") == [(1,)]


async def test_a_gateway_that_is_killed_costs_those_who_look_there_a_connection_and_the_rooms_nothing(
    center: CenterProcesses, tmp_path: Path
) -> None:
    async with speaking(center, "gateway", tmp_path) as here:
        await eventually(lambda: is_shared(center))
        center.processes[GATEWAY - 1].kill()
        await until(lambda: len(here.page.tabs) == 2, PATIENCE_S)
        await here.shown_anew()
        await eventually(lambda: is_shared(center))


async def test_an_owner_that_stands_still_longer_than_its_lease_does_nothing_as_an_owner_when_it_wakes(
    center: CenterProcesses, tmp_path: Path
) -> None:
    async with speaking(center, "stopped", tmp_path) as here:
        await eventually(lambda: is_shared(center))
        one = center.processes[owner_of(center, ROOMS["stopped"][0]) - 1]
        one.freeze()
        try:
            await eventually(lambda: owner_of(center, ROOMS["stopped"][0]) not in (0, one.number))
            await here.receipted_anew()
        finally:
            one.thaw()
        await eventually(lambda: is_shared(center))


async def test_the_broker_is_killed_and_comes_back(center: CenterProcesses, tmp_path: Path) -> None:
    async with speaking(center, "broker", tmp_path) as here:
        center.broker.kill()
        await until(lambda: not any(room.line.connected for room in here.rooms.values()))
        center.broker.start()


async def test_the_database_is_killed_and_until_it_is_back_nobody_owns_or_sees_anything(
    center: CenterProcesses, server: PostgresServer, tmp_path: Path
) -> None:
    async with speaking(center, "database", tmp_path) as here:
        await eventually(lambda: is_shared(center))
        logs = [center.folder / f"center-{number}.log" for number in range(1, OWNERS + 1)]
        read = [log.stat().st_size for log in logs]
        center.postgres.kill()
        # Long enough that no process believes itself to be an owner any more: each says so.
        await until(
            lambda: all(b"leases_changed" in log.read_bytes()[at:] for log, at in zip(logs, read, strict=True)), 30
        )
        url = f"{center.processes[GATEWAY - 1].url}/api/hearings/{hearing_of(here.addresses[OPEN])}"
        async with asyncio.timeout(PATIENCE_S):
            while (await here.page.http.get(url)).json().get("code") != "rights-unknown":
                await asyncio.sleep(0.05)
        shown, said = len(here.page.captions), here.live_said
        await until(lambda: here.live_said > said + 10)
        assert len(here.page.captions) == shown
        await asyncio.to_thread(server.start)


async def test_a_rolling_restart_loses_and_doubles_nothing(center: CenterProcesses, tmp_path: Path) -> None:
    async with speaking(center, "rolling", tmp_path):
        one = center.processes[0]
        assert await asyncio.to_thread(one.stop) == 0
        assert center.rows(f"SELECT count(*) FROM center_processes WHERE number = {one.number}") == [(0,)]
        one.start()
        await asyncio.to_thread(one.wait)


class SentFile:
    """A file of a room, which goes to one process after the other."""

    def __init__(self, center: CenterProcesses, room: str) -> None:
        self.data = bytes(range(256)) * 4096
        self.middle = len(self.data) // 2
        self.digest = hashlib.sha256(self.data).hexdigest()
        self._center = center
        self._room = room
        self._upload = ""

    async def send(self, number: int, offset: int, until_byte: int) -> None:
        """These bytes, to the process of this number."""
        part = self.data[offset:until_byte]
        named = {"hearing": hearing_of(self._room), "kind": "segment", "track": "bench", "index": 0}
        header = PieceHeader.model_validate(
            {**named, "name": "bench/00000.mp4", "offset": offset, "bytes": len(part), "length": len(self.data)}
        )
        (answer,) = (await self._ask(number, "/api/pieces", content=pack_pieces([(header, part)])))["pieces"]
        assert (answer["code"], answer["offset"]) == ("", until_byte)
        assert answer["upload"] == (self._upload or answer["upload"]), "it is one file"
        self._upload = answer["upload"]

    async def claim(self, number: int) -> None:
        """It is whole."""
        claim = {"upload": self._upload, "sha256": self.digest, "bytes": len(self.data), "room": self._room}
        claim |= {"hearing": hearing_of(self._room), "kind": "segment", "track": "bench", "index": 0}
        assert (await self._ask(number, "/api/objects", json=signed_claim(claim)))["sha256"] == self.digest

    async def _ask(self, number: int, path: str, **what: Any) -> dict[str, Any]:
        """As a room asks: again, while nobody can answer."""
        headers = {"Authorization": f"Bearer {token_of(self._room)}"}
        async with httpx.AsyncClient(headers=headers, trust_env=False, timeout=30) as http:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    answer = await http.post(self._center.processes[number - 1].url + path, **what)
                    if answer.status_code != 503:
                        assert answer.status_code in (200, 201), answer.text
                        return dict(answer.json())
                    await asyncio.sleep(0.2)
