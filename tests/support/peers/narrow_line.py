"""A line between a browser and its server that lets few bytes through, as a court's line on a bad day."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

PIECE = 4096


class NarrowLine:
    """Carries every connection to `port`; what comes from there passes at `bytes_per_s`, None for as fast as it comes.

    It holds nothing itself, so that who sends is held up at once.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._tasks: set[asyncio.Task[None]] = set()
        self.bytes_per_s: float | None = None
        self.carried = 0
        """Bytes that came through so far."""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        """Yields the port of the line."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream = socket.socket()
        upstream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PIECE)
        upstream.setblocking(False)
        await asyncio.get_running_loop().sock_connect(upstream, ("127.0.0.1", self._port))
        up_reader, up_writer = await asyncio.open_connection(sock=upstream, limit=PIECE)
        pumps = {
            asyncio.create_task(self._pump(reader, up_writer, narrow=False)),
            asyncio.create_task(self._pump(up_reader, writer, narrow=True)),
        }
        self._tasks |= pumps
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for one in (up_writer, writer):
            one.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, narrow: bool) -> None:
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(PIECE if narrow else 65536):
                writer.write(piece)
                await writer.drain()
                if narrow:
                    self.carried += len(piece)
                    if self.bytes_per_s is not None:
                        await asyncio.sleep(len(piece) / self.bytes_per_s)  # the line's own slowness
