"""Requests of rooms that reach another process than their room's: handed on once, as they come, or refused in words."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI, Request, Response
from starlette.requests import ClientDisconnect

from server.ingest.room_tokens import Tokens, room_by
from server.leases.center_process import CenterProcess
from server.leases.forward_bounds import AGAIN, FULL, NO_OWNER, OF_ONE_ROOM, UNREACHABLE, ForwardBounds
from server.leases.forward_pass import HEADER, ForwardPass, PassSealer
from server.leases.room_forwarder import RoomForwarder
from sync.errors import AccessError
from sync.http.rights.access import Access
from sync.http.rights.people import People
from sync.http.rights.rules import machine
from sync.http.serve import new_app, serving
from sync.http.wire.connection import PEER
from sync.tls.certificates import PeerIdentity
from tests.support.peers.center_peers import until
from tests.support.ports import free_port

SEALER = PassSealer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
ROOM, TOKEN = "court1/c03", "token-of-room-c03-0123456789abcdef"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}


class Certificates:
    """Who judges certificates: one that is known, and no other."""

    def room(self, peer: PeerIdentity) -> str:
        if peer.serial != 77:
            raise AccessError("this certificate was revoked", code="not-enrolled")
        return peer.name

    def is_shut(self, room: str) -> bool:
        return False


class Owners:
    def __init__(self) -> None:
        self.mine = False
        self.other = ""

    def owns(self, room: str) -> bool:
        return self.mine

    def owner_of(self, room: str) -> str:
        return self.other


class Process:
    """A web server with one route for rooms, which says who asked and what came."""

    def __init__(self, access: Access) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.owners = Owners()
        self.bodies: list[bytes] = []
        self.came = 0
        self.broken = 0
        self.go_on = asyncio.Event()
        self.go_on.set()
        hashes = {hashlib.sha256(TOKEN.encode()).hexdigest(): ROOM}
        self.tokens = Tokens(hashes, Certificates())
        self.app = new_app("process")
        access.install(self.app, "test")
        self._route(self.app)
        self.bounds = ForwardBounds()
        self.source = CenterProcess(1, self.url).source
        self.app.add_middleware(
            RoomForwarder,
            tokens=self.tokens,
            owners=self.owners,
            sealer=SEALER,
            here=self.url,
            tls=None,
            bounds=self.bounds,
            source=self.source,
        )

    def _route(self, app: FastAPI) -> None:
        @app.post("/api/pieces")
        @machine(room_by(self.tokens), body_bytes=64 * 1024 * 1024)
        async def pieces(request: Request) -> Response:
            body = b""
            try:
                async for chunk in request.stream():
                    body += chunk
                    self.came = len(body)
            except ClientDisconnect:
                self.broken += 1
                raise
            await self.go_on.wait()
            self.bodies.append(body)
            said = {"Host": request.headers["host"], "Location": "/api/uploads/1", HEADER: "none of yours"}
            said["From"] = ",".join(request.headers.get(name, "") for name in ("x-forwarded-for", "forwarded"))
            said["Who"] = request.client.host if request.client is not None else ""
            said["By"] = request.headers.get("x-forwarded-proto", "")
            return Response(f"{request.scope['wutong_room']} {len(body)}", headers=said)


@contextlib.asynccontextmanager
async def process(access: Access) -> AsyncIterator[Process]:
    made = Process(access)
    async with serving(made.app, "127.0.0.1", made.port):
        yield made


@pytest_asyncio.fixture
async def two(tmp_path: Any) -> AsyncIterator[tuple[Process, Process]]:
    """The first hands on to the second, which owns the room."""
    accesses = [Access(People.open(tmp_path / name, {"inspector": "督查员"})) for name in ("a.json", "b.json")]
    async with process(accesses[0]) as first, process(accesses[1]) as second:
        first.owners.other, second.owners.mine = second.url, True
        yield first, second


@pytest_asyncio.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(headers=AUTHORIZED, trust_env=False, timeout=30) as made:
        yield made


async def test_a_request_is_handed_on_with_its_body_and_answered_by_the_owner(
    two: tuple[Process, Process], http: httpx.AsyncClient
) -> None:
    first, second = two
    data = bytes(range(256)) * 20_000
    answer = await http.post(f"{first.url}/api/pieces?a=1&b=2", content=data, headers={"Host": "wutong-center"})
    assert (answer.status_code, answer.text) == (200, f"{ROOM} {len(data)}")
    assert answer.headers["host"] == "wutong-center", "the owner sees the address that the room has asked"
    assert answer.headers["location"] == "/api/uploads/1"
    assert HEADER not in answer.headers
    assert second.bodies == [data]
    assert first.bodies == []
    assert (first.bounds.answered, first.bounds.under_way, first.bounds.failed) == (1, 0, {})


async def test_a_room_says_to_no_other_process_from_where_it_comes(
    two: tuple[Process, Process], http: httpx.AsyncClient
) -> None:
    lies = {"X-Forwarded-For": "10.9.9.9", "Forwarded": "for=10.9.9.9", "X-Forwarded-Proto": "https"}
    answer = await http.post(f"{two[0].url}/api/pieces", content=b"x", headers=lies)
    assert (answer.headers["from"], answer.headers["by"]) == (",", "http")


async def test_the_owner_sees_from_where_the_other_process_asks(
    two: tuple[Process, Process], http: httpx.AsyncClient
) -> None:
    """By that its door knows whose connection it is, where there is no certificate."""
    first, second = two
    assert (await http.post(f"{first.url}/api/pieces", content=b"x")).headers["who"] == first.source
    assert (await http.post(f"{second.url}/api/pieces", content=b"x")).headers["who"] == "127.0.0.1"


async def test_an_address_that_is_too_long_is_none(two: tuple[Process, Process], http: httpx.AsyncClient) -> None:
    answer = await http.post(f"{two[0].url}/api/pieces?{'a' * 600}", content=b"x")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert two[1].bodies == []


async def test_what_the_owner_refuses_is_refused(two: tuple[Process, Process], http: httpx.AsyncClient) -> None:
    first, _ = two
    for method, path, status in (("GET", "/api/pieces", 405), ("POST", "/api/objects/none", 404)):
        assert (await http.request(method, first.url + path)).status_code == status


async def test_who_is_not_known_is_answered_at_once_and_reaches_nobody_else(two: tuple[Process, Process]) -> None:
    first, second = two
    async with httpx.AsyncClient(trust_env=False) as stranger:
        answer = await stranger.post(f"{first.url}/api/pieces", content=b"x" * 1000)
        assert (answer.status_code, answer.json()["code"]) == (401, "token")
    assert second.came == 0


async def test_nothing_is_handed_on_twice(two: tuple[Process, Process], http: httpx.AsyncClient) -> None:
    """Both believe that the other is the owner, as in the moment of a take-over."""
    first, second = two
    second.owners.mine, second.owners.other = False, first.url
    answer = await http.post(f"{first.url}/api/pieces", content=b"x")
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert answer.headers["retry-after"]
    assert first.came == second.came == 0
    assert (first.bounds.failed, second.bounds.failed) == ({}, {AGAIN: 1})
    assert first.bounds.answered == 1


async def test_a_room_without_an_owner_is_asked_to_come_again(
    two: tuple[Process, Process], http: httpx.AsyncClient
) -> None:
    first, second = two
    first.owners.other = ""
    assert (await http.post(f"{first.url}/api/pieces", content=b"x")).status_code == 503
    first.owners.other = f"http://127.0.0.1:{free_port()}"  # it was killed, and its lease has not ended
    answer = await http.post(f"{first.url}/api/pieces", content=b"x")
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert "127.0.0.1" not in answer.text
    assert first.bounds.failed == {NO_OWNER: 1, UNREACHABLE: 1}
    assert second.came == 0


async def test_a_pass_that_nobody_of_this_center_has_sealed_is_none(
    two: tuple[Process, Process], http: httpx.AsyncClient
) -> None:
    """Whoever says that a certificate came with a request is not believed."""
    _, second = two
    forged = PassSealer(Ed25519PrivateKey.from_private_bytes(bytes(32)))
    peer = PeerIdentity(ROOM, 77, dt.datetime(2030, 1, 1, tzinfo=dt.UTC))
    said = forged.seal(ForwardPass.of(second.url, "POST", "/api/pieces", peer))
    async with httpx.AsyncClient(trust_env=False) as stranger:
        for header in (said, "nonsense", ""):
            answer = await stranger.post(f"{second.url}/api/pieces", content=b"x", headers={HEADER: header})
            assert answer.status_code == 401
    assert second.bodies == []


async def test_a_pass_is_good_for_one_process_and_one_request(two: tuple[Process, Process]) -> None:
    first, second = two
    peer = PeerIdentity(ROOM, 77, dt.datetime(2030, 1, 1, tzinfo=dt.UTC))
    async with httpx.AsyncClient(trust_env=False) as stranger:

        async def shows(to: str, method: str, path: str) -> int:
            header = {HEADER: SEALER.seal(ForwardPass.of(to, method, path, peer))}
            return (await stranger.post(f"{second.url}/api/pieces", content=b"x", headers=header)).status_code

        assert await shows(second.url, "POST", "/api/pieces") == 200
        assert await shows(first.url, "POST", "/api/pieces") == 401
        assert await shows(second.url, "PUT", "/api/pieces") == 401
        assert await shows(second.url, "POST", "/api/objects") == 401


async def test_the_owner_judges_the_certificate_that_came_to_the_other(two: tuple[Process, Process]) -> None:
    first, second = two
    served = first.app

    async def ask(serial: int) -> int:
        """As a connection that has proved this certificate."""
        peer = PeerIdentity("court1/c09", serial, dt.datetime(2030, 1, 1, tzinfo=dt.UTC))

        async def proved(scope: Any, receive: Any, send: Any) -> None:
            await served({**scope, "state": {PEER: peer}}, receive, send)

        transport = httpx.ASGITransport(app=proved)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as one:
            answer = await one.post("/api/pieces", content=b"abc")
            return answer.status_code if answer.status_code != 200 else len(answer.text)

    assert await ask(77) == len("court1/c09 3")
    assert await ask(78) == 401
    assert len(second.bodies) == 1


async def test_a_room_that_breaks_off_in_the_middle_is_heard_as_far_as_it_came(two: tuple[Process, Process]) -> None:
    first, second = two
    reader, writer = await asyncio.open_connection("127.0.0.1", first.port)
    head = (
        f"POST /api/pieces HTTP/1.1\r\nHost: center\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 100000\r\n\r\n"
    )
    writer.write(head.encode() + b"x" * 1000)
    await until(lambda: second.came == 1000)
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    await until(lambda: second.broken == 1)
    assert second.bodies == []
    assert await reader.read() == b""


async def test_an_owner_that_dies_in_the_middle_costs_the_request_and_nothing_else(tmp_path: Any) -> None:
    accesses = [Access(People.open(tmp_path / name, {"inspector": "督查员"})) for name in ("a.json", "b.json")]
    async with process(accesses[0]) as first:

        async def dies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(500)
            writer.transport.abort()

        server = await asyncio.start_server(dies, "127.0.0.1", 0)
        async with server, httpx.AsyncClient(headers=AUTHORIZED, trust_env=False) as http:
            first.owners.other = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            answer = await http.post(f"{first.url}/api/pieces", content=b"x" * 1_000_000)
            assert (answer.status_code, answer.json()["code"]) == (503, "busy")
            first.owners.other, first.owners.mine = "", True
            assert (await http.post(f"{first.url}/api/pieces", content=b"x")).status_code == 200


async def test_of_one_room_so_many_requests_are_under_way_and_then_no_more(
    two: tuple[Process, Process], http: httpx.AsyncClient
) -> None:
    first, second = two
    second.go_on.clear()
    asking = [asyncio.create_task(http.post(f"{first.url}/api/pieces", content=b"x")) for _ in range(OF_ONE_ROOM + 3)]
    done, waiting = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
    while len(done) < 3:
        more, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        done |= more
    assert {task.result().status_code for task in done} == {503}
    assert (first.bounds.under_way, first.bounds.failed) == (OF_ONE_ROOM, {FULL: 3})
    second.go_on.set()
    assert {(await task).status_code for task in waiting} == {200}
    assert (await http.post(f"{first.url}/api/pieces", content=b"x")).status_code == 200, "the place is free again"


@pytest.mark.parametrize("path", ["/api/session", "/api/hearings", "/api/piecesx", "/"])
async def test_what_is_of_no_room_stays_here(two: tuple[Process, Process], http: httpx.AsyncClient, path: str) -> None:
    first, second = two
    second.owners.mine = False
    answer = await http.get(first.url + path)
    assert answer.status_code in (401, 404)
