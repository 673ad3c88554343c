"""A room that keeps a ledger, for tests of the witness: a device's key, its enrollment, checkpoints of its events."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.ledger import note
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.keys import CENTER, make_key, read_public
from sync.ledger.leaf import leaf_of
from sync.ledger.tree import leaf_hash, root_of
from sync.record.event import Event
from sync.room.enrollment import enroll
from sync.room.paths import RoomPaths
from tests.support.peers.center_peers import RoomPeer, Served, until


def enroll_device(served: Served, folder: Path, code: str, address: str = "court1/c03") -> Ed25519PrivateKey:
    """Enroll over HTTP, as `wutong enroll` does; the device's key."""
    layout = RoomPaths(folder)
    with httpx.Client(base_url=served.url, timeout=20) as http:
        key = make_key(layout.device_key)
        enroll(http, layout, address, code, dt.datetime.now(dt.UTC), key)
    return key


class SigningRoom:
    """The events of one hearing, and what the room signs of them."""

    def __init__(self, peer: RoomPeer, served: Served, key: Ed25519PrivateKey) -> None:
        self.peer = peer
        self.served = served
        self.key = peer.key = key
        self.events: list[dict[str, Any]] = []

    def say(self, *events: dict[str, Any], send: bool = True) -> None:
        """New events, to the center too unless held back."""
        for event in events:
            self.events.append(event)
            if send:
                self.peer.publish("events", event)

    async def receipted(self) -> None:
        """The center has all."""
        numbers = {event["number"] for event in self.events}
        await until(lambda: numbers <= self.peer.receipts())

    def head(self, size: int | None = None, *, hearing: str = "h1", room: str = "court1/c03") -> Checkpoint:
        """The true tree head over the first `size` events."""
        events = self.events[:size]
        root = root_of(leaf_hash(leaf_of(Event.from_json(event))) for event in events)
        return Checkpoint(room, hearing, len(events), root, events[-1]["number"], time.time_ns())

    def sign(self, head: Checkpoint, key: Ed25519PrivateKey | None = None) -> bytes:
        """The note over it."""
        return note.sign(head.to_text(), head.room, key or self.key).to_text().encode()

    def answers(self, size: int | None = None) -> list[dict[str, Any]]:
        """What the center said of checkpoints so far."""
        return [value for value in self.peer.of("witness") if size in (None, value["size"])]

    async def ask(self, head: Checkpoint, key: Ed25519PrivateKey | None = None) -> dict[str, Any]:
        """Publish a checkpoint; the next answer."""
        return await self.ask_note(self.sign(head, key))

    async def ask_note(self, text: bytes) -> dict[str, Any]:
        """Publish any note; the next answer."""
        before = len(self.answers())
        self.peer.publish("checkpoints", text)
        await until(lambda: len(self.answers()) > before, 120)  # of twenty thousand leaves, too, on a busy machine
        return self.answers()[before]

    def is_witnessed(self, answer: dict[str, Any]) -> bool:
        """Whether an answer carries the cosignature of this center's key, over this device's note."""
        center = read_public((self.served.data / "keys" / "center.pem").read_bytes())
        read = note.read_note(answer["note"])
        assert note.signed_by(read, note.Verifier("court1/c03", self.key.public_key())) == 0
        at_s = note.signed_by(read, note.Verifier(CENTER, center, note.COSIGNATURE))
        return at_s is not None and abs(at_s - time.time()) < 600

    def alarms(self) -> set[str]:
        """What the wall says of this room."""
        return set(self.served.center.rooms.states["court1/c03"].alarms)
