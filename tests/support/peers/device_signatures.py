"""Devices of rooms in tests: their keys, their enrollment at a center, and what they sign."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.config import load_config
from server.integrity.enrollment import Enrollment, center_key
from server.store.database import open_database
from sync.ledger.keys import CENTER, certificate_request, public_pem
from sync.ledger.messages.event_batch import batch_text, event_text, pack_batch
from sync.ledger.messages.object_claim import sign_claim
from sync.ledger.messages.receipts import Receipts, StoredEvent
from sync.ledger.messages.signed_message import Purpose, pack_message
from sync.record.event import Event, event_digest
from sync.room.paths import RoomPaths

CENTER_KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"the key of a test's center").digest())


def device_key(address: str) -> Ed25519PrivateKey:
    """The key of the device of `court/room`: the same at every run."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"the device of {address}".encode()).digest())


def know_center(layout: RoomPaths) -> None:
    """As after an enrollment at the center of these tests."""
    layout.keys.mkdir(parents=True, exist_ok=True)
    layout.center_key.write_bytes(public_pem(CENTER_KEY.public_key()))


async def enroll_devices(enrollment: Enrollment, addresses: Sequence[str]) -> None:
    """Enroll the devices of these rooms, as `wutong enroll` does at both ends."""
    for address in addresses:
        code = await enrollment.new_code(address)
        await enrollment.redeem(code, certificate_request(device_key(address), address).decode())


async def enroll_at(config: Path, addresses: Sequence[str]) -> None:
    """The same at a center that does not run, or runs in another process and will look."""
    loaded = load_config(config)
    loaded.storage.data.mkdir(parents=True, exist_ok=True)
    database = open_database(loaded.database_url)
    try:
        await enroll_devices(Enrollment(database, center_key(loaded.storage.data)), addresses)
    finally:
        database.close()


def signed_batch(address: str, *events: Mapping[str, Any], key: Ed25519PrivateKey | None = None) -> bytes:
    """A batch as the room's outbox sends it; the events need not be well-formed."""
    text = f"[{','.join(json.dumps(one, ensure_ascii=False, separators=(',', ':')) for one in events)}]"
    return pack_batch(address, [one["number"] for one in events], text, key or device_key(address))


def batch_of(address: str, events: Sequence[Event], key: Ed25519PrivateKey | None = None) -> bytes:
    """A batch of events of a log."""
    text = batch_text([event_text(event) for event in events])
    return pack_batch(address, [event.number for event in events], text, key or device_key(address))


def signed_claim(claim: Mapping[str, Any], key: Ed25519PrivateKey | None = None) -> dict[str, Any]:
    """A claim with the note of its room's device."""
    full = {"track": "", "index": 0, **claim}
    return {**full, "note": sign_claim(full, key or device_key(full["room"]))}


def center_says(purpose: Purpose, address: str, value: Any, stamp: int, key: Ed25519PrivateKey | None = None) -> bytes:
    """A message of the center, at `stamp` (UTC in ns)."""
    return pack_message(purpose, address, [stamp], json.dumps(value), CENTER, key or CENTER_KEY)


def receipts_of(events: Sequence[Event]) -> dict[str, Any]:
    """What a center says when it has stored these."""
    stored = [StoredEvent(number=event.number, sha256=event_digest(event)) for event in events]
    return Receipts(stored=stored).model_dump()
