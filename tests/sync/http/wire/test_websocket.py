"""What a peer can do to a WebSocket by numbers alone: pieces, messages and unread pings without end; and how much waits
for one that reads nothing."""

from __future__ import annotations

import asyncio
import base64
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from fastapi import WebSocket, WebSocketDisconnect

from sync.http.rights.access import Access
from sync.http.rights.rules import public
from sync.http.serve import new_app, serving
from sync.http.wire.websocket import MESSAGES_AT_ONCE, MOST_PIECES, UNREAD_PONGS, GuardedWebSocket
from sync.tls.authority import open_authority
from sync.tls.contexts import client_context, server_context, trust
from tests.support.peers.tls_court import served_by, utc_now
from tests.sync.http.wire.test_door import Line

CONT, TEXT, PING, FIN = 0x0, 0x1, 0x9, 0x80


def frame(first: int, payload: bytes = b"") -> bytes:
    """As a browser masks it, with a mask of zeros."""
    size = bytes([0x80 | len(payload)]) if len(payload) < 126 else bytes([0x80 | 126]) + struct.pack("!H", len(payload))
    return bytes([first]) + size + bytes(4) + payload


class Heard:
    """What the route was told, and when its socket ended."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.over = asyncio.Event()
        self.port = 0


@pytest_asyncio.fixture
async def heard(tmp_path: Path) -> AsyncIterator[Heard]:
    told = Heard()
    app = new_app("sockets")
    access = Access.open(tmp_path / "access.json", {})
    access.install(app, "sockets")

    @app.websocket("/live")
    @public()
    async def live(ws: WebSocket) -> None:
        await ws.accept()
        try:
            while True:
                told.texts.append(await ws.receive_text())
        except WebSocketDisconnect:
            told.over.set()

    async with serving(app, "127.0.0.1", 0) as port:
        told.port = port
        yield told


async def open_socket(line: Line, port: int, *, scheme: str = "http") -> None:
    """The handshake."""
    key = base64.b64encode(bytes(16)).decode()
    lines = ["Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
    origin = f"Origin: {scheme}://127.0.0.1:{port}"
    await line.say("\r\n".join(["GET /live HTTP/1.1", f"Host: 127.0.0.1:{port}", origin, *lines, "", ""]).encode())
    answer = await line.reader.readuntil(b"\r\n\r\n")
    assert b" 101 " in answer
    assert b"permessage-deflate" not in answer.lower(), "a few bytes are never megabytes"


async def ended(heard: Heard) -> None:
    """Wait until the route knows that its socket has ended."""
    async with asyncio.timeout(20):
        await heard.over.wait()


@pytest.mark.parametrize("piece", [b"", b"x"])
async def test_a_message_in_pieces_without_end_is_ended(heard: Heard, piece: bytes) -> None:
    async with Line.to(heard.port) as line:
        await open_socket(line, heard.port)
        await line.say(frame(TEXT, b"a") + frame(CONT, piece) * 100_000)
        await ended(heard)
    assert heard.texts == []


async def test_pieces_as_programs_make_them_are_one_message(heard: Heard) -> None:
    async with Line.to(heard.port) as line:
        await open_socket(line, heard.port)
        for _ in range(3):
            await line.say(frame(TEXT, b"a") + frame(CONT, b"b") * (MOST_PIECES - 2) + frame(CONT | FIN, b"c"))
        await line.say(frame(FIN | 0x8))
        await ended(heard)
    assert heard.texts == ["a" + "b" * (MOST_PIECES - 2) + "c"] * 3


async def test_messages_without_end_are_ended_and_a_page_s_are_heard(heard: Heard) -> None:
    async with Line.to(heard.port) as line:
        await open_socket(line, heard.port)
        await line.say(frame(TEXT | FIN, b"{}") * 30_000)
        await ended(heard)
    assert 0 < len(heard.texts) <= MESSAGES_AT_ONCE + 50


async def test_who_pings_and_reads_no_answer_is_ended(heard: Heard) -> None:
    async with Line.to(heard.port) as line:
        await open_socket(line, heard.port)
        pings = frame(PING | FIN, b"p" * 125) * 1000
        sending = asyncio.create_task(_say_for_ever(line, pings))
        await ended(heard)
        sending.cancel()
    assert UNREAD_PONGS > 0


async def _say_for_ever(line: Line, data: bytes) -> None:
    while True:
        await line.say(data)
        await asyncio.sleep(0)


async def test_who_pings_and_reads_is_answered(heard: Heard) -> None:
    async with Line.to(heard.port) as line:
        await open_socket(line, heard.port)
        for _ in range(5):
            await line.say(frame(PING | FIN, b"p" * 125) * 100)
            async with asyncio.timeout(20):
                assert len(await line.reader.readexactly(127 * 100)) == 12_700
        await line.say(frame(FIN | 0x8))
        await ended(heard)


PIECE = bytes(4096)
MOST_WAITING = {"plain": 160 * 1024, "TLS": 320 * 1024}
"""With the systems of both ends, and in the loop: with what a system takes by itself it would be 230 and 700 KiB."""


@pytest.mark.parametrize("wire", MOST_WAITING)
async def test_little_waits_for_a_peer_that_reads_nothing_where_nobody_can_take_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wire: str
) -> None:
    app = new_app("sockets")
    Access.open(tmp_path / "access.json", {}).install(app, "sockets")
    sent, full = 0, asyncio.Event()
    pause = GuardedWebSocket.pause_writing

    def paused(one: GuardedWebSocket) -> None:
        pause(one)
        full.set()

    monkeypatch.setattr(GuardedWebSocket, "pause_writing", paused)

    @app.websocket("/live")
    @public()
    async def live(ws: WebSocket) -> None:
        nonlocal sent
        await ws.accept()
        while True:
            await ws.send_bytes(PIECE)
            sent += len(PIECE)

    tls = trusting = None
    if wire == "TLS":
        court = open_authority(tmp_path / "court", "Court", utc_now())
        tls, trusting = server_context(*served_by(court, tmp_path, "127.0.0.1")), client_context()
        trust(trusting, tmp_path / "court" / "authority.pem")
    with socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        peer.setblocking(False)
        async with serving(app, "127.0.0.1", 0, tls=tls) as port:
            await asyncio.get_running_loop().sock_connect(peer, ("127.0.0.1", port))
            reader, writer = await asyncio.open_connection(
                sock=peer, limit=4096, ssl=trusting, server_hostname="127.0.0.1" if trusting else None
            )
            await open_socket(Line(reader, writer), port, scheme="https" if trusting else "http")
            async with asyncio.timeout(20):
                await full.wait()
            assert 0 < sent < MOST_WAITING[wire]
            writer.transport.abort()
