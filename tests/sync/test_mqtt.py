"""The connection to a broker, which rooms and center share: everything in order, and a defect costs one message."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sync import mqtt, topics
from sync.broker_address import BrokerAddress, Will
from sync.broker_client import unguessable_client_id
from sync.mqtt import MAX_BACKLOG_BYTES, MqttConnection
from sync.runtime.bounds.fair_inbox import MOST_BYTES
from sync.runtime.bounds.message_size import MAX_MESSAGE_BYTES
from tests.support.peers.uplink_peers import PREFIX, Mosquitto, until
from tests.support.ports import free_port


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

    def take(topic: str, payload: bytes) -> None:
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


async def test_the_machines_of_a_broker_are_tried_in_turn_and_who_loses_one_goes_to_the_next(tmp_path: Path) -> None:
    first, second = Mosquitto(tmp_path / "a"), Mosquitto(tmp_path / "b")
    account = first.center
    second.start()
    # The second takes none of the first one's accounts: it refuses, and that is no end either.
    line = MqttConnection(
        BrokerAddress.of(
            [("127.0.0.1", second.port), ("127.0.0.1", free_port()), ("127.0.0.1", first.port)],
            "line",
            username=account.username,
            password=account.password_file.read_text(),
        )
    )
    line.reconnect_after(1, 1)
    line.subscribe(f"{PREFIX}/{topics.RECEIPTS}", 1, lambda payload: None)
    line.subscribe_any([(topics.of_room("+/+/events"), 1)], lambda topic, payload: None)
    assert {qos for _, qos in line._filters} == {0}, "several machines would have to agree about each topic first"
    links: list[bool] = []
    line.on_link(links.append)
    line.start()
    try:
        await until(lambda: line.why != "")
        first.start()
        await until(lambda: line.connected)
        assert line.place == ("127.0.0.1", first.port)
        first.kill()
        await until(lambda: line.place == ("127.0.0.1", second.port))
        first.start()
        await until(lambda: line.connected)
        assert line.place == ("127.0.0.1", first.port)
        assert links == [True, False, True]
    finally:
        await line.stop()
        first.kill()
        second.kill()


async def test_what_comes_faster_than_it_is_handled_is_dropped_and_counted(broker: Mosquitto) -> None:
    connection = MqttConnection(broker.address())
    got: list[tuple[str, int]] = []
    everything = asyncio.Event()

    class Message:
        def __init__(self, topic: str, payload: bytes) -> None:
            self.topic, self.payload = topic, payload

    def take(topic: str, payload: bytes) -> None:
        got.append((topic, len(payload)))
        if topic == "honest/9":
            everything.set()

    connection.subscribe_any([("#", 0)], take, sender_of=lambda topic: topic.split("/")[0])
    connection._loop = asyncio.get_running_loop()
    for number in range(6):
        connection._paho_message(None, None, Message(f"flood/{number}", bytes(MOST_BYTES // 4)))
    for number in range(10):
        connection._paho_message(None, None, Message(f"honest/{number}", b"1"))
    assert connection.dropped == 3, "who floods loses its own"
    async with asyncio.timeout(10):
        await everything.wait()
    honest = [topic for topic, _ in got if topic.startswith("honest")]
    assert honest == [f"honest/{n}" for n in range(10)]
    assert got.index(("honest/9", 1)) <= 10, "one message of the other's stood before it"
    connection._paho_message(None, None, Message("flood/6", b"1"))
    assert connection.dropped == 3, "what was handled makes room"


async def test_the_loop_is_let_go_between_turns(broker: Mosquitto) -> None:
    connection = MqttConnection(broker.address())
    handled: list[int] = []
    seen: list[int] = []
    done = asyncio.Event()

    class Message:
        topic, payload = "x", b""

    def take(topic: str, payload: bytes) -> None:
        handled.append(1)
        if len(handled) == 1000:
            done.set()

    async def other() -> None:
        while not done.is_set():
            seen.append(len(handled))
            await asyncio.sleep(0)

    connection.subscribe_any([("#", 0)], take)
    connection._loop = asyncio.get_running_loop()
    for _ in range(1000):
        connection._paho_message(None, None, Message)
    async with asyncio.timeout(10):
        await other()
    steps = [b - a for a, b in itertools.pairwise(seen)]
    assert max(steps) <= 129, "everybody else has a turn after each 128 KiB"


async def test_a_clean_goodbye_says_what_the_will_would_have_said(broker: Mosquitto) -> None:
    said: list[bytes] = []
    status = f"{PREFIX}/{topics.STATUS}"
    center = MqttConnection(broker.address(broker.center))
    center.subscribe_any([(status, 1)], lambda _, payload: said.append(payload))
    center.start()
    room = MqttConnection(broker.address(), will=Will(status, topics.offline("run")))
    room.start()
    await until(lambda: room.connected and center.connected)
    await room.stop()
    await until(lambda: said)
    assert said == [topics.offline("run")]
    await center.stop()


def test_topics_of_rooms_are_told_from_others() -> None:
    assert topics.split(f"{topics.of_room('a/b')}/{topics.live('bench', topics.INIT)}") == ("a/b", "live/bench/init")
    assert topics.split("court/v1/a/b") is None
    assert topics.split("") is None


async def test_what_no_broker_takes_is_refused_and_counted_and_the_connection_stays(broker: Mosquitto) -> None:
    room, center = MqttConnection(broker.address()), MqttConnection(broker.address(broker.center))
    got: list[int] = []
    links: list[bool] = []
    topic = f"{PREFIX}/{topics.EVENTS}"
    center.subscribe_any([(topic, 1)], lambda _, payload: got.append(len(payload)))
    room.on_link(links.append)
    center.start()
    room.start()
    try:
        await until(lambda: room.connected and center.connected)
        for qos in (0, 1):
            assert not room.publish(topic, bytes(MAX_MESSAGE_BYTES + 1), qos=qos)
            assert room.publish(topic, bytes(MAX_MESSAGE_BYTES), qos=qos)
        assert room.publish(topic, b"after", qos=1)
        await until(lambda: len(got) == 3)
        assert got == [MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES, 5], "the largest passes the broker's own limit"
        assert room.too_large == 2
        assert links == [True]
    finally:
        await room.stop()
        await center.stop()


async def test_nothing_of_the_connection_before_is_said_in_the_next(broker: Mosquitto) -> None:
    room, center = MqttConnection(broker.address()), MqttConnection(broker.address(broker.center))
    got: list[bytes] = []
    topic = f"{PREFIX}/{topics.EVENTS}"
    center.subscribe_any([(topic, 1)], lambda _, payload: got.append(payload))
    room.start()
    try:
        await until(lambda: room.connected)
        broker.freeze()
        for number in range(200):  # more than may be under way at a time: the others wait in this process
            assert room.publish(topic, b"old %d" % number, qos=1)
        assert room.backlog_bytes > 0
        broker.kill()
        await until(lambda: not room.connected)
        assert room.backlog_bytes == 0
        broker.start()
        center.start()
        await until(lambda: room.connected and center.connected)
        assert room.publish(topic, b"new", qos=1)
        await until(lambda: got)
        assert got == [b"new"]
    finally:
        await room.stop()
        await center.stop()


async def test_what_waits_for_a_broker_that_takes_nothing_is_bounded(broker: Mosquitto) -> None:
    room = MqttConnection(broker.address())
    room.start()
    await until(lambda: room.connected)
    broker.freeze()
    piece = bytes(1024 * 1024)
    taken = sum(room.publish(f"{PREFIX}/{topics.EVENTS}", piece, qos=1) for _ in range(64))
    assert taken == MAX_BACKLOG_BYTES // len(piece)
    assert room.backlog_bytes <= MAX_BACKLOG_BYTES
    async with asyncio.timeout(10):
        await room.stop()
    broker.thaw()


async def test_after_a_long_standstill_the_old_connection_is_not_believed(
    broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a machine that was suspended for an hour: what waited in its sockets is an hour old."""
    room, center = MqttConnection(broker.address()), MqttConnection(broker.address(broker.center))
    got: list[bytes] = []
    links: list[bool] = []
    topic = f"{PREFIX}/{topics.EVENTS}"
    center.subscribe_any([(topic, 1)], lambda _, payload: got.append(payload))
    center.on_link(links.append)
    center.start()
    room.start()
    try:
        await until(lambda: room.connected and center.connected)
        boot_s = mqtt._boot_s
        monkeypatch.setattr(mqtt, "_boot_s", lambda: boot_s() + 3600)
        assert room.publish(topic, b"an hour ago", qos=1)
        await until(lambda: links == [True, False, True])
        await until(lambda: room.connected)
        assert room.publish(topic, b"now", qos=1)
        await until(lambda: b"now" in got)
        assert got == [b"now"]
    finally:
        await room.stop()
        await center.stop()


