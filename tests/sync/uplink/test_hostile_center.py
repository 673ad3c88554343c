"""Whatever comes from the center's side, a room takes the next message, sends its events and forgets none."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from sync.errors import LedgerError
from sync.ledger.messages.event_batch import check_batch, read_batch
from sync.ledger.note import Verifier
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from sync.uplink.events import outbox as outbox_module
from sync.uplink.events.outbox import Outbox
from sync.uplink.trust.trusted_center import TrustedCenter
from tests.support.peers.device_signatures import center_says, device_key, know_center, receipts_of
from tests.support.peers.uplink_peers import ADDRESS, PREFIX


class Relay:
    """A connection whose other end is the test: it hears what the outbox says and hands on what it likes."""

    def __init__(self) -> None:
        self.connected = True
        self.take: Callable[[bytes], None] = lambda payload: None
        self.reconnect: Callable[[], None] = lambda: None
        self.said: list[bytes] = []
        self._heard = asyncio.Event()

    def subscribe(self, topic: str, qos: int, handler: Callable[[bytes], None]) -> None:
        self.take = handler

    def on_connected(self, callback: Callable[[], None]) -> None:
        self.reconnect = callback

    def publish(self, topic: str, payload: bytes, *, qos: int = 0) -> bool:
        self.said.append(payload)
        self._heard.set()
        return True

    async def hears(self, count: int) -> list[bytes]:
        """What was said, once it is so much."""
        while len(self.said) < count:
            self._heard.clear()
            await self._heard.wait()
        return self.said


class Room:
    """An outbox over a real log, at a relay."""

    def __init__(self, folder: Path, *, plain: bool = False, enrolled: bool = True, key: Any = None) -> None:
        self.layout = RoomPaths(folder)
        if enrolled:
            know_center(self.layout)
        self.log = RoomLog(self.layout.log)
        self.line = Relay()
        self.trusted = TrustedCenter(self.layout, ADDRESS, accept_unsigned=lambda: plain)
        self.outbox = Outbox(
            self.log,
            self.line,  # type: ignore[arg-type]  # it has all that an outbox uses
            PREFIX,
            self.trusted,
            key or device_key(ADDRESS),
        )

    def add(self, count: int) -> None:
        for n in range(count):
            self.log.append("mark", {"id": f"m{n}"}, hearing="h", room_ns=n, utc_ns=n)

    def receipt(self, *numbers: int, stamp: int = 1, address: str = ADDRESS, key: Any = None) -> bytes:
        """A true receipt, unless `address` or `key` make it another's."""
        events = [event for event in self.log.since(0) if event.number in numbers]
        return center_says("receipts", address, receipts_of(events), stamp, key)

    async def forgets(self, left: int) -> None:
        """Wait until so many events are pending."""
        while self.log.pending_count() != left:
            self.outbox.kick()
            await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def running(room: Room) -> AsyncIterator[Room]:
    task = asyncio.create_task(room.outbox.run())
    try:
        yield room
    finally:
        assert not task.done(), "nothing that came has ended the outbox"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        room.log.close()


def events_of(payload: bytes) -> list[dict[str, Any]]:
    """The events of a batch that this room's device signed."""
    signed = read_batch(payload)
    assert signed is not None
    return check_batch(ADDRESS, *signed, [Verifier(ADDRESS, device_key(ADDRESS).public_key())])


def unsigned(value: Any) -> bytes:
    return json.dumps(value).encode()


HOSTILE: list[bytes] = [
    b'{"numbers":[9223372036854775808]}',
    b'{"numbers":[' + b"1" * 400 + b"]}",
    b'{"numbers":[],"refused":[' + b"9" * 30 + b"]}",
    b"[" * 100_000,
    b'{"numbers":[NaN]}',
    b"null",
    b" " * 1_000_000,
    unsigned({"numbers": list(range(1, 10_000))}),
    unsigned({"note": 1, "receipts": 2}),
    unsigned({"note": "", "receipts": "{}"}),
    unsigned({"note": "\n\n", "receipts": "{}"}),
    b'{"note":"\\ud800\\n\\n","receipts":"\\ud800"}',
    unsigned({"note": "x" * 100_000, "receipts": "{}"}),
    unsigned({"note": "x\n\n" + "— a AAAA\n" * 400, "receipts": "{}"}),
    center_says("receipts", ADDRESS, [], 1),
    center_says("receipts", ADDRESS, {"stored": [{"number": 2**63, "sha256": "0" * 64}]}, 1),
    center_says("receipts", ADDRESS, {"stored": [{"number": 1, "sha256": "0" * 64}]}, 1),
    center_says("receipts", ADDRESS, {"stored": [{"number": 1}]}, 1),
    center_says("receipts", ADDRESS, {"numbers": [1, 2, 3]}, 1),
    center_says("demand", ADDRESS, {"stored": []}, 1),
]


@pytest.mark.parametrize("payload", HOSTILE)
async def test_receipts_of_nobody_end_nothing_and_take_nothing_out(tmp_path: Path, payload: bytes) -> None:
    room = Room(tmp_path)
    room.add(3)
    async with running(room):
        await room.line.hears(1)
        room.line.take(payload)
        room.line.take(room.receipt(2))
        await room.forgets(2)
        assert [event.number for event in room.log.pending()] == [1, 3]


