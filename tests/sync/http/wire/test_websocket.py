"""What a peer can do to a WebSocket by numbers alone: pieces, messages and unread pings without end."""

from __future__ import annotations

import asyncio
import base64
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from fastapi import WebSocket, WebSocketDisconnect

from sync.http.rights.access import Access
from sync.http.rights.rules import public
from sync.http.serve import new_app, serving
from sync.http.wire.websocket import MESSAGES_AT_ONCE, MOST_PIECES, UNREAD_PONGS
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


async def open_socket(line: Line, port: int) -> None:
    """The handshake."""
    key = base64.b64encode(bytes(16)).decode()
    lines = ["Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
    origin = f"Origin: http://127.0.0.1:{port}"
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
