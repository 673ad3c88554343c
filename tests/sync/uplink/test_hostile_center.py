"""Whatever comes from the center's side, a room takes the next message and sends its events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from sync.room.event_log import RoomLog
from sync.uplink.outbox import Outbox
from tests.support.peers.uplink_peers import PREFIX


class _Line:
    """A connection that is never there: what it is told is handed on by the test."""

    connected = False

    def __init__(self) -> None:
        self.take: Callable[[bytes], None] = lambda payload: None

    def subscribe(self, topic: str, qos: int, handler: Callable[[bytes], None]) -> None:
        self.take = handler

    def on_connected(self, callback: object) -> None:
        pass


@pytest.mark.parametrize(
    "payload",
    [
        b'{"numbers":[9223372036854775808]}',
        b'{"numbers":[' + b"1" * 400 + b"]}",
        b'{"numbers":[],"refused":[' + b"9" * 30 + b"]}",
        b"[" * 100_000,
        b'{"numbers":[NaN]}',
        b"null",
        b" " * 1_000_000,
    ],
)
async def test_receipts_of_nobody_end_nothing(tmp_path: Path, payload: bytes) -> None:
    room_log = RoomLog(tmp_path / "log.db")
    line = _Line()
    outbox = Outbox(room_log, line, PREFIX)  # type: ignore[arg-type]
    task = asyncio.create_task(outbox.run())
    line.take(payload)
    line.take(b'{"numbers":[1]}')
    while outbox.last_receipt_utc_ns is None:
        assert not task.done()
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    room_log.close()
