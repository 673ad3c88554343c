"""A room whose device has signed once is heard unsigned no more: of events and of files, before and after a restart."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.access.audit import Audit
from server.config import RoomEntry
from server.ingest.mishaps import Mishaps
from server.ingest.objects_api import Claim, ClaimJudge
from server.ingest.receipts import Ingest
from server.ingest.signed_publisher import SignedPublisher
from server.ingest.signing_rooms import WHAT, SigningRooms
from server.rooms import Rooms
from server.store.database import Database, open_database
from server.store.reader import RecordReader
from server.store.writer import RecordWriter
from sync.errors import AccessError
from sync.ledger.note import Verifier
from sync.record.event import Event
from tests.server.ingest.test_hostile_broker import Hostile
from tests.support.peers.center_peers import opening, said, until
from tests.support.peers.device_signatures import CENTER_KEY, batch_of, device_key, signed_claim

ROOM, OTHER = "court1/c03", "court1/c04"
CLAIM = {"upload": "u", "sha256": "0" * 64, "bytes": 1, "room": ROOM, "hearing": "h1", "kind": "exhibit"}
SIGNED = signed_claim({**CLAIM, "track": "", "index": 0})


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{tmp_path / 'center.db'}")
    yield database
    database.close()


class Run:
    """One life of a center while the plain way is open."""

    def __init__(self, database: Database) -> None:
        self.record, self.archive = RecordWriter(database), RecordReader(database)
        self.audit = Audit(self.record)
        self.signing = SigningRooms(lambda room: self.audit.note(WHAT, "device", room, ""))
        self.broker = Hostile(1)
        publisher = SignedPublisher(self.broker, CENTER_KEY, accept_unsigned=lambda: True)  # type: ignore[arg-type]
        rooms = Rooms([RoomEntry(court="court1", room=name, token_sha256="0" * 64) for name in ("c03", "c04")])

        def keys(room: str) -> list[Verifier]:
            return [Verifier(room, device_key(room).public_key())]

        self.ingest = Ingest(
            self.record, rooms, publisher, keys, Mishaps(rooms), accept_unsigned=lambda: True, signing=self.signing
        )
        self.judge = ClaimJudge(keys, accept_unsigned=lambda: True, signing=self.signing)

    async def __aenter__(self) -> Run:
        self.signing.learn(await self.archive.audited(WHAT))
        self.tasks = [asyncio.create_task(self.ingest.run()), asyncio.create_task(self.audit.run())]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def takes_claim(self, **how: object) -> bool:
        try:
            self.judge.check(str(how.get("room", ROOM)), Claim.model_validate({**CLAIM, **how}))
        except AccessError:
            return False
        return True

    async def takes_event(self, room: str, payload: bytes) -> bool:
        refused = self.ingest.refused["unsigned"]
        self.broker.down.clear()
        self.ingest.offer(room, payload)
        await until(lambda: self.broker.down or self.ingest.refused["unsigned"] > refused)
        return self.ingest.refused["unsigned"] == refused


def unsigned(number: int) -> bytes:
    return json.dumps(said(number, "未签名")).encode()


@pytest.mark.parametrize("signs", ["an event", "a file"])
async def test_what_has_signed_once_is_not_taken_unsigned_after_a_restart(database: Database, signs: str) -> None:
    async with Run(database) as first:
        assert await first.takes_event(ROOM, json.dumps(opening(1)).encode())
        assert first.takes_claim()
        if signs == "an event":
            assert await first.takes_event(ROOM, batch_of(ROOM, [Event.from_json(said(2, "已签名"))]))
        else:
            assert first.takes_claim(**SIGNED)
        assert not await first.takes_event(ROOM, unsigned(3))
        assert not first.takes_claim()
    for _ in range(2):
        async with Run(database) as again:
            assert not await again.takes_event(ROOM, unsigned(3))
            assert not again.takes_claim()
            assert again.takes_claim(**SIGNED)
            assert await again.takes_event(OTHER, json.dumps(opening(1, hearing="h2")).encode()), "another room's way"
    rows = await RecordReader(database).audited(WHAT)
    assert [(row["address"], row["role"]) for row in rows] == [(ROOM, "device")], "once"


async def test_a_false_signature_marks_nobody(database: Database) -> None:
    async with Run(database) as run:
        assert not run.takes_claim(**signed_claim({**CLAIM, "track": "", "index": 0}, Ed25519PrivateKey.generate()))
        assert run.takes_claim()
        assert ROOM not in run.signing