async def test_topics_that_come_and_go_while_a_connection_comes_up_are_asked_for_then(
    broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The topics were asked for, and nobody was told yet that it is connected."""
    center, room = MqttConnection(broker.address(broker.center)), MqttConnection(broker.address())
    got: list[str] = []
    center.subscribe_any([], lambda topic, payload: got.append(topic))
    names = [f"{PREFIX}/{name}" for name in (topics.STATUS, topics.EVENTS, topics.CAPTION)]
    left, found, last = names
    center.follow({left: 1, last: 1})
    up = center._up

    def changed_meanwhile(followed: Any) -> None:
        assert not center.connected
        center.follow({found: 1})
        center.unfollow([left])
        up(followed)

    monkeypatch.setattr(center, "_up", changed_meanwhile)
    center.start()
    room.start()
    try:
        await until(lambda: room.connected and center.connected and not center._asked)
        for name in names:
            assert room.publish(name, b"x", qos=1)
        await until(lambda: last in got)
        assert got == [found, last]
        center._subscribe_again([(left, 1)], center._connects)  # refused before, and wanted no more
        assert not center._asked
    finally:
        await room.stop()
        await center.stop()


async def test_topics_are_heard_and_left_while_connected_and_are_the_same_after_a_new_connection(
    broker: Mosquitto,
) -> None:
    room = MqttConnection(broker.address())
    center = MqttConnection(broker.address(broker.center))
    got: list[tuple[str, bytes]] = []
    center.subscribe_any([], lambda topic, payload: got.append((topic.rpartition("/")[2], payload)))
    events, status = f"{PREFIX}/{topics.EVENTS}", f"{PREFIX}/{topics.STATUS}"
    center.follow({events: 1})  # before it is connected
    center.start()
    room.start()

    async def say(until_heard: bytes) -> None:
        """Both topics, until the one that is certain to be heard has come."""
        assert room.publish(status, until_heard, qos=1)
        assert room.publish(events, until_heard, qos=1)
        await until(lambda: (topics.EVENTS, until_heard) in got)

    try:
        await until(lambda: room.connected and center.connected)
        await say(b"1")
        center.follow({status: 1, **{f"{PREFIX}/live/{number}/init": 0 for number in range(mqtt.MOST_FILTERS)}})
        await say(b"2")
        await until(lambda: (topics.STATUS, b"2") in got)
        broker.kill()
        await until(lambda: not room.connected and not center.connected)
        broker.start()
        await until(lambda: room.connected and center.connected)
        await say(b"3")
        await until(lambda: (topics.STATUS, b"3") in got)
        center.unfollow([status])
        await say(b"4")
        await say(b"5")
        assert (topics.STATUS, b"1") not in got
        assert (topics.STATUS, b"5") not in got
        assert len(got) == len(set(got)), "nothing comes twice"
    finally:
        await room.stop()
        await center.stop()


def test_an_id_that_is_made_is_another_one_each_time_and_cannot_be_guessed() -> None:
    made = {unguessable_client_id("room-a-b") for _ in range(100)}
    assert len(made) == 100
    assert all(one.startswith("room-a-b-") and len(one) == len("room-a-b-") + 32 for one in made)


async def test_topics_that_the_broker_did_not_take_are_asked_for_again_until_it_does(
    broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one may that takes the connection while its store is not there yet."""
    monkeypatch.setattr(mqtt, "SUBSCRIBE_AGAIN_S", 0.05)
    center, room = MqttConnection(broker.address(broker.center)), MqttConnection(broker.address())
    got: list[bytes] = []
    room.subscribe(f"{PREFIX}/{topics.RECEIPTS}", 1, got.append)
    room.subscribe(f"{PREFIX}/{topics.DOCKET}", 1, got.append)
    asked: list[list[tuple[str, int]]] = []
    subscribe, answered = room._client.subscribe, room._paho_subscribe

    def noted(filters: list[tuple[str, int]]) -> Any:
        asked.append(filters)
        return subscribe(filters)

    def refusing(client: Any, userdata: Any, mid: int, reasons: list[Any], properties: Any) -> None:
        class Refused:
            is_failure = True

        refused = [Refused()] if len(asked) < 3 else reasons[-1:]
        answered(client, userdata, mid, [*reasons[:-1], *refused], properties)

    monkeypatch.setattr(room._client, "subscribe", noted)
    room._client.on_subscribe = refusing
    center.start()
    room.start()
    try:
        await until(lambda: len(asked) == 3 and not room._asked and center.connected)
        docket = (f"{PREFIX}/{topics.DOCKET}", 1)
        assert asked == [[(f"{PREFIX}/{topics.RECEIPTS}", 1), docket], [docket], [docket]]
        assert center.publish(f"{PREFIX}/{topics.DOCKET}", b"docket", qos=1)
        await until(lambda: got == [b"docket"])
        assert room.connected
    finally:
        await room.stop()
        await center.stop()


async def test_what_has_left_is_counted_at_once_and_once() -> None:
    connection = MqttConnection(BrokerAddress("127.0.0.1", 1, "x"))
    connection._outstanding.update({1: 10, 2: 20, 3: 30})
    connection.backlog_bytes = 60
    for mid in (1, 2, 2, 9):  # of one that was counted, or that nobody knows, nothing is taken off
        connection._paho_publish(None, None, mid, None, None)
    assert (connection.backlog_bytes, connection._outstanding) == (30, {3: 30})
    connection._paho_publish(None, None, 3, None, None)
    assert connection.backlog_bytes == 0
