"""Fault 24: nobody is shown a picture of hours ago as live: not by a broker that keeps sessions, not by a service that
stood still. (A camera that stopped: `tests/sync/media/test_gop_cache.py`. A connection of hours ago:
`tests/sync/test_mqtt.py`.)

Lost: live pictures of the time in which one of them was away.
"""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from tests.support.peers.center_process import BENCH, CenterProcess, shows
from tests.support.peers.uplink_peers import Mosquitto, until
from tests.support.rooms.uplink_room import UplinkRoom

KEEPING = ("persistence true", "queue_qos0_messages true", "persistent_client_expiration 1m")


async def test_a_broker_that_keeps_sessions_replays_nothing_to_a_center_that_was_away(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path / "broker", more=(*KEEPING, f"persistence_location {tmp_path}/"))
    broker.start()
    center = CenterProcess(tmp_path, broker)
    try:
        await center.enroll()
        await center.start()
        made = UplinkRoom(tmp_path / "room", broker, center.served.url)
        async with made.open(center.key) as room:
            room.begin()
            room.start()
            await room.online()
            async with center.watching("bench") as tab:
                await until(lambda: room.link.get("watched") == ["bench"], 60)
                room.fragment(key=True)
                await until(lambda: tab.sequences(BENCH), 60)
            center.kill()
            while_away = [room.fragment(10_000) for _ in range(300)]
            room.begin()
            await center.start()
            async with center.watching("bench") as tab:
                await shows(tab)
                await until(lambda: room.link.get("watched") == ["bench"], 60)
                newest = room.fragment(key=True)
                await until(lambda: newest in tab.sequences(BENCH), 60)
                assert not set(tab.sequences(BENCH)) & set(while_away)
    finally:
        center.kill()
        broker.kill()


async def test_an_uplink_that_stood_still_publishes_nothing_of_then(
    broker: Mosquitto, center: CenterProcess, room: UplinkRoom
) -> None:
    """What waits in its sockets was recorded half an hour ago."""
    async with center.watching("bench") as tab:
        await until(lambda: room.link.get("watched") == ["bench"], 60)
        room.fragment(key=True)
        await until(lambda: tab.sequences(BENCH), 60)
        os.kill(room.pid, signal.SIGSTOP)
        old = [room.fragment(10_000, age_s=1800 - n / 10) for n in range(300)]
        await asyncio.sleep(0)
        os.kill(room.pid, signal.SIGCONT)
        newest = room.fragment(key=True)
        await until(lambda: newest in tab.sequences(BENCH), 60)
        assert not set(tab.sequences(BENCH)) & set(old)