async def test_one_unsigned_message_of_all_numbers_empties_no_outbox(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.add(50)
    async with running(room):
        await room.line.hears(1)
        room.line.take(unsigned({"numbers": list(range(1, 10_000))}))
        room.line.take(room.receipt(50))
        await room.forgets(49)
    assert room.trusted.refused["unsigned"] == 1


async def test_a_receipt_of_another_room_key_purpose_or_event_takes_nothing_out(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.add(4)
    other = RoomLog(tmp_path / "other.db")
    elsewhere = [other.append("mark", {"id": f"x{n}"}, hearing="h", room_ns=n, utc_ns=n) for n in range(4)]
    other.close()
    async with running(room):
        await room.line.hears(1)
        true = room.receipt(1, 2, 3)
        value = json.loads(true)
        for forged in (
            room.receipt(1, 2, 3, address="jianshan/c04"),
            room.receipt(1, 2, 3, key=device_key(ADDRESS)),
            center_says("witness", ADDRESS, receipts_of(room.log.since(0)), 1),
            center_says("receipts", ADDRESS, receipts_of(elsewhere), 1),  # this room's numbers, another log's events
            unsigned({**value, "receipts": value["receipts"].replace('"number": 3', '"number": 4')}),
            unsigned({"note": value["note"], "demand": value["receipts"]}),
            true[:-20],
        ):
            room.line.take(forged)
        room.line.take(room.receipt(4))
        await room.forgets(3)
        room.line.take(true)
        await room.forgets(0)
    assert room.trusted.refused["signature"] == 3


async def test_a_batch_is_said_again_unchanged_and_each_event_is_signed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "RESEND_S", 0.0)
    room = Room(tmp_path)
    room.add(5)
    async with running(room):
        await room.line.hears(1)
        room.line.take(room.receipt(1, 2))
        await room.forgets(3)
        room.line.reconnect()
        room.outbox.kick()
        said = await room.line.hears(3)
    assert len(set(said)) == 1
    assert [event["number"] for event in events_of(said[0])] == [1, 2, 3, 4, 5]


async def test_a_refusal_counts_for_the_very_batch_and_one_of_an_earlier_life_does_not(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.add(2)
    async with running(room):
        await room.line.hears(1)
        stale = {"refused": [{"number": 1, "batch": "0" * 64}], "batches": [{"batch": "1" * 64, "why": "signature"}]}
        room.line.take(center_says("receipts", ADDRESS, stale, 1))
        room.line.take(unsigned({"numbers": [], "refused": [1, 2]}))
        room.line.take(room.receipt(2))
        await room.forgets(1)
        assert room.outbox.batch_refused is None
        room.log.append("mark", {"id": "later"}, hearing="h", room_ns=9, utc_ns=9)
        room.outbox.kick()
        assert [event["number"] for event in events_of((await room.line.hears(2))[1])] == [3]


async def test_a_room_that_is_not_enrolled_sends_one_batch_believes_nothing_and_keeps_everything(
    tmp_path: Path,
) -> None:
    room = Room(tmp_path, enrolled=False)
    room.add(100)
    async with running(room):
        await room.line.hears(1)
        room.line.take(unsigned({"numbers": list(range(1, 101))}))
        room.line.take(room.receipt(*range(1, 101)))
        know_center(room.layout)
        room.outbox.kick()
        said = await room.line.hears(3)
        assert room.log.pending_count() == 100
    assert said[1] == said[0], "after its enrollment it says at once what waited"
    assert len(events_of(said[0])) == 64


async def test_the_plain_way_is_as_before_until_the_center_has_signed_once(tmp_path: Path) -> None:
    room = Room(tmp_path, plain=True, enrolled=False)
    room.add(3)
    async with running(room):
        said = await room.line.hears(3)
        assert [json.loads(one)["number"] for one in said] == [1, 2, 3]
        room.line.take(unsigned({"numbers": [1]}))
        await room.forgets(2)
        know_center(room.layout)
        room.outbox.kick()
        assert [event["number"] for event in events_of((await room.line.hears(4))[3])] == [2, 3]
        room.line.take(room.receipt(2))
        await room.forgets(1)
        room.line.take(unsigned({"numbers": [3]}))
        room.line.take(center_says("receipts", ADDRESS, {}, 2))
        room.add(1)
        await room.line.hears(5)
        assert room.log.pending_count() == 2


class _Stubborn:
    """A key that does not answer at first, as one behind a process that is away."""

    def __init__(self) -> None:
        self.asked = 0

    def public_key(self) -> Any:
        return device_key(ADDRESS).public_key()

    def sign(self, data: bytes, /) -> bytes:
        self.asked += 1
        if self.asked == 1:
            raise LedgerError("the signer is away", code="signer")
        return device_key(ADDRESS).sign(data)


async def test_a_key_that_does_not_answer_costs_nothing_but_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "REFUSED_S", 0.0)
    room = Room(tmp_path, key=_Stubborn())
    room.add(2)
    async with running(room):
        room.outbox.kick()
        assert len(events_of((await room.line.hears(1))[0])) == 2
        assert room.outbox.failed == 0


async def test_a_defect_costs_a_round_and_not_the_uplink(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "DEFECT_S", 0.0)
    room = Room(tmp_path)
    room.add(1)
    true, calls = room.log.pending, 0

    def broken(**arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise OverflowError("nobody foresaw this")
        return true(**arguments)

    monkeypatch.setattr(room.log, "pending", broken)
    async with running(room):
        room.outbox.kick()
        await room.line.hears(1)
    assert room.outbox.failed == 1
