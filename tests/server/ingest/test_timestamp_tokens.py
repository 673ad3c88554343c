"""Time-stamp tokens at the center's door: only over a checkpoint that it witnessed, and only from the room itself."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from server.integrity.enrollment import Enrollment, center_key
from server.store import tables as t
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.messages.object_claim import sign_token_claim
from sync.ledger.note import read_note
from sync.ledger.token import request_of
from tests.support.peers.center_peers import RoomPeer, Served, opening, said
from tests.support.peers.tsa import Authority
from tests.support.rooms.signing_room import SigningRoom, enroll_device

pytestmark = pytest.mark.both_databases


async def post(http: httpx.AsyncClient, size: int, token: bytes, hearing: str = "h1", note: str = "") -> int:
    body = {"hearing": hearing, "size": size, "token": base64.b64encode(token).decode()}
    return (await http.post("/api/tokens", json=body | ({"note": note} if note else {}))).status_code


def held(served: Served) -> tuple[str, bytes | None]:
    """The note of the last checkpoint, and the token that is kept over it."""
    query = select(t.checkpoints.c.note, t.checkpoints.c.token).where(t.checkpoints.c.size == 2)
    (row,) = served.center.database.read_now(lambda connection: connection.execute(query).all())
    return row.note, row.token


async def witnessed(served: Served, room: RoomPeer, folder: Path) -> SigningRoom:
    """A room whose head over two events the center has countersigned."""
    code = await Enrollment(served.center.database, center_key(served.data)).new_code("court1/c03")
    key = await asyncio.to_thread(enroll_device, served, folder, code)
    signing = SigningRoom(room, served, key)
    signing.say(opening(1), said(2, "好"))
    await signing.receipted()
    assert signing.is_witnessed(await signing.ask(signing.head()))
    return signing


async def test_a_token_is_kept_only_over_a_witnessed_checkpoint_of_this_room(
    served: Served, room: RoomPeer, tmp_path: Path
) -> None:
    signing = await witnessed(served, room, tmp_path / "device")
    head = Checkpoint.from_text(read_note(held(served)[0]).text)
    authority = await asyncio.to_thread(Authority, tmp_path / "tsa")
    token = await asyncio.to_thread(authority.reply, request_of(head.to_text()))
    other = await asyncio.to_thread(authority.reply, request_of(signing.head(1).to_text()))
    async with served.uploader() as (_, http), served.uploader("court1/c04") as (_, neighbor):
        assert await post(http, 2, other) == 422
        assert await post(http, 2, b"nonsense") == 422
        for said in ("é", "%%%", "AA=A"):
            body = {"hearing": "h1", "size": 2, "token": said}
            assert (await http.post("/api/tokens", json=body)).status_code == 422
        assert await post(http, 1, other) == 404
        assert await post(http, 2, token, "h2") == 404
        assert await post(neighbor, 2, token) == 404
        assert not (await served.center.witness.of_hearing("h1"))["stamped"]
        assert await post(http, 2, token) == 200
        assert await post(http, 2, token) == 200
    assert (await served.center.witness.of_hearing("h1"))["stamped"]


async def test_who_has_the_rooms_connection_and_not_its_key_replaces_no_token(
    served: Served, room: RoomPeer, tmp_path: Path
) -> None:
    signing = await witnessed(served, room, tmp_path / "device")
    asked = request_of(Checkpoint.from_text(read_note(held(served)[0]).text).to_text())
    authorities = [await asyncio.to_thread(Authority, tmp_path / name) for name in ("false", "true", "another")]
    false, true, another = [await asyncio.to_thread(one.reply, asked) for one in authorities]

    def note(token: bytes, key: Ed25519PrivateKey = signing.key, size: int = 2) -> str:
        return sign_token_claim("court1/c03", "h1", size, token, key)

    async with served.uploader() as (_, http):
        assert await post(http, 2, false) == 200, "as rooms of before send it"
        assert await post(http, 2, another) == 422, "and then none beside it"
        assert held(served)[1] == false
        assert await post(http, 2, true, note=note(true)) == 200, "the device's own takes its place"
        assert held(served)[1] == true
        for token, by, status in (
            (another, "", 422),
            (another, note(another, Ed25519PrivateKey.generate()), 403),
            (another, note(true), 403),
            (another, note(another, size=3), 403),
            (another, "no note", 403),
            (true, "", 200),
        ):
            assert await post(http, 2, token, note=by) == status
            assert held(served)[1] == true
