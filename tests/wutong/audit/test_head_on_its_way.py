"""A head of the center's audit log on its whole way: center, broker, room, and back; `wutong verify --audit` says so.

The center by HTTPS, Mosquitto by the product's policy and certificates, the room's uplink, edge and signer.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest_asyncio
from typer.testing import CliRunner

from sync import topics
from sync.broker_address import BrokerAddress
from sync.ledger.audit_head import AuditHead, name_of, sign_head
from sync.ledger.keys import make_key
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.signer import RoomSigner
from sync.tls.identity import TlsIdentity
from sync.uplink.service import Uplink, UplinkConfig
from tests.support.peers.center_peers import until
from tests.support.peers.tls_center import TlsCenter, files_of, served_by_tls
from tests.support.rooms.edge_room import Room, enroll
from wutong.cli import app

ROOM = "jianshan/c03"
LISTED = '[[rooms]]\ncourt = "jianshan"\nroom = "c03"\n'


@dataclass
class Way:
    """A room and its center, joined."""

    center: TlsCenter
    room: Room
    uplink: Uplink
    folder: Path

    async def noted(self) -> None:
        """One row more in the audit log."""
        row = {"utc_ns": 1, "what": "view", "role": "inspector", "address": "a", "detail": "{}", "granted": True}
        await self.center.center.audit._record.audit([row])

    def kept(self) -> list[tuple[str, int]]:
        """(what, rows) of the heads in the room's own log."""
        log = RoomLog(self.room.layout.log)
        try:
            bodies = [event.body for event in log.since(0) if event.kind == "access" and "note" in event.body]
        finally:
            log.close()
        return [(str(body["what"]), int(str(body["note"]).splitlines()[1])) for body in bodies]

    async def returned(self, count: int) -> None:
        """Wait until the center itself has so many heads from the room."""
        await until(lambda: len(self.kept()) >= count)
        log = RoomLog(self.room.layout.log)
        try:
            await until(lambda: log.pending_count() == 0)
        finally:
            log.close()

    async def verdict(self) -> tuple[int, set[str]]:
        """Of the exported log, with nothing but the folder and the center's public key: exit code, reasons."""
        out = self.folder / f"audit-{len(list(self.folder.glob('audit-*')))}"
        key = self.center.config.storage.data / "keys" / "center.pem"
        await self._run("export", "--audit", "--config", str(self.center.file), "--out", str(out))
        done = await self._run("verify", "--audit", str(out), "--center-key", str(key), "--json")
        said = json.loads(done.stdout)
        return done.exit_code, {reason["code"] for reason in said["reasons"]}

    @staticmethod
    async def _run(*arguments: str) -> Any:
        return await asyncio.to_thread(CliRunner().invoke, app, list(arguments))


@pytest_asyncio.fixture
async def way(tmp_path: Path) -> AsyncIterator[Way]:
    people, folder = tmp_path / "people", tmp_path / "room"
    people.mkdir()
    folder.mkdir()
    async with served_by_tls(tmp_path, LISTED) as center, Room(folder, people, enroll(people)) as room:
        key = RoomSigner(room.layout.signer_socket)
        await center.enrolled(room.layout.data, ROOM, key)
        shown = TlsIdentity(files_of(room.layout))
        uplink = Uplink(
            UplinkConfig(
                "jianshan",
                "c03",
                {"court_name": "尖山", "room_name": "三", "seats": []},
                room.layout,
                key,
                center_url=center.url,
                tls=shown,
                broker=BrokerAddress("127.0.0.1", center.broker.port, ROOM, tls=shown.context),
            ),
            clock=RoomClock.open(room.layout.clock),
        )
        running = asyncio.create_task(uplink.run(lambda: None))
        try:
            await until(lambda: center.center.rooms.states[ROOM].online)
            yield Way(center, room, uplink, tmp_path)
            # A request that is given up while its connection is made would leave the connection to the collector.
            await until(lambda: _is_joined(uplink))
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running


def _is_joined(uplink: Uplink) -> bool:
    pool: Any = uplink._http._transport._pool if uplink._http is not None else None  # type: ignore[attr-defined]
    return pool is not None and bool(pool.connections) and all(one.is_idle() for one in pool.connections)


async def test_a_head_goes_to_the_room_is_countersigned_and_comes_back_and_the_export_says_so(way: Way) -> None:
    await way.noted()
    head = await way.center.center.ledger.sign()
    assert head is not None
    await way.returned(1)
    assert way.kept() == [("audit-head", head.size)]
    code, reasons = await way.verdict()
    assert code == 0, reasons
    assert "audit-held" in reasons
    assert not reasons & {"audit-not-held", "audit-held-unread", "audit-back"}


async def test_the_room_refuses_a_head_that_shrinks_or_forks_and_the_center_cannot_keep_that_to_itself(
    way: Way,
) -> None:
    """Somebody with the center's key, who rewrote its log: the room keeps what it was told as a complaint."""
    for _ in range(3):
        await way.noted()
    head = await way.center.center.ledger.sign()
    assert head is not None
    await way.returned(1)
    key = make_key(way.center.config.storage.data / "keys" / "center.key")
    stranger = make_key(way.folder / "stranger.key")
    name = name_of(key.public_key())
    for root, size, by in ((b"\1" * 32, head.size, stranger), (b"\1" * 32, head.size, key), (head.root, 1, key)):
        false = AuditHead(name if by is key else name_of(by.public_key()), size, root, size, head.utc_ns)
        text = json.dumps({"audit_head": sign_head(false, by).to_text()})
        way.center.center.witness._publisher.tell(ROOM, "audit-head", text, qos=1)
    await way.returned(3)
    assert way.kept() == [("audit-head", head.size), ("audit-back", head.size), ("audit-back", 1)]
    code, reasons = await way.verdict()
    assert code == 20
    assert {"audit-back", "audit-held-differs"} <= reasons


async def test_the_uplink_listens_to_everything_that_a_room_may_be_told(way: Way) -> None:
    line = way.uplink._line
    assert line is not None
    assert {f"{topics.of_room(ROOM)}/{topic}" for topic in topics.ROOM_READS} == set(line.broker._handlers)
