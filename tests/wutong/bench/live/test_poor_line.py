"""The line of `--network poor`: slow, uneven and with losses, but all comes, in order; and it can stand still."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.support.peers.center_peers import until
from wutong.bench.live.poor_line import HELD_PACKETS, PACKET, LineQuality, PoorLine

LOSSY = LineQuality(bits_per_s=1e9, delay_s=0.002, jitter_s=0.002, loss=0.5, again_s=0.005)
STEADY = LineQuality(bits_per_s=1e9, delay_s=0, jitter_s=0, loss=0)
SAID = bytes(n % 251 for n in range(200_000))


class Peer:
    """A server that says all of `SAID` to whoever asks, and counts what it could."""

    def __init__(self) -> None:
        self.said = 0
        self.asked = b""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            self.asked += await reader.readexactly(3)
            while True:
                for at in range(0, len(SAID), 1000):
                    writer.write(SAID[at : at + 1000])
                    await writer.drain()
                    self.said += 1000


@contextlib.asynccontextmanager
async def over(quality: LineQuality) -> AsyncIterator[tuple[Peer, PoorLine, asyncio.StreamReader]]:
    """Somebody who has asked a peer for what it says, by a line."""
    peer = Peer()
    server = await asyncio.start_server(peer, "127.0.0.1", 0)
    line = PoorLine(int(server.sockets[0].getsockname()[1]), quality)
    async with server, line.running() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"all")
        try:
            yield peer, line, reader
        finally:
            writer.transport.abort()


@pytest.mark.parametrize("quality", [LOSSY, STEADY], ids=["lossy", "steady"])
async def test_all_comes_and_in_order(quality: LineQuality) -> None:
    async with asyncio.timeout(60), over(quality) as (peer, line, reader):
        assert await reader.readexactly(len(SAID)) == SAID
        assert peer.asked == b"all"
        assert line.down.bytes >= len(SAID)


async def test_a_line_that_stands_still_holds_little_and_loses_nothing() -> None:
    async with asyncio.timeout(60), over(STEADY) as (peer, line, reader):
        got = await reader.readexactly(10_000)
        line.stand_still()
        came = line.down.bytes
        # Whoever sends goes on until the line and the systems take no more: then it is held up.
        most = 0
        while peer.said > most:
            most = peer.said
            await asyncio.sleep(0.2)
        assert line.down.bytes - came <= HELD_PACKETS * PACKET
        line.go_on()
        got += await reader.readexactly(len(SAID) - len(got))
        assert got == SAID
        await until(lambda: peer.said > most)


def test_a_packet_takes_what_the_line_is_said_to_take() -> None:
    line = PoorLine(1, LineQuality(bits_per_s=1e6, delay_s=0.05, jitter_s=0.03, loss=0.01, again_s=0.2))
    took = sorted(line._takes_s() for _ in range(20_000))
    on_time = [one for one in took if one < 0.1]
    assert 0.02 <= on_time[0] < 0.021
    assert 0.079 < on_time[-1] <= 0.08
    assert 0.005 < (len(took) - len(on_time)) / len(took) < 0.015
    assert 0.22 <= took[len(on_time)] <= took[-1] <= 0.28
