"""A line that carries everything, and, while it is frozen, nothing: neither end is told."""

from __future__ import annotations

import asyncio

from tests.support.peers.line_relay import Ends, LineRelay


class FrozenLine(LineRelay):
    """Frozen and let go by the test."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self._flows = asyncio.Event()
        self._flows.set()

    def freeze(self) -> None:
        self._flows.clear()

    def thaw(self) -> None:
        self._flows.set()

    async def _serve(self, down: Ends, up: Ends) -> None:
        await self._until_one_ends(self._pump(down[0], up[1]), self._pump(up[0], down[1]))

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            await self._flows.wait()
            sink.write(data)
            await sink.drain()
