"""Fault 23: a subscriber stalls: the center itself stands still for a time, a room stops reading its socket.

Lost: pictures of the time in which the center stood still; what it shows afterwards is the newest. No other room is
held up, the broker's memory is bounded, and no event is lost.
"""

from __future__ import annotations

import asyncio
import socket
import struct

import psutil

from sync import topics
from sync.mqtt import MqttConnection
from tests.support.peers.center_process import BENCH, CenterProcess, shows
from tests.support.peers.uplink_peers import PREFIX, Mosquitto, until
from tests.support.rooms.uplink_room import UplinkRoom

HONEST = f"{PREFIX}/{topics.RECEIPTS}"
OTHER = topics.of_room("jianshan/c04")
BROKER_BYTES = 300 << 20
"""What the broker may have altogether, with what it is made of."""


async def test_a_center_that_stands_still_holds_up_no_room_and_then_shows_the_newest(
    broker: Mosquitto, center: CenterProcess, room: UplinkRoom
) -> None:
    numbers = [room.opens()]
    other = MqttConnection(broker.address(broker.other))
    other.start()
    try:
        async with center.watching("bench") as tab:
            await shows(tab)
            await until(lambda: room.link.get("watched") == ["bench"], 60)
            room.fragment(key=True)
            await until(lambda: tab.sequences(BENCH), 60)
            await until(lambda: other.connected and room.log.pending_count() == 0, 60)

            center.freeze()
            numbers += [room.mark() for _ in range(100)]
            for n in range(600):  # 90 MB, a minute and a half of a camera, and as much of another room
                room.fragment(150_000)
                if n % 20 == 0:
                    await until(lambda: other.backlog_bytes == 0, 60)  # the broker takes it all the while
                    for _ in range(20):
                        assert other.publish(f"{OTHER}/{topics.live('bench', topics.FRAGMENT)}", bytes(150_000))
            await until(lambda: other.backlog_bytes == 0, 60)
            assert other.connected
            assert psutil.Process(broker.pid).memory_info().rss < BROKER_BYTES
            come = len(tab.media)
            center.thaw()

            newest = room.fragment(key=True)
            await until(lambda: newest in tab.sequences(BENCH), 60)
            shown = [one.sequence for _, one in tab.media[come:]]
            assert shown == sorted(shown)
            await until(lambda: room.log.pending_count() == 0, 60)
            assert center.stored() == numbers
    finally:
        await other.stop()


def _subscribed(broker: Mosquitto, topic: str) -> socket.socket:
    """The line of a room's account that subscribes and then reads nothing any more."""

    def text(value: str) -> bytes:
        return struct.pack(">H", len(value.encode())) + value.encode()

    def packet(kind: int, content: bytes) -> bytes:
        assert len(content) < 128
        return bytes((kind, len(content))) + content

    account = broker.address(broker.other)
    line = socket.create_connection(("127.0.0.1", broker.port), timeout=30)
    who = text(account.client_id) + text(account.username) + text(account.password)
    line.sendall(packet(0x10, text("MQTT") + b"\x04\xc2" + struct.pack(">H", 120) + who))
    assert line.recv(4) == b"\x20\x02\x00\x00"
    line.sendall(packet(0x82, b"\x00\x01" + text(topic) + b"\x01"))
    assert line.recv(5) == b"\x90\x03\x00\x01\x01"
    return line


async def test_a_room_that_reads_nothing_costs_no_other_and_the_broker_a_bounded_memory(broker: Mosquitto) -> None:
    stalled = await asyncio.to_thread(_subscribed, broker, f"{OTHER}/{topics.RECEIPTS}")
    flood = MqttConnection(broker.address(broker.center), max_queued_messages=4096)
    flood.start()
    honest = MqttConnection(broker.address())
    got: list[bytes] = []
    honest.subscribe(HONEST, 1, got.append)
    honest.start()
    try:
        await until(lambda: flood.connected and honest.connected)
        for _ in range(128):
            while not flood.publish(f"{OTHER}/{topics.RECEIPTS}", bytes(1 << 20), qos=1):
                await asyncio.sleep(0.02)
        await until(lambda: flood.backlog_bytes == 0, 60)
        assert psutil.Process(broker.pid).memory_info().rss < BROKER_BYTES
        assert flood.publish(HONEST, b"to another room", qos=1)
        await until(lambda: got == [b"to another room"], 60)
    finally:
        await flood.stop()
        await honest.stop()
        stalled.close()
