"""A line to a broker that delivers QoS 1 as the standard lets it: twice, late, and in another order.

It knows packets of MQTT 3.1.1 and nothing of what is in them. What is published with QoS 1 is held until there are
`HELD` or nothing came for `IDLE_S`, then goes on in an order that chance gives, each once or twice; everything else
goes on at once. It does so in both directions.
"""

from __future__ import annotations

import asyncio
import random

from tests.support.peers.line_relay import Ends, LineRelay

HELD = 5
IDLE_S = 0.03
PUBLISH = 3
DUPLICATE = 0x08


class MqttRelay(LineRelay):
    """Between clients and the broker at `port`."""

    def __init__(self, port: int, seed: int) -> None:
        super().__init__(port)
        self._random = random.Random(seed)
        self.carried = 0
        """Messages of QoS 1 that came."""
        self.doubled = 0
        self.moved = 0
        """Messages that overtook another."""

    async def _serve(self, down: Ends, up: Ends) -> None:
        await self._until_one_ends(self._pump(down[0], up[1]), self._pump(up[0], down[1]))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held: list[bytes] = []
        reading = asyncio.create_task(_packet(reader))
        try:
            while True:
                done, _ = await asyncio.wait([reading], timeout=IDLE_S if held else None)
                if not done:
                    self._release(held, writer)
                    continue
                packet = reading.result()
                reading = asyncio.create_task(_packet(reader))
                if packet[0] >> 4 == PUBLISH and packet[0] >> 1 & 3 == 1:
                    self.carried += 1
                    held.append(packet)
                    if len(held) >= HELD:
                        self._release(held, writer)
                else:
                    writer.write(packet)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    def _release(self, held: list[bytes], writer: asyncio.StreamWriter) -> None:
        order = list(range(len(held)))
        self._random.shuffle(order)
        self.moved += sum(place != at for at, place in enumerate(order))
        twice = [place for place in order if self._random.random() < 0.5]
        self.doubled += len(twice)
        for place in order:
            writer.write(held[place])
        for place in twice:
            writer.write(bytes([held[place][0] | DUPLICATE]) + held[place][1:])
        held.clear()


async def _packet(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(1)
    length = shift = 0
    while True:
        one = await reader.readexactly(1)
        head += one
        length |= (one[0] & 0x7F) << shift
        shift += 7
        if not one[0] & 0x80:
            return head + await reader.readexactly(length)
