"""A line between a center and its S3 store that cuts, holds, loses and refuses, as the test says."""

from __future__ import annotations

import asyncio
import contextlib
import re

from tests.support.peers.line_relay import Ends, LineRelay

PIECE = 65_536
_REQUEST = re.compile(rb"^(GET|HEAD|PUT|POST|DELETE) (\S+) HTTP/1\.1\r\n")
_CONTINUE = b"HTTP/1.1 100"


class FaultyLine(LineRelay):
    """Carries every connection to `port`. What is set counts from the next bytes on, also on lines that stand."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.refuses: tuple[int, str] | None = None
        """(status, code): what such requests are answered, of which the store never hears."""
        self.refused = re.compile(b"")
        """Which requests; all of them."""
        self.cut_up_at: int | None = None
        """A line breaks off when so many bytes have gone to the store by it."""
        self.cut_down_at: int | None = None
        """… or have come from there."""
        self.loses: re.Pattern[bytes] | None = None
        """Requests that arrive and whose answer does not."""
        self.answers = asyncio.Event()
        self.answers.set()
        """While it is not set nothing comes back to the requests `held`."""
        self.held = re.compile(b"")
        self.sent = asyncio.Event()
        """A whole megabyte has gone to the store."""
        self.lines = 0
        self.requests: list[bytes] = []

    async def _open(self) -> Ends:
        self.lines += 1
        return await super()._open()

    async def _serve(self, down: Ends, up: Ends) -> None:
        asked: list[bytes] = [b""]
        await self._until_one_ends(self._up(down[0], up[1], down[1], asked), self._down(up[0], down[1], asked))

    async def _up(
        self, reader: asyncio.StreamReader, up: asyncio.StreamWriter, down: asyncio.StreamWriter, asked: list[bytes]
    ) -> None:
        carried = 0
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(PIECE):
                found = _REQUEST.match(data)
                if found is not None:
                    asked[0] = found[0]
                    self.requests.append(found[0].strip())
                    if self.refuses is not None and self.refused.search(found[0]):
                        down.write(_answer(*self.refuses))
                        down.close()
                        await down.wait_closed()
                        return
                carried += len(data)
                if self.cut_up_at is not None and carried >= self.cut_up_at:
                    return
                up.write(data)
                await up.drain()
                if carried >= 1_000_000:
                    self.sent.set()

    async def _down(self, reader: asyncio.StreamReader, down: asyncio.StreamWriter, asked: list[bytes]) -> None:
        carried = 0
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(PIECE):
                if self.held.search(asked[0]):
                    await self.answers.wait()
                if self.loses is not None and self.loses.search(asked[0]) and not data.startswith(_CONTINUE):
                    return
                carried += len(data)
                if self.cut_down_at is not None and carried >= self.cut_down_at:
                    return
                down.write(data)
                await down.drain()


def _answer(status: int, code: str) -> bytes:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>".encode()
    head = f"HTTP/1.1 {status} No\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + body
