"""The connection to a broker, which rooms and center share: everything in order, and a defect costs one message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sync import topics
from sync.mqtt import MAX_INCOMING_BYTES, MqttConnection, Will
from tests.support.peers.uplink_peers import PREFIX, Mosquitto, until


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    broker = Mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.kill()


async def test_what_comes_is_handled_in_order_and_a_defect_costs_one_message(broker: Mosquitto) -> None:
    room = MqttConnection(broker.address())
    center = MqttConnection(broker.address(broker.center))
    got: list[bytes] = []

    def take(topic: str, payload: bytes, retained: bool) -> None:
        if payload == b"7":
            raise ValueError("a defect of whoever handles it")
        got.append(payload)

    links: list[bool] = []
    center.subscribe_any([(topics.of_room("+/+/events"), 1)], take)
    center.on_link(links.append)
    center.start()
    room.start()
    try:
        await until(lambda: room.connected and center.connected)
        for number in range(50):
            assert room.publish(f"{PREFIX}/{topics.EVENTS}", str(number).encode(), qos=1)
        await until(lambda: got and got[-1] == b"49")
        assert got == [str(number).encode() for number in range(50) if number != 7]
        assert center.failed == 1
        await until(lambda: room.backlog_bytes == 0)
        broker.kill()
        await until(lambda: not room.connected and not center.connected)
        assert not room.publish(f"{PREFIX}/{topics.EVENTS}", b"nothing is queued", qos=1)
        broker.start()
        await until(lambda: room.connected and center.connected)
        assert links == [True, False, True]
    finally:
        await room.stop()
        await center.stop()


async def test_what_comes_faster_than_it_is_handled_is_dropped_and_counted(broker: Mosquitto) -> None:
    connection = MqttConnection(broker.address())

    class Message:
        topic, retain, payload = "x", False, bytes(MAX_INCOMING_BYTES // 4)

    connection._loop = asyncio.get_running_loop()
    for _ in range(6):
        connection._paho_message(None, None, Message)
    assert connection.dropped == 2
    await asyncio.sleep(0)
    connection._paho_message(None, None, Message)
    assert connection.dropped == 2, "what was handled makes room"


async def test_a_clean_goodbye_says_what_the_will_would_have_said(broker: Mosquitto) -> None:
    said: list[tuple[bytes, bool]] = []
    status = f"{PREFIX}/{topics.STATUS}"
    center = MqttConnection(broker.address(broker.center))
    center.subscribe_any([(status, 1)], lambda _, payload, retained: said.append((payload, retained)))
    center.start()
    room = MqttConnection(broker.address(), will=Will(status, topics.OFFLINE))
    room.start()
    await until(lambda: room.connected and center.connected)
    await room.stop()
    await until(lambda: said)
    assert said == [(topics.OFFLINE, False)]
    await center.stop()


def test_topics_of_rooms_are_told_from_others() -> None:
    assert topics.split(f"{topics.of_room('a/b')}/{topics.live('bench', topics.INIT)}") == ("a/b", "live/bench/init")
    assert topics.split("court/v1/a/b") is None
    assert topics.split("") is None
