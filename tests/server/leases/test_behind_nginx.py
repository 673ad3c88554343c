"""Two processes of a center over TLS behind nginx as it ships, with NATS: what rooms and people notice of it.

A room is the product's whole uplink: events and live pictures by NATS, files through nginx. People come through nginx
as well: pages, sign-in, a tab's WebSocket, which connects anew as the page does when its line ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import httpx
import pytest
import websockets

from server.leases.forward_bounds import OF_ONE_OWNER, OF_ONE_ROOM
from sync.broker_client import unguessable_client_id
from sync.http.wire.connection import DoorLimits
from sync.ledger.keys import make_key
from sync.media.envelope import Kind
from sync.room.paths import RoomPaths
from sync.tls.identity import TlsFiles
from sync.uplink.files.piece_client import PieceClient
from tests.support.peers.center_peers import opening, until
from tests.support.peers.live_tab import Tab
from tests.support.peers.mqtt_peer import is_refused
from tests.support.peers.piece_peers import piece
from tests.support.peers.postgres_server import PostgresServer
from tests.support.peers.proxied_center import ProxiedCenter, proxied_center
from tests.support.peers.scraper import TOKEN, samples_of
from tests.support.peers.tls_center import ROOM, files_of
from tests.support.peers.tls_court import shows
from tests.support.peers.tls_device import Device, running

pytestmark = [pytest.mark.process, pytest.mark.broker, pytest.mark.slow, pytest.mark.timeout(400)]

CROWD = [f"crowd/r{number:02}" for number in range(100)]
PATIENCE_S = 100


@pytest.fixture(scope="module")
def center(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxiedCenter]:
    with proxied_center(tmp_path_factory.mktemp("proxied"), postgres, [ROOM], CROWD, 2, token=TOKEN) as made:
        yield made


async def eventually(condition: Callable[[], object]) -> None:
    """Wait for what the database says, asked a few times a second."""
    async with asyncio.timeout(PATIENCE_S):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.3)


class Person:
    """Somebody in a browser: pages that are asked for all the time, and a tab that connects anew."""

    def __init__(self, center: ProxiedCenter, source: str) -> None:
        self._center = center
        self._source = source
        self._tls = center.trusting()
        transport = httpx.AsyncHTTPTransport(verify=self._tls, local_address=source, retries=0)
        self.http = httpx.AsyncClient(
            base_url=center.of_people, transport=transport, headers={"X-Wutong": "1"}, timeout=60, trust_env=False
        )
        self.tabs: list[Tab] = []
        self.pages = 0
        self.cut = 0
        """Answers that did not come to their end."""

    async def sign_in(self) -> None:
        answer = await self.http.post("/api/session", json={"code": self._center.code})
        assert answer.status_code == 200, answer.text
        assert "secure" in answer.headers["set-cookie"].lower()

    async def look(self) -> None:
        """Ask for the page and what it shows, for ever; each is answered, but for one whose process died over it."""
        while True:
            for path in ("/inspect", "/api/rooms", "/api/session"):
                try:
                    answer = await self.http.get(path)
                except httpx.TransportError:
                    self.cut += 1
                    continue
                assert answer.status_code == 200, (path, answer.status_code, self._center.nginx.errors())
                self.pages += 1
            await asyncio.sleep(0.2)

    async def watch(self) -> None:
        """Watch the room's camera, for ever."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
        address = self._center.of_people.replace("https", "wss") + "/api/live"
        async for ws in websockets.connect(
            address,
            origin=self._center.of_people,  # type: ignore[arg-type]
            additional_headers={"Cookie": cookie},
            ssl=self._tls,
            local_addr=(self._source, 0),
        ):
            one = Tab(ws)
            reading = asyncio.create_task(one.read())
            self.tabs.append(one)
            with contextlib.suppress(websockets.ConnectionClosed):
                await one.say(watch=[f"{ROOM}/bench"], rooms=[ROOM])
            await reading

    def sees(self) -> bool:
        """Whether the newest tab has pictures."""
        kinds = {one.kind for _, one in self.tabs[-1].media} if self.tabs else set()
        return kinds >= {Kind.INIT, Kind.FRAGMENT}


class Hearing:
    """What the room says, sends and shows while the faults happen."""

    def __init__(self, device: Device, footage: bytes) -> None:
        self.device = device
        self._footage = footage
        self.files: list[str] = []
        self.over = False

    async def speak(self) -> None:
        for number in itertools.count():
            if self.over:
                return
            at_ns = self.device.clock.now_ns()
            said = {"id": f"u{at_ns}", "seat": "judge", "role": "审判长", "text": f"第{number}句", "confidence": 0.9}
            self.device.say("utterance", **said, words=[], start_ns=at_ns, end_ns=at_ns + 1)
            await asyncio.sleep(0.1)

    async def show(self) -> None:
        for sequence in itertools.count(1):
            if self.over:
                return
            self.device.picture(sequence, b"picture")
            await asyncio.sleep(0.1)

    async def send(self) -> None:
        """A segment after the other, each another file."""
        folder = self.device.layout.track("h1", "bench")
        folder.mkdir(parents=True, exist_ok=True)
        for index in itertools.count(len(list(folder.iterdir()))):
            if self.over:
                return
            data = self._footage + struct.pack(">I4sQ", 16, b"free", index)
            file = folder / f"{index:05}.mp4"
            file.write_bytes(data)
            sha256 = hashlib.sha256(data).hexdigest()
            body = {"track": "bench", "index": index, "file": f"bench/{file.name}", "bytes": len(data)}
            body |= {"from_ns": index, "to_ns": index + 1, "fragments": 1, "mime": 'video/mp4; codecs="avc1.42C01E"'}
            self.device.say("segment", **body, sha256=sha256)
            self.files.append(sha256)
            await asyncio.sleep(0.5)


