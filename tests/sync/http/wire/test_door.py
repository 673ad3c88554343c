"""What strangers send before anybody knows them: bodies without measure, half requests, crowds of connections."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from sync.errors import ConfigError
from sync.http.rights.access import Access
from sync.http.rights.rules import BODY_BYTES, Rule, check_declared, declare, public
from sync.http.serve import new_app, serving
from sync.http.wire.connection import DoorLimits, neighborhood
from sync.tls.certificates import PeerIdentity

LARGE = 1024 * 1024
QUICK = DoorLimits(head_s=0.3, stall_s=0.2)
PATIENT = DoorLimits(head_s=60, stall_s=60)


def app_of(folder: Path, read: list[int]) -> FastAPI:
    """An app with a route that takes little, one that takes a MiB, and one that answers much."""
    app = new_app("door")
    Access.open(folder / "access.json", {}).install(app, "door")

    async def known(request: Request) -> None:
        """Let every program in."""

    @app.post("/small")
    @public()
    async def small(request: Request) -> dict[str, int]:
        read.append(len(await request.body()))
        return {"bytes": read[-1]}

    @app.put("/large")
    @declare(Rule(machine=known, body_bytes=LARGE))
    async def large(request: Request) -> dict[str, int]:
        read.append(len(await request.body()))
        return {"bytes": read[-1]}

    @app.get("/much")
    @public()
    async def much() -> Response:
        return Response(bytes(16 * 1024 * 1024))

    return app


@contextlib.asynccontextmanager
async def door(folder: Path, limits: DoorLimits = PATIENT) -> AsyncIterator[tuple[int, list[int]]]:
    """A real server; yields its port, and the sizes of the bodies that its routes read."""
    read: list[int] = []
    async with serving(app_of(folder, read), "127.0.0.1", 0, limits=limits) as port:
        yield port, read


class Line:
    """A connection that says bytes as they are."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    @contextlib.asynccontextmanager
    async def to(cls, port: int, source: str = "127.0.0.1") -> AsyncIterator[Line]:
        """Connect from an address of this machine."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
        try:
            yield cls(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def say(self, data: bytes) -> None:
        """Send, as far as the server still listens."""
        with contextlib.suppress(OSError):
            self.writer.write(data)
            await self.writer.drain()

    async def heard(self) -> bytes:
        """All until the server ends the connection."""
        data = b""
        with contextlib.suppress(OSError):
            while piece := await self.reader.read(65536):
                data += piece
        return data


def head(*lines: str, path: str = "/small", method: str = "POST") -> bytes:
    """The head of a request."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "X-Wutong: 1", *lines, "", ""]).encode()


def refused(answer: bytes) -> tuple[int, str]:
    """Status and code of an answer."""
    top, _, body = answer.partition(b"\r\n\r\n")
    return int(top.split()[1]), str(json.loads(body)["code"])


@pytest.mark.parametrize("length", [BODY_BYTES + 1, 400_000_000, 10**18])
async def test_a_body_that_is_announced_too_large_is_refused_unread_and_the_line_ended(
    tmp_path: Path, length: int
) -> None:
    async with door(tmp_path) as (port, read), Line.to(port) as line:
        await line.say(head(f"Content-Length: {length}") + b"x" * 1000)
        answer = await line.heard()
        assert refused(answer) == (413, "too-large")
        assert "请求内容太大" in answer.decode()
        assert read == []


