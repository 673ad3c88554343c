"""Events reach the center once each, whatever happens on the way, and are forgotten on its receipt alone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from sync import topics
from sync.broker_address import BrokerAddress, Will
from sync.errors import LedgerError
from sync.ledger.messages.event_batch import MAX_EVENT_BYTES
from sync.ledger.messages.receipts import Receipts
from sync.ledger.signing_key import SigningKey
from sync.mqtt import MqttConnection
from sync.record.event import Event
from sync.room.event_log import RoomLog
from sync.uplink.events import outbox as outbox_module
from sync.uplink.events.batches import SentBatch, signed
from sync.uplink.events.outbox import WINDOW, Outbox
from sync.uplink.trust.trusted_center import TrustedCenter
from tests.support.peers.device_signatures import device_key
from tests.support.peers.uplink_peers import ADDRESS, PREFIX, CenterPeer, Mosquitto, until


def add(log: RoomLog, count: int) -> list[int]:
    start = len(log.since(0))
    return [log.append("mark", {"id": f"m{start + i}"}, hearing="h", room_ns=i, utc_ns=i).number for i in range(count)]


@contextlib.asynccontextmanager
async def sending(
    log: RoomLog, address: BrokerAddress, trusted: TrustedCenter
) -> AsyncIterator[tuple[Outbox, MqttConnection]]:
    broker = MqttConnection(address, will=Will(f"{PREFIX}/status", topics.offline("run")))
    outbox = Outbox(log, broker, PREFIX, trusted, device_key(ADDRESS))
    broker.start()
    task = asyncio.create_task(outbox.run())
    try:
        yield outbox, broker
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await broker.stop()


async def test_more_than_a_window_arrives_in_order_and_is_forgotten(
    broker: Mosquitto, center: CenterPeer, room_log: RoomLog, trusted: TrustedCenter
) -> None:
    numbers = add(room_log, WINDOW * 3)
    async with sending(room_log, broker.address(), trusted) as (outbox, _):
        await until(lambda: room_log.pending_count() == 0)
        await until(lambda: outbox.last_receipt_utc_ns)
    assert sorted(center.events) == numbers
    assert max(center.heard.values()) == 1


async def test_an_acknowledgment_of_the_broker_is_not_a_receipt(
    broker: Mosquitto, center: CenterPeer, room_log: RoomLog, trusted: TrustedCenter
) -> None:
    center.receipting = False
    numbers = add(room_log, 5)
    async with sending(room_log, broker.address(), trusted) as (outbox, _):
        await until(lambda: len(center.events) == 5)
        assert room_log.pending_count() == 5
        center.receipt(numbers[1:3])
        await until(lambda: room_log.pending_count() == 3)
        assert [e.number for e in room_log.pending()] == [numbers[0], *numbers[3:]]
        center.receipt(numbers)
        await until(lambda: room_log.pending_count() == 0)
        assert outbox.last_receipt_utc_ns


async def test_what_is_not_receipted_is_said_again(
    broker: Mosquitto, center: CenterPeer, room_log: RoomLog, trusted: TrustedCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "RESEND_S", 0.3)
    center.receipting = False
    (number,) = add(room_log, 1)
    async with sending(room_log, broker.address(), trusted):
        await until(lambda: center.heard[number] >= 3)
        center.receipt([number])
        await until(lambda: room_log.pending_count() == 0)


async def test_whoever_takes_over_and_asks_is_told_again_at_once(
    broker: Mosquitto, center: CenterPeer, room_log: RoomLog, trusted: TrustedCenter
) -> None:
    """What the one before has heard and not receipted need not wait for its time."""
    center.receipting = False
    (number,) = add(room_log, 1)
    async with sending(room_log, broker.address(), trusted):
        await until(lambda: center.heard[number] == 1)
        center.answer(Receipts(again=True))
        await until(lambda: center.heard[number] == 2)
        assert room_log.pending_count() == 1
        center.receipt([number])
        await until(lambda: room_log.pending_count() == 0)


async def test_the_broker_is_killed_in_the_middle_and_everything_arrives(
    broker: Mosquitto, center: CenterPeer, room_log: RoomLog, trusted: TrustedCenter
) -> None:
    first = add(room_log, 50)
    async with sending(room_log, broker.address(), trusted) as (outbox, connection):
        await until(lambda: len(center.events) >= 10)
        broker.kill()
        await until(lambda: not connection.connected)
        second = add(room_log, 100)
        outbox.kick()
        await asyncio.sleep(0)
        assert connection.backlog_bytes == 0, "nothing is queued while the broker is away"
        broker.start()
        await until(lambda: room_log.pending_count() == 0)
    assert sorted(center.events) == first + second
    assert len({e["body"]["id"] for e in center.events.values()}) == 150


async def test_what_the_center_refuses_holds_up_no_other_and_is_kept(
    broker: Mosquitto, center: CenterPeer, room_log: RoomLog, trusted: TrustedCenter
) -> None:
    center.receipting = False
    refused = add(room_log, WINDOW)
    later = add(room_log, 3)
    async with sending(room_log, broker.address(), trusted):
        await until(lambda: len(center.events) == WINDOW)
        center.refuse(refused)
        await until(lambda: len(center.events) == WINDOW + 3)
        center.receipt(later)
        await until(lambda: room_log.pending_count() == WINDOW)
    assert max(center.heard.values()) == 1
    async with sending(room_log, broker.address(), trusted):  # at the next connect it is asked again
        await until(lambda: center.heard[refused[-1]] == 2)


async def test_receipts_that_are_nonsense_forget_nothing(
    broker: Mosquitto, center: CenterPeer, room_log: RoomLog, trusted: TrustedCenter
) -> None:
    center.receipting = False
    first, second = add(room_log, 2)
    async with sending(room_log, broker.address(), trusted):
        await until(lambda: len(center.events) == 2)
        for nonsense in ("[]", "{", '{"numbers":["a"]}', '{"numbers":[0]}', '{"numbers":[-1]}', "\xff"):
            center.client.publish(f"{PREFIX}/receipts", nonsense, qos=1)
        center.receipt([12345])
        center.receipt([second])
        await until(lambda: room_log.pending_count() == 1)
    assert [e.number for e in room_log.pending()] == [first]


async def test_a_wrong_password_connects_nothing_and_loses_nothing(
    broker: Mosquitto, room_log: RoomLog, trusted: TrustedCenter
) -> None:
    add(room_log, 1)
    address = BrokerAddress("127.0.0.1", broker.port, "x", broker.room.username, "wrong")
    async with sending(room_log, address, trusted) as (_, connection):
        await until(lambda: connection.why)
        assert not connection.connected
    assert room_log.pending_count() == 1


async def test_the_broker_hears_the_will_of_a_killed_room_and_the_goodbye_of_a_stopped_one(
    broker: Mosquitto, center: CenterPeer, room_log: RoomLog, trusted: TrustedCenter
) -> None:
    async with sending(room_log, broker.address(), trusted) as (_, connection):
        await until(lambda: connection.connected)
        connection.publish(f"{PREFIX}/status", b'{"online":true}', qos=1)
        await until(lambda: b'{"online":true}' in center.on("status"))
    await until(lambda: center.on("status")[-1] == topics.offline("run"))


async def test_an_event_that_a_court_s_own_broker_does_not_take_holds_up_no_other(
    tmp_path: Path, room_log: RoomLog, trusted: TrustedCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker takes less than ours, and ends each connection in which the event is said."""
    monkeypatch.setattr(outbox_module, "MOST_LOST", 1)
    broker = Mosquitto(tmp_path / "small", max_packet_bytes=100_000)
    broker.start()
    center = CenterPeer(broker)
    try:
        first = add(room_log, 3)
        large = room_log.append("mark", {"id": "x" * 150_000}, hearing="h", room_ns=1, utc_ns=1).number
        last = add(room_log, 3)
        async with sending(room_log, broker.address(), trusted) as (outbox, connection):
            await until(lambda: [e.number for e in room_log.pending()] == [large], 60)
            assert sorted(center.events) == [*first, *last]
            added = add(room_log, 1)
            outbox.kick()
            await until(lambda: added[0] in center.events)
            assert connection.connected
            assert outbox._set_aside.keys() == {large}
    finally:
        center.stop()
        broker.kill()