@pytest.fixture(scope="module")
def enrolled(center: ProxiedCenter, tmp_path_factory: pytest.TempPathFactory) -> RoomPaths:
    """The room, enrolled through nginx as people do it; the broker's list has it."""
    folder = tmp_path_factory.mktemp("room")
    layout = RoomPaths(folder)
    asyncio.run(center.of_rooms.enrolled(folder, key=make_key(layout.device_key)))
    return layout


@contextlib.asynccontextmanager
async def in_session(center: ProxiedCenter, layout: RoomPaths, footage: bytes) -> AsyncIterator[tuple[Hearing, Person]]:
    """A hearing, and somebody who watches it at the process that owns the room."""
    await asyncio.to_thread(center.complete)
    await eventually(center.is_shared)
    shown = shows(files_of(layout), center.authority)
    while await asyncio.to_thread(is_refused, center.broker.port, shown):
        await asyncio.sleep(0.1)
    async with (
        running(center.of_rooms, layout.data, make_key(layout.device_key), unguessable_client_id("room")) as device,
        contextlib.AsyncExitStack() as stack,
    ):
        hearing = Hearing(device, footage)
        for number in range(100):  # nginx gives each address a process of its own
            person = Person(center, f"127.0.0.{20 + number}")
            await stack.enter_async_context(person.http)
            await person.http.get("/inspect")
            if center.asked()[-1] == center.owner(ROOM):
                break
        await person.sign_in()
        if not device.digests():
            device.say("open", **opening(1)["body"])
        tasks = [asyncio.create_task(one()) for one in (hearing.speak, hearing.show, hearing.send)]
        looking = [asyncio.create_task(one()) for one in (person.look, person.watch)]
        try:
            await until(lambda: person.sees() and hearing.files, PATIENCE_S)
            yield hearing, person
            assert not any(task.done() for task in looking), "each page was answered"
        finally:
            hearing.over = True
            for task in looking:
                task.cancel()
            ended = await asyncio.gather(*tasks, *looking, return_exceptions=True)
            assert not [one for one in ended if isinstance(one, Exception)]
        await nothing_is_lost_or_doubled(center, hearing)


async def nothing_is_lost_or_doubled(center: ProxiedCenter, hearing: Hearing) -> None:
    """What the center has, once the room has sent everything, is what the room has said."""
    device = hearing.device
    await until(lambda: device.log.pending_count() == 0, PATIENCE_S)
    sent = sorted(hearing.files)
    files = f"SELECT sha256 FROM files WHERE room = '{ROOM}' AND hearing = 'h1'"
    await eventually(lambda: set(sent) <= {row[0] for row in center.rows(files)})
    stored = [row[0] for row in center.rows(files)]
    assert len(stored) == len(set(stored)), "no file is there twice"
    for sha256 in sent:
        data = (center.data / "objects" / sha256[:2] / sha256).read_bytes()
        assert hashlib.sha256(data).hexdigest() == sha256
    events = center.rows(f"SELECT number, sha256 FROM events WHERE room = '{ROOM}'")
    assert sorted((int(number), str(digest)) for number, digest in events) == sorted(device.digests().items())


async def goes_on(hearing: Hearing, person: Person) -> None:
    """What the room has said until now is receipted, a file that it closes now is stored, pages and pictures come."""
    said, files, pages = max(hearing.device.digests()), len(hearing.files), person.pages
    await until(lambda: not any(number <= said for number in hearing.device.pending()), PATIENCE_S)
    await until(lambda: person.sees() and person.pages > pages + 6, PATIENCE_S)
    await until(lambda: len(hearing.files) > files, PATIENCE_S)


async def test_the_process_of_a_room_and_its_inspector_is_killed_and_both_go_on_at_the_other(
    center: ProxiedCenter, enrolled: RoomPaths, footage: bytes
) -> None:
    async with in_session(center, enrolled, footage) as (hearing, person):
        owner, tabs = center.owner(ROOM), len(person.tabs)
        killed = center.processes[owner - 1]
        killed.kill()
        await eventually(lambda: center.owner(ROOM) not in (0, owner))
        await until(lambda: len(person.tabs) > tabs, PATIENCE_S)
        await goes_on(hearing, person)
        assert person.cut <= 1, "who asked just then"
        killed.start()
        await asyncio.to_thread(killed.wait)


