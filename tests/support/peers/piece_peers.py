"""Who sends pieces as a room does, in whole bodies or byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from typing import Any

from sync.uplink.files.pieces import PieceAnswer, PieceHeader
from tests.support.peers.center_peers import TOKENS
from tests.support.peers.device_signatures import signed_claim

ROOM = "court1/c03"


def piece(data: bytes, offset: int = 0, **more: Any) -> tuple[PieceHeader, bytes]:
    """A piece of the first segment of a track, unless it is said to be of another file."""
    said = {"hearing": "h1", "kind": "segment", "track": "bench", "index": 0, "name": "bench/00000.mp4"}
    return PieceHeader.model_validate({**said, "offset": offset, "bytes": len(data), **more}), data


def brief(answers: list[PieceAnswer]) -> list[tuple[str, int]]:
    """(code, offset) of each."""
    return [(answer.code, answer.offset) for answer in answers]


def claim_of(answer: PieceAnswer, data: bytes, **more: Any) -> dict[str, Any]:
    """The claim of a first segment, signed by the room's device."""
    what = {"hearing": "h1", "kind": "segment", "track": "bench", "index": 0, "room": ROOM}
    of = {"upload": answer.upload, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    return signed_claim({**what, **of, **more})


class PieceLine:
    """One connection on which a body of pieces is said bit by bit."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    @classmethod
    async def begin(cls, url: str, length: int, room: str = ROOM) -> PieceLine:
        """The head of a request of so many bytes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
        head = f"POST /api/pieces HTTP/1.1\r\nHost: center\r\nAuthorization: Bearer {TOKENS[room]}\r\n"
        writer.write(f"{head}Content-Length: {length}\r\n\r\n".encode())
        await writer.drain()
        return cls(reader, writer)

    async def say(self, data: bytes) -> None:
        """More of the body."""
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> tuple[int, bytes]:
        """(status, body) once the center has answered."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.splitlines() if line.lower().startswith(b"content-length")
        )
        return int(head.split()[1]), await self._reader.readexactly(length)

    async def cut(self) -> None:
        """Pull the cable, and wait until the center has let go, too."""
        try:
            with contextlib.suppress(ConnectionError):
                self.writer.write_eof()
                await self._reader.read()
        finally:
            self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()
