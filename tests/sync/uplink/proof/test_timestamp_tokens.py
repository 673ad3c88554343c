"""Asking for time-stamp tokens: one seal that is refused holds up no other, and no answer fills the memory."""

from __future__ import annotations

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.errors import LedgerError
from sync.ledger import note
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.messages.object_claim import check_token_claim
from sync.ledger.token import MAX_TOKEN_BYTES, request_of
from sync.room.checkpoints import Checkpoints
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from sync.uplink.proof.timestamp_authority import reply_to
from sync.uplink.proof.timestamp_tokens import Stamps
from tests.support.peers.posted_to import posted_to, send
from tests.support.peers.tsa import REPLY, Authority

ROOM = "jianshan/c03"


class Room:
    """A room with sealed hearings `h0`, `h1`, …; the newest is asked for first."""

    def __init__(self, folder: Path, hearings: int) -> None:
        self.layout = RoomPaths(folder)
        RoomLog(self.layout.log).close()
        self.checkpoints = Checkpoints(self.layout.log)
        self.texts = {}
        self.key = key = Ed25519PrivateKey.generate()
        for index in range(hearings):
            name = f"h{index}"
            text = self.texts[name] = Checkpoint(ROOM, name, 4, bytes(32), 4, 1).to_text()
            self.checkpoints.add(name, 4, note.sign(text, ROOM, key).to_text(), seal=True)

    def stamps(self, url: str, center: httpx.AsyncClient | None = None) -> Stamps:
        return Stamps(self.checkpoints, self.layout, url, center, self.key)

    @property
    def unstamped(self) -> list[str]:
        return [stored.hearing for stored in self.checkpoints.unstamped()]


async def test_seals_that_the_authority_refuses_hold_up_no_other(tmp_path: Path) -> None:
    room = Room(tmp_path / "room", 3)
    real = Authority(tmp_path / "tsa")

    def answer(handler: BaseHTTPRequestHandler, request: bytes) -> None:
        if request == request_of(room.texts["h2"]):
            send(handler, 500, b"not this one", content_type="text/plain")
        elif request == request_of(room.texts["h1"]):
            send(handler, 200, b"no token", content_type=REPLY)
        else:
            send(handler, 200, real.reply(request), content_type=REPLY)

    with posted_to(answer) as url:
        task = asyncio.create_task(room.stamps(url).run())
        try:
            async with asyncio.timeout(60):
                while room.unstamped != ["h2", "h1"]:
                    await asyncio.sleep(0.05)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    assert room.layout.token("h0").exists()
    room.checkpoints.close()


async def test_an_answer_without_end_is_left_after_what_a_token_may_have(tmp_path: Path) -> None:
    room = Room(tmp_path, 1)
    left = threading.Event()
    sent = 0

    def answer(handler: BaseHTTPRequestHandler, request: bytes) -> None:
        nonlocal sent
        handler.send_response(200)
        handler.end_headers()
        try:
            while sent < 1000 * MAX_TOKEN_BYTES:
                sent += handler.wfile.write(bytes(MAX_TOKEN_BYTES))
        except OSError:
            left.set()

    with posted_to(answer) as url:
        with pytest.raises(LedgerError, match="too long"):
            await reply_to(url, b"request")
        assert await asyncio.to_thread(left.wait, 30)
    assert sent < 1000 * MAX_TOKEN_BYTES
    room.checkpoints.close()


async def test_an_answer_that_is_packed_is_not_unpacked(tmp_path: Path) -> None:
    room = Room(tmp_path, 1)

    def answer(handler: BaseHTTPRequestHandler, request: bytes) -> None:
        assert handler.headers["Accept-Encoding"] == "identity"
        handler.send_response(200)
        handler.send_header("Content-Encoding", "gzip")
        handler.send_header("Content-Length", "6")
        handler.end_headers()
        handler.wfile.write(b"packed")

    with posted_to(answer) as url:
        assert await reply_to(url, b"request") == b"packed"
    room.checkpoints.close()


async def test_the_device_says_by_its_signature_which_token_it_hands_over(tmp_path: Path) -> None:
    room = Room(tmp_path, 1)
    room.checkpoints.stamped("h0", 4, b"a token")
    room.checkpoints.witnessed("h0", 4, "the center's note")
    (stored,) = room.checkpoints.tokens_to_send()
    told: list[dict[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        told.append(json.loads(request.content))
        return httpx.Response(200, json={"stored": True})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://center") as center:
        await room.stamps("http://nobody", center)._send(stored)
    (said,) = told
    verifier = note.Verifier(ROOM, room.key.public_key())
    check_token_claim(ROOM, "h0", 4, b"a token", said["note"], [verifier])
    with pytest.raises(LedgerError):
        check_token_claim(ROOM, "h0", 4, b"another", said["note"], [verifier])
    assert room.checkpoints.tokens_to_send() == []
    room.checkpoints.close()


async def test_nobody_at_the_address_is_asked_once_a_round(tmp_path: Path) -> None:
    room = Room(tmp_path, 3)
    asked = 0

    async def ask(stored: object) -> None:
        nonlocal asked
        asked += 1
        raise httpx.ConnectError("nobody there")

    assert await room.stamps("http://127.0.0.1:9/")._each(room.checkpoints.unstamped(), ask) is False
    assert asked == 1
    room.checkpoints.close()