async def test_a_rolling_restart_is_noticed_by_neither_the_tab_nor_the_room(
    center: ProxiedCenter, enrolled: RoomPaths, footage: bytes
) -> None:
    async with in_session(center, enrolled, footage) as (hearing, person):
        tabs = len(person.tabs)
        for one in center.processes:
            assert await asyncio.to_thread(one.stop) == 0
            one.start()
            await asyncio.to_thread(one.wait)
            await goes_on(hearing, person)
        assert person.cut == 0
        assert len(person.tabs) <= tabs + len(center.processes), "it connects anew where its process went, and once"


class Half:
    """A request of a room whose body does not come to its end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def of(cls, port: int, tls: ssl.SSLContext, source: str) -> Half:
        made = cls(*await asyncio.open_connection("127.0.0.1", port, ssl=tls, local_addr=(source, 0)))
        head = "POST /api/objects HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Wutong: 1\r\nContent-Type: application/json\r\n"
        made.writer.write(f"{head}Content-Length: 60000\r\nExpect: 100-continue\r\n\r\n".encode() + b"{" * 20_000)
        return made

    async def status(self) -> int:
        """100 where the body is read, else why it is not; 0 where the door is shut."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            return int((await self.reader.readuntil(b"\r\n")).split()[1])
        return 0

    async def end(self) -> None:
        self.writer.transport.abort()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


@contextlib.asynccontextmanager
async def flood(
    center: ProxiedCenter, port: int, rooms: list[str], each: int, sources: Sequence[str]
) -> AsyncIterator[list[int]]:
    """So many half requests of each of these rooms at one port, from these addresses; what became of them."""
    halves: list[Half] = []
    try:
        for room, source in zip(rooms, itertools.cycle(sources), strict=False):
            tls = center.trusting(center.crowd[room])
            halves += await asyncio.gather(*(Half.of(port, tls, source) for _ in range(each)))
        yield [await half.status() for half in halves]
    finally:
        for half in halves:
            await half.end()


async def asks(center: ProxiedCenter, port: int, files: TlsFiles | None) -> Any:
    """What a room is told of a piece, or a stranger of nothing."""
    verify = center.trusting(files)
    async with httpx.AsyncClient(
        base_url=f"https://127.0.0.1:{port}", verify=verify, timeout=60, trust_env=False
    ) as http:
        if files is None:
            return (await http.get("/api/session")).status_code
        (answer,) = await PieceClient(http).send([piece(b"x" * 100)])
        return answer.code


async def is_handed_on(center: ProxiedCenter, port: int, files: TlsFiles) -> None:
    """Until a process knows who owns the room, and that one is ready for it."""
    verify, status = center.trusting(files), 503
    while status == 503:
        async with httpx.AsyncClient(verify=verify, timeout=60, trust_env=False) as http:  # refused, it is closed
            status = (await http.post(f"https://127.0.0.1:{port}/api/pieces", content=b"x")).status_code
        await asyncio.sleep(0.2)


async def scraped_at(center: ProxiedCenter, port: int) -> dict[str, float]:
    async with httpx.AsyncClient(verify=center.trusting(), timeout=60, trust_env=False) as http:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return samples_of((await http.get(f"https://127.0.0.1:{port}/metrics", headers=headers)).text)


async def test_a_flood_at_one_door_for_rooms_of_the_other_process_starves_nobody_at_the_other_door(
    center: ProxiedCenter,
) -> None:
    await asyncio.to_thread(center.complete)
    await eventually(center.is_shared)
    first, second = center.processes
    of_second = [room for room, owner in center.owners(CROWD).items() if owner == second.number]
    *pouring, quiet = of_second[: DoorLimits().of_address // OF_ONE_ROOM + 2]
    await is_handed_on(center, first.port, center.crowd[quiet])
    async with flood(center, first.port, pouring, OF_ONE_ROOM, ["127.0.0.8", "127.0.0.9"]) as became:
        # The first rooms have taken the half that is for who pours, each of the others has a place all the same; less
        # where the owner was too busy to greet one of them in time.
        handed_on = OF_ONE_OWNER // 2 + len(pouring) - OF_ONE_OWNER // 2 // OF_ONE_ROOM
        assert OF_ONE_OWNER // 2 <= became.count(100) <= handed_on
        assert set(became) == {100, 503}
        found = await scraped_at(center, first.port)
        assert found["wutong_center_forwarding"] <= handed_on
        assert found['wutong_center_forward_failed_total{code="full"}'] >= len(became) - handed_on
        assert await asks(center, second.port, None) == 401
        assert await asks(center, second.port, center.crowd[quiet]) == ""
        assert await asks(center, first.port, center.crowd[quiet]) == "", "a room that asked nothing has a place"
    # And who pours at the owner's own door leaves what is handed on to it alone.
    rooms = of_second[: DoorLimits().of_address // OF_ONE_ROOM]
    async with flood(center, second.port, rooms, OF_ONE_ROOM, ["127.0.0.1"]) as became:
        assert set(became) == {100}
        assert await asks(center, first.port, center.crowd[quiet]) == ""
