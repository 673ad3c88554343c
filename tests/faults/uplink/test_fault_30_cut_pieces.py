"""Fault 30, of pieces: a request of several files is cut at every byte, and the room goes on from what arrived.

Lost: nothing. What the center says that it holds, it holds, and it is what was sent; no byte is appended twice.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct

import pytest

from server.ingest.uploads import pieces_api
from sync.uplink.files.piece_client import PieceClient
from sync.uplink.files.pieces import pack_pieces
from tests.support.peers.center_peers import Served
from tests.support.peers.piece_peers import PieceLine, claim_of, piece

PIECE = 24


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("at_once", [True, False], ids=["written at the end", "written as it comes"])
async def test_a_request_that_is_cut_at_any_byte_costs_what_did_not_arrive(
    served: Served, reset: bool, at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not at_once:
        monkeypatch.setattr(pieces_api, "FLUSH_BYTES", 1)
    sent = [b"", b""]
    async with served.uploader() as (tus, http):
        client = PieceClient(http)
        most = len(pack_pieces([piece(bytes(PIECE), 10**6, index=n) for n in range(len(sent))]))
        for cut in range(0, most, 1 if at_once else 5):
            parts = [os.urandom(PIECE) for _ in sent]
            begun = [piece(part, len(sent[n]), index=n) for n, part in enumerate(parts)]
            body = pack_pieces(begun)
            line = await PieceLine.begin(served.url, len(body))
            with contextlib.suppress(ConnectionError):
                await line.say(body[:cut])
                if reset:
                    sock: socket.socket = line.writer.get_extra_info("socket")
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    line.writer.close()
                else:
                    await line.cut()
            # The next request of the room waits for what the center still makes of the one before.
            told = await client.send([piece(b"", index=n) for n in range(len(sent))])
            for n, answer in enumerate(told):
                assert answer.code in ("", "gone")
                assert len(sent[n]) <= answer.offset <= len(sent[n]) + PIECE
                sent[n] += parts[n][: answer.offset - len(sent[n])]
                if answer.upload:
                    held = (served.data / "uploads" / answer.upload).read_bytes()
                    assert held == sent[n], f"cut at {cut}: other bytes than were sent"
        assert reset or all(sent)
        whole = [data + os.urandom(PIECE) for data in sent]
        last = await client.send(
            [piece(data[len(sent[n]) :], len(sent[n]), index=n, length=len(data)) for n, data in enumerate(whole)]
        )
        for n, (answer, data) in enumerate(zip(last, whole, strict=True)):
            assert (answer.code, answer.offset) == ("", len(data))
            assert await tus.confirm(claim_of(answer, data, index=n)) > 0
    assert list((served.data / "uploads").iterdir()) == []
