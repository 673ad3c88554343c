"""Time-stamp tokens at the center's door: only over a checkpoint that it witnessed, and only from the room itself."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import httpx
import pytest

from server.integrity.enrollment import Enrollment, center_key
from sync.ledger.token import request_of
from tests.support.peers.center_peers import RoomPeer, Served, opening, said
from tests.support.peers.tsa import Authority
from tests.support.rooms.signing_room import SigningRoom, enroll_device

pytestmark = pytest.mark.both_databases


async def post(http: httpx.AsyncClient, size: int, token: bytes, hearing: str = "h1") -> int:
    body = {"hearing": hearing, "size": size, "token": base64.b64encode(token).decode()}
    return (await http.post("/api/tokens", json=body)).status_code


async def test_a_token_is_kept_only_over_a_witnessed_checkpoint_of_this_room(
    served: Served, room: RoomPeer, tmp_path: Path
) -> None:
    code = await Enrollment(served.center.database, center_key(served.data)).new_code("court1/c03")
    key = await asyncio.to_thread(enroll_device, served, tmp_path / "device", code)
    signing = SigningRoom(room, served, key)
    signing.say(opening(1), said(2, "好"))
    await signing.receipted()
    head = signing.head()
    assert signing.is_witnessed(await signing.ask(head))
    authority = await asyncio.to_thread(Authority, tmp_path / "tsa")
    token = await asyncio.to_thread(authority.reply, request_of(head.to_text()))
    other = await asyncio.to_thread(authority.reply, request_of(signing.head(1).to_text()))
    async with served.uploader() as (_, http), served.uploader("court1/c04") as (_, neighbor):
        assert await post(http, 2, other) == 422
        assert await post(http, 2, b"nonsense") == 422
        assert await post(http, 1, other) == 404
        assert await post(http, 2, token, "h2") == 404
        assert await post(neighbor, 2, token) == 404
        assert not (await served.center.witness.of_hearing("h1"))["stamped"]
        assert await post(http, 2, token) == 200
        assert await post(http, 2, token) == 200
    assert (await served.center.witness.of_hearing("h1"))["stamped"]
