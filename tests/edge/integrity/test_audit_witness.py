"""A room keeps heads of its center's audit log, countersigned, and says when one goes back."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.integrity.audit_witness import KEEP_S, TOPIC, AuditWitness
from sync.ledger import note as notes
from sync.ledger.audit_head import AuditHead, name_of, read_head, sign_head
from sync.record.bodies.media import AccessBody
from sync.room.event_log import RoomLog

CENTER, DEVICE = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()


class Kept:
    """A witness over a log of its own."""

    def __init__(self, folder: Path, *, enrolled: bool = True) -> None:
        self.log = RoomLog(folder / "room.db")
        self.now_s = 0.0
        self.enrolled = enrolled
        self.again()

    def again(self) -> None:
        """As after a restart."""

        async def append(body: AccessBody, key: str) -> None:
            self.log.append("access", body, hearing=None, room_ns=1, utc_ns=1, key=key)

        self.witness = AuditWitness(
            "court1/c03",
            DEVICE,
            lambda: CENTER.public_key() if self.enrolled else None,
            append,
            lambda: self.log.keys(f"{TOPIC}/"),
            utc_s=lambda: 1_795_000_000,
            monotonic_s=lambda: self.now_s,
        )

    def bodies(self) -> list[tuple[str, int]]:
        found = []
        for event in self.log.since(0):
            _, head = read_head(str(event.body["note"]), CENTER.public_key())
            found.append((str(event.body["what"]), head.size))
        return found


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def head(size: int, *, root: bytes = bytes(32), key: Ed25519PrivateKey = CENTER) -> bytes:
    return sign_head(AuditHead(name_of(key.public_key()), size, root, size, 1), key).to_text().encode()


async def test_one_in_a_while_is_kept_with_the_devices_own_signature(kept: Kept) -> None:
    for size in (3, 5, 9):
        await kept.witness.heard(head(size))
    assert kept.bodies() == [("audit-head", 3)]
    kept.now_s = KEEP_S
    await kept.witness.heard(head(12))
    assert kept.bodies() == [("audit-head", 3), ("audit-head", 12)]
    note = notes.read_note(str(kept.log.since(0)[0].body["note"]))
    device = notes.Verifier("court1/c03", DEVICE.public_key(), notes.COSIGNATURE)
    assert notes.signed_by(note, device) == 1_795_000_000
    kept.log.close()


@pytest.mark.parametrize("restart", [True, False])
async def test_a_head_that_goes_back_or_forks_is_kept_at_once_and_said(kept: Kept, restart: bool) -> None:
    await kept.witness.heard(head(10))
    if restart:
        kept.again()
    await kept.witness.heard(head(7))
    await kept.witness.heard(head(7))
    await kept.witness.heard(head(10, root=b"\1" * 32))
    await kept.witness.heard(head(10))
    assert kept.bodies() == [("audit-head", 10), ("audit-back", 7), ("audit-back", 10)]
    kept.log.close()


@pytest.mark.parametrize(
    "said",
    [b"", b"\xff", b"{}", head(3, key=DEVICE), head(3)[:-9], head(3).replace(b"\n3\n", b"\n4\n"), b"x" * 100_000],
)
async def test_what_the_center_has_not_signed_is_not_kept(kept: Kept, said: bytes) -> None:
    await kept.witness.heard(said)
    assert kept.bodies() == []
    kept.log.close()


async def test_before_its_enrollment_a_room_believes_no_head(tmp_path: Path) -> None:
    kept = Kept(tmp_path, enrolled=False)
    await kept.witness.heard(head(3))
    assert kept.bodies() == []
    kept.log.close()
