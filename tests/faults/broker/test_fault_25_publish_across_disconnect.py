"""Fault 25: the broker goes while somebody waits for a publish, or publishes from a callback. Nothing waits for ever.

Lost: what was under way when the connection ended, at this layer; the outbox says its events again.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sync import topics
from sync.broker_address import Will
from sync.mqtt import MqttConnection
from tests.support.peers.uplink_peers import PREFIX, CenterPeer, Mosquitto, until
from tests.support.ports import free_port
from tests.support.rooms.uplink_room import UplinkRoom

STATUS, EVENTS, DEMAND = (f"{PREFIX}/{one}" for one in (topics.STATUS, topics.EVENTS, topics.DEMAND))


@pytest.mark.parametrize("after", ["frozen", "killed", "killed-and-back"])
async def test_a_goodbye_ends_whatever_becomes_of_the_broker(broker: Mosquitto, after: str) -> None:
    """`stop` waits for the acknowledgment of the last status."""
    room = MqttConnection(broker.address(), will=Will(STATUS, topics.offline("run")))
    room.start()
    await until(lambda: room.connected)
    broker.freeze()
    while room.publish(EVENTS, bytes(1 << 20), qos=1):
        pass  # what waits is more than the sockets take
    stopping = asyncio.create_task(room.stop())
    await asyncio.sleep(0)
    if after != "frozen":
        broker.kill()
    if after == "killed-and-back":
        broker.start()
    async with asyncio.timeout(60):
        await stopping
    assert not room.connected


async def test_publishing_from_every_callback_while_the_broker_comes_and_goes_blocks_nobody(broker: Mosquitto) -> None:
    room, center = MqttConnection(broker.address()), MqttConnection(broker.address(broker.center))
    heard: list[bytes] = []
    echoes: list[bool] = []

    def echo(payload: bytes) -> None:
        heard.append(payload)
        echoes.append(room.publish(EVENTS, payload, qos=1))

    room.subscribe(DEMAND, 1, echo)
    room.on_link(lambda up: echoes.extend(room.publish(STATUS, b"up" if up else b"down", qos=1) for _ in range(200)))
    answered: list[bytes] = []
    center.subscribe_any(
        [(EVENTS, 1), (STATUS, 1)],
        lambda topic, payload: answered.append(payload) if topic == EVENTS else None,
    )

    async def asked(what: bytes) -> None:
        """Until it was answered; the broker may not know yet who has subscribed."""

        while what not in answered:
            center.publish(DEMAND, what, qos=1)
            await asyncio.sleep(0.05)

    room.start()
    center.start()
    try:
        for turn in range(3):
            await until(lambda: room.connected and center.connected, 60)
            for number in range(100):
                center.publish(DEMAND, b"%d/%d" % (turn, number), qos=1)
            await asked(b"turn %d" % turn)
            broker.kill()
            room.publish(EVENTS, b"into the void", qos=1)
            broker.start()
        await until(lambda: room.connected and center.connected, 60)
        await asked(b"last")
        await until(lambda: room.backlog_bytes == 0, 60)
    finally:
        async with asyncio.timeout(60):
            await room.stop()
            await center.stop()


async def test_an_uplink_ends_in_good_order_while_the_broker_does_not_answer_and_keeps_its_events(
    broker: Mosquitto, tmp_path: Path
) -> None:
    room = UplinkRoom(tmp_path / "room", broker, f"http://127.0.0.1:{free_port()}")
    async with room.open():
        receiver = CenterPeer(broker)
        room.start()
        await room.online()
        first = room.mark()
        await until(lambda: room.log.pending_count() == 0, 60)
        broker.freeze()
        second = room.mark("x" * 100_000)
        assert await room.stop() == 0
        broker.kill()
        broker.start()
        room.start()
        await until(lambda: room.log.pending_count() == 0, 60)
        assert set(receiver.events) == {first, second}
        receiver.stop()
