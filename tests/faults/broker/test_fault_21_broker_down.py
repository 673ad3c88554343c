"""Fault 21: the broker is down for hours, by volume: a thousand events and a quarter of an hour of two cameras come.

Lost: live pictures of the time without a broker. Events wait on disk, also while the uplink is killed meanwhile, and
each is stored once, in its order. What the uplink holds in memory does not grow with the time.
"""

from __future__ import annotations

import asyncio

import psutil

from tests.support.peers.center_process import BENCH, CenterProcess
from tests.support.peers.uplink_peers import Mosquitto, until
from tests.support.rooms.uplink_room import UplinkRoom

EVENTS = 1000
FRAGMENTS, FRAGMENT_BYTES = 3000, 60_000
GROWTH_BYTES = 48 << 20
"""Two tracks since their last key frames are 2 MB; the rest is the allocator's."""


async def a_quarter_of_an_hour(room: UplinkRoom) -> None:
    """Two cameras, as fast as the uplink takes them."""
    for track in ("bench", "aside"):
        room.begin(track)
    for number in range(FRAGMENTS):
        room.fragment(FRAGMENT_BYTES, track="bench" if number % 2 else "aside", key=number % 20 < 2)
        if number % 40 == 0:
            await asyncio.sleep(0.01)


async def test_hours_without_a_broker_cost_no_memory_and_no_event(
    broker: Mosquitto, center: CenterProcess, room: UplinkRoom
) -> None:
    numbers = [room.opens()]
    await until(lambda: room.log.pending_count() == 0, 60)
    async with center.watching("bench") as tab:
        room.fragment(key=True)
        await until(lambda: room.link.get("watched") == ["bench"], 60)
        broker.kill()
        await room.online(is_up=False)

        numbers += [room.mark() for _ in range(100)]
        await a_quarter_of_an_hour(room)
        before = psutil.Process(room.pid).memory_info().rss
        waiting = room.layout.log.stat().st_size
        for _ in range(2):
            numbers += [room.mark("x" * 500) for _ in range(EVENTS // 4)]
            await a_quarter_of_an_hour(room)
        assert psutil.Process(room.pid).memory_info().rss - before < GROWTH_BYTES
        assert room.log.pending_count() == len(numbers) - 1
        assert sum(path.stat().st_size for path in room.layout.log.parent.glob("room.db*")) > waiting

        room.kill()
        numbers += [room.mark() for _ in range(EVENTS // 2 - 100)]
        room.start()
        await until(lambda: room.link.get("pending_events") == len(numbers) - 1, 60)

        live = len(tab.media)
        broker.start()
        await room.online()
        await until(lambda: room.log.pending_count() == 0, 120)
        assert center.stored() == numbers, "each once, in their order"
        assert not tab.sequences(BENCH)[live:] or tab.sequences(BENCH)[-1] >= room.sequence, (
            "nothing of the past as live"
        )