async def test_an_event_larger_than_any_message_stays_and_holds_up_no_other(
    broker: Mosquitto, center: CenterPeer, room_log: RoomLog, trusted: TrustedCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "MAX_MESSAGE_BYTES", 20_000)
    large = room_log.append("mark", {"id": "x" * 20_000}, hearing="h", room_ns=1, utc_ns=1).number
    others = add(room_log, 3)
    async with sending(room_log, broker.address(), trusted) as (outbox, connection):
        await until(lambda: sorted(center.events) == others)
        await until(lambda: [e.number for e in room_log.pending()] == [large])
        assert outbox.too_large == 1
        assert connection.connected


async def test_a_receipt_alone_does_not_have_the_log_read_again(
    broker: Mosquitto,
    center: CenterPeer,
    room_log: RoomLog,
    trusted: TrustedCenter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = []
    latest = room_log.latest_hearing

    def noted() -> str | None:
        looks.append(1)
        return latest()

    monkeypatch.setattr(room_log, "latest_hearing", noted)
    center.receipting = False
    numbers = add(room_log, 4)
    async with sending(room_log, broker.address(), trusted) as (outbox, _):
        await until(lambda: len(center.events) == 4)
        looked = len(looks)
        for count in range(1, 5):
            center.receipt([numbers[count - 1]])
            await until(lambda count=count: outbox.receipted == count)  # type: ignore[misc]
        assert len(looks) == looked
        monkeypatch.setattr(outbox_module, "LOOK_S", 0.0)
        more = add(room_log, 1)
        await until(lambda: more[0] in center.events)  # of which it was not told


async def test_what_was_signed_goes_though_the_key_does_not_sign_the_rest(
    broker: Mosquitto, center: CenterPeer, room_log: RoomLog, trusted: TrustedCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "REFUSED_S", 0.2)
    large = "x" * (MAX_EVENT_BYTES // 2)  # two of these are no batch
    numbers = [room_log.append("mark", {"id": large}, hearing="h", room_ns=i, utc_ns=i).number for i in range(3)]
    tries: list[int] = []

    def seldom(events: Sequence[tuple[Event, str]], room: str, key: SigningKey) -> SentBatch:
        tries.append(events[0][0].number)
        if len(tries) == 2:
            raise LedgerError("the key does not answer", code="key")
        return signed(events, room, key)

    monkeypatch.setattr(outbox_module, "signed", seldom)
    center.receipting = False
    async with sending(room_log, broker.address(), trusted):
        await until(lambda: sorted(center.events) == numbers)
    assert tries[:3] == [numbers[0], numbers[1], numbers[1]]
