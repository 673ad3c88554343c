"""A line between pages and their server as a court has it on a bad day: slow, uneven, with losses; it may stand still.

It carries real TCP connections. The system's own `tc` would do it to everything on the machine's loopback, the broker
and the room included, and is for who may do that; this is for the page alone, and for everybody. A piece of `PACKET`
bytes leaves when the line is free, and comes after the delay of its moment. TCP loses nothing: what a packet's loss
means to those above it is that it comes by one retransmission later, and with it all that was sent behind it. Both ways
are alike, and all connections share them. The line holds little itself, so that whoever sends too much is held up.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field

PACKET = 1448
HELD_PACKETS = 64
"""On its way, or waiting in the line: more is not taken from who sends."""
ROUTER_S = 0.1
"""So far ahead of what has left the line takes what comes."""


@dataclass(frozen=True, slots=True)
class LineQuality:
    """How a line carries, in each direction."""

    bits_per_s: float
    delay_s: float
    jitter_s: float
    """A packet takes the delay, more or less this."""
    loss: float
    """Of packets, parts of one."""
    again_s: float = 0.2
    """From the loss of a packet until it comes at last, beyond its delay."""


POOR = LineQuality(bits_per_s=2e6, delay_s=0.05, jitter_s=0.03, loss=0.01)


@dataclass
class _Way:
    """One direction of the line, shared by all connections."""

    free_s: float = 0.0
    """When the last packet that it took has left it."""
    bytes: int = 0
    """Which came out so far."""


@dataclass
class PoorLine:
    """Carries every connection to `port` of this machine. All methods belong to one event loop."""

    port: int
    quality: LineQuality = POOR
    seed: int = 1
    """Of what is left to chance."""
    down: _Way = field(default_factory=_Way)
    """From the server."""
    up: _Way = field(default_factory=_Way)
    _flows: asyncio.Event = field(default_factory=asyncio.Event)
    _served: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._flows.set()
        self._chance = random.Random(self.seed)  # noqa: S311 - a line's whims, no secret

    def stand_still(self) -> None:
        """Nothing comes out any more, on either side, and neither is told."""
        self._flows.clear()

    def go_on(self) -> None:
        """What was on its way comes now."""
        self._flows.set()

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
                await asyncio.sleep(2 * self.quality.delay_s)  # the handshake
                up_reader, up_writer = await self._reach()
                ends.append(up_writer)
                await _until_one_ends(
                    self._carry(reader, up_writer, self.up), self._carry(up_reader, writer, self.down)
                )
        finally:
            for end in ends:
                end.transport.abort()

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        upstream = socket.socket()
        try:
            upstream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * PACKET)
            upstream.setblocking(False)
            await asyncio.get_running_loop().sock_connect(upstream, ("127.0.0.1", self.port))
            return await asyncio.open_connection(sock=upstream, limit=4 * PACKET)
        except BaseException:
            upstream.close()
            raise

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: _Way) -> None:
        packets: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(HELD_PACKETS)
        await _until_one_ends(self._take(reader, packets, way), self._give(writer, packets, way))

    async def _take(self, reader: asyncio.StreamReader, packets: asyncio.Queue[tuple[float, bytes]], way: _Way) -> None:
        now_s = asyncio.get_running_loop().time
        comes_s = 0.0
        while packet := await reader.read(PACKET):
            way.free_s = max(way.free_s, now_s()) + len(packet) * 8 / self.quality.bits_per_s
            comes_s = max(comes_s, way.free_s + self._takes_s())  # in order
            await packets.put((comes_s, packet))
            await asyncio.sleep(max(0.0, way.free_s - ROUTER_S - now_s()))
        await packets.put((comes_s, b""))
        await packets.join()

    def _takes_s(self) -> float:
        quality = self.quality
        lost = self._chance.random() < quality.loss
        jitter_s = self._chance.uniform(-quality.jitter_s, quality.jitter_s)
        return quality.delay_s + jitter_s + (quality.again_s if lost else 0.0)

    async def _give(self, writer: asyncio.StreamWriter, packets: asyncio.Queue[tuple[float, bytes]], way: _Way) -> None:
        now_s = asyncio.get_running_loop().time
        while True:
            comes_s, packet = await packets.get()
            await asyncio.sleep(max(0.0, comes_s - now_s()))
            await self._flows.wait()
            writer.write(packet)
            await writer.drain()
            way.bytes += len(packet)
            packets.task_done()


async def _until_one_ends(*ways: Coroutine[None, None, None]) -> None:
    tasks = [asyncio.create_task(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
