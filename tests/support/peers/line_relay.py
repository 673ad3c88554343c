"""A line between clients and a server that does to what passes whatever its heirs do."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine


class LineRelay:
    """Carries every connection to `port`; `_serve` is called for each, and when it returns both ends break off."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._served: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        """Yields the port of the line."""
        server = await asyncio.start_server(self._begin, "127.0.0.1", 0)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()
            for task in self._served:
                task.cancel()
            await asyncio.gather(*self._served, return_exceptions=True)

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A task of ours, not of the server's, which forgets it: the line ends when all that it carries has ended.
        task = asyncio.create_task(self._connect(reader, writer))
        self._served.add(task)
        task.add_done_callback(self._served.discard)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = [writer]
        try:
            with contextlib.suppress(OSError):  # nobody is there, or one of the two is gone
                up_reader, up_writer = await self._open()
                ends.append(up_writer)
                await self._serve((reader, writer), (up_reader, up_writer))
        finally:
            for end in ends:
                end.transport.abort()

    async def _open(self) -> Ends:
        """The connection to the server."""
        return await asyncio.open_connection("127.0.0.1", self._port)

    async def _serve(self, down: Ends, up: Ends) -> None:
        """Until it returns bytes pass between the client and the server."""
        raise NotImplementedError

    @staticmethod
    async def _until_one_ends(*pumps: Coroutine[None, None, None]) -> None:
        tasks = [asyncio.create_task(pump) for pump in pumps]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
"""Where one side is heard, and where it is spoken to."""
