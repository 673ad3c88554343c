"""A line between a browser and its server that lets few bytes through, as a court's line on a bad day."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from tests.support.peers.line_relay import Ends, LineRelay

PIECE = 4096


class NarrowLine(LineRelay):
    """Carries every connection to `port`; what comes from there passes at `bytes_per_s`, None for as fast as it comes.

    It holds nothing itself, so that who sends is held up at once.
    """

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.bytes_per_s: float | None = None
        self.carried = 0
        """Bytes that came through so far."""

    async def _open(self) -> Ends:
        upstream = socket.socket()
        try:
            upstream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PIECE)
            upstream.setblocking(False)
            await asyncio.get_running_loop().sock_connect(upstream, ("127.0.0.1", self._port))
            return await asyncio.open_connection(sock=upstream, limit=PIECE)
        except BaseException:
            upstream.close()
            raise

    async def _serve(self, down: Ends, up: Ends) -> None:
        await self._until_one_ends(self._pump(down[0], up[1], narrow=False), self._pump(up[0], down[1], narrow=True))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, narrow: bool) -> None:
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(PIECE if narrow else 65536):
                writer.write(piece)
                await writer.drain()
                if narrow:
                    self.carried += len(piece)
                    if self.bytes_per_s is not None:
                        await asyncio.sleep(len(piece) / self.bytes_per_s)  # the line's own slowness