async def test_a_body_in_pieces_without_end_is_cut_off_at_the_limit(tmp_path: Path) -> None:
    async with door(tmp_path) as (port, read), Line.to(port) as line:
        await line.say(head("Transfer-Encoding: chunked"))
        sent = 0
        while not line.reader.at_eof() and sent < 64 * LARGE:
            await line.say(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
            sent += 0x4000
            if line.writer.is_closing() or line.reader._buffer:  # type: ignore[attr-defined]
                break
            await asyncio.sleep(0)
        assert refused(await line.heard()) == (413, "too-large")
        assert read == []


async def test_who_pours_on_after_the_answer_is_read_no_further_than_the_route_takes(tmp_path: Path) -> None:
    """What the two ends of the line hold by themselves comes on top: some MiB."""
    async with door(tmp_path) as (port, read), Line.to(port) as line:
        await line.say(head("Transfer-Encoding: chunked"))
        sent = 0
        while not line.writer.is_closing() and sent < 64 * LARGE:
            await line.say(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            sent += 0x10000
        assert sent < 14 * LARGE
        assert read == []


@pytest.mark.parametrize(
    "lines",
    [
        ["Content-Length: -1"],
        ["Content-Length: 1e3"],
        [f"Content-Length: {10**30}"],
        ["Content-Length: 5", "Content-Length: 6"],
        ["Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: gzip, chunked"],
    ],
)
async def test_a_length_that_makes_no_sense_is_no_request(tmp_path: Path, lines: list[str]) -> None:
    async with door(tmp_path) as (port, read), Line.to(port) as line:
        await line.say(head(*lines) + b"5\r\nhello\r\n0\r\n\r\n")
        line.writer.write_eof()
        assert int((await line.heard()).split()[1]) in (400, 501)
        assert read == []


async def test_a_route_takes_what_it_declares_and_no_byte_more(tmp_path: Path) -> None:
    async with door(tmp_path) as (port, read), httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        http.headers["X-Wutong"] = "1"
        for path, method, most in (("/small", "POST", BODY_BYTES), ("/large", "PUT", LARGE)):
            assert (await http.request(method, path, content=bytes(most))).json() == {"bytes": most}
            assert (await http.request(method, path, content=bytes(most + 1))).status_code == 413
            assert (await http.request(method, path, content=pieces(most // 4))).json() == {"bytes": most}
            assert (await http.request(method, path, content=pieces(most // 4, 5))).status_code == 413
        assert read == [BODY_BYTES, BODY_BYTES, LARGE, LARGE]


async def pieces(size: int, count: int = 4) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield bytes(size)


def test_a_large_body_is_for_known_people_and_for_routes_that_change_something() -> None:
    for method, rule in (
        ("POST", Rule(public=True, body_bytes=LARGE)),
        ("GET", Rule(roles=frozenset({"clerk"}), body_bytes=LARGE)),
        ("POST", Rule(roles=frozenset({"clerk"}), body_bytes=0)),
    ):
        app = new_app("wrong")

        async def nothing() -> None:
            """Do nothing."""

        app.add_api_route("/wrong", declare(rule)(nothing), methods=[method])
        with pytest.raises(ConfigError, match="/wrong"):
            check_declared(app)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"POST /small HTTP/1.1\r\nHost: 127.0.0.1\r\nX-",
        head("Content-Length: 3") + b"{}!" + b"GET /small HTT",
        head("Content-Length: 5000") + b"only this",
        head("Transfer-Encoding: chunked") + b"10\r\nhalf",
    ],
)
async def test_who_does_not_end_a_request_is_ended(tmp_path: Path, said: bytes) -> None:
    async with door(tmp_path, QUICK) as (port, _), Line.to(port) as line:
        await line.say(said)
        await line.heard()  # comes back only because the server ends it


async def test_who_sends_a_body_by_drops_is_ended(tmp_path: Path) -> None:
    async with door(tmp_path, DoorLimits(stall_s=0.2, bytes_per_s=10_000)) as (port, read), Line.to(port) as line:
        await line.say(head("Content-Length: 60000"))
        heard = asyncio.create_task(line.heard())
        while not heard.done():
            await line.say(b"x")
            await asyncio.wait([heard], timeout=0.01)
        assert read == []


async def test_who_does_not_read_an_answer_is_ended(tmp_path: Path) -> None:
    async with door(tmp_path, QUICK) as (port, _), Line.to(port) as line:
        line.reader._transport.pause_reading()  # type: ignore[attr-defined]
        await line.say(head(method="GET", path="/much"))
        while not await ended(line):
            await asyncio.sleep(0)
        line.reader._transport.resume_reading()  # type: ignore[attr-defined]
        assert len(await line.heard()) < 16 * 1024 * 1024


async def ended(line: Line) -> bool:
    """Whether the server has given a connection up: what is sent to it fails."""
    try:
        line.writer.write(b"x")
        await line.writer.drain()
    except OSError:
        return True
    return line.writer.transport.is_closing()


async def test_a_crowd_of_half_requests_makes_room_for_who_asks(tmp_path: Path) -> None:
    limits = DoorLimits(head_s=60, stall_s=60, of_address=100, in_all=250)
    async with door(tmp_path, limits) as (port, read), contextlib.AsyncExitStack() as crowd:
        for number in range(300):
            line = await crowd.enter_async_context(Line.to(port, f"127.0.0.{2 + number % 3}"))
            await line.say(b"POST /small HTTP/1.1\r\nHost:")
        for source in ("127.0.0.9", "127.0.0.2"):  # from elsewhere, and from where the crowd is
            async with Line.to(port, source) as honest:
                await honest.say(head("Content-Length: 2", "Connection: close") + b"{}")
                assert b"200 OK" in await honest.heard()
        assert read == [2, 2]


async def test_who_is_answered_is_not_put_out_for_another(tmp_path: Path) -> None:
    limits = DoorLimits(head_s=60, stall_s=60, of_address=2)
    async with door(tmp_path, limits) as (port, read), Line.to(port) as one, Line.to(port) as two:
        for line in (one, two):
            await line.say(head("Content-Length: 2", "Expect: 100-continue", "Connection: close"))
            assert b"100 Continue" in await line.reader.readuntil(b"\r\n\r\n")
        async with Line.to(port) as third:
            await third.say(head("Content-Length: 2") + b"{}")
            assert await third.heard() == b""
        for line in (one, two):
            await line.say(b"{}")
            assert b"200 OK" in await line.heard()
        assert read == [2, 2]


async def test_another_process_of_the_server_has_places_of_its_own_and_no_more(tmp_path: Path) -> None:
    """It neither takes those of its address or of all, nor lacks one because they are taken."""

    def colleague(address: str, peer: PeerIdentity | None) -> str:
        assert peer is None
        return "seven" if address == "127.0.88.7" else ""

    async def asks_half(crowd: contextlib.AsyncExitStack, source: str) -> Line:
        line = await crowd.enter_async_context(Line.to(port, source))
        await line.say(head("Content-Length: 2", "Expect: 100-continue", "Connection: close"))
        assert b"100 Continue" in await line.reader.readuntil(b"\r\n\r\n")
        return line

    limits = DoorLimits(head_s=60, stall_s=60, of_address=2, in_all=3, of_colleague=2)
    app = app_of(tmp_path, [])
    async with (
        serving(app, "127.0.0.1", 0, limits=limits, colleague=colleague) as port,
        contextlib.AsyncExitStack() as crowd,
    ):
        busy = [await asks_half(crowd, f"127.0.0.{number}") for number in (1, 1, 2)]
        busy += [await asks_half(crowd, "127.0.88.7") for _ in range(2)]
        for source in ("127.0.88.7", "127.0.0.1", "127.0.0.3"):
            async with Line.to(port, source) as one_more:
                await one_more.say(head("Content-Length: 2") + b"{}")
                assert await one_more.heard() == b""
        await busy[-1].say(b"{}")
        assert b"200 OK" in await busy[-1].heard()
        await asks_half(crowd, "127.0.88.7")
        await busy[0].say(b"{}")
        assert b"200 OK" in await busy[0].heard()
        await asks_half(crowd, "127.0.0.1")


def test_the_addresses_that_one_person_has_are_one() -> None:
    assert neighborhood("10.1.2.3") == neighborhood("::ffff:10.1.2.3") == "10.1.2.3"
    assert neighborhood("2001:db8:1:2::5") == neighborhood("2001:db8:1:2:ffff::1") == "2001:db8:1:2::/64"
    assert neighborhood("2001:db8:1:3::5") != neighborhood("2001:db8:1:2::5")
    assert neighborhood("fe80::1%eth0") == "fe80::/64"
    assert neighborhood("?") == "?"
