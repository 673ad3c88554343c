"""Files: nothing is stored as record that the device did not claim, and the room believes the center's key alone."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.errors import CenterError
from sync.ledger.keys import CENTER, read_public
from sync.ledger.messages.object_claim import check_stored, sign_claim
from sync.ledger.note import Verifier
from tests.support.files import databases
from tests.support.peers.center_peers import Served, metadata
from tests.support.peers.device_signatures import device_key, signed_claim

DATA = b"a segment of the record"
CLAIM = {"sha256": hashlib.sha256(DATA).hexdigest(), "bytes": len(DATA), "room": "court1/c03", "hearing": "h1"}
FULL = {**CLAIM, "kind": "segment", "track": "bench", "index": 0}


def spoilt() -> dict[str, dict[str, Any]]:
    """Claims of who has the room's token and not its key."""
    other = {**FULL, "index": 7}
    return {
        "no note": FULL,
        "a stranger's": signed_claim(FULL, Ed25519PrivateKey.generate()),
        "another room's": {**FULL, "note": sign_claim({**FULL, "room": "court1/c04"}, device_key("court1/c04"))},
        "of another place": {**FULL, "note": signed_claim(other)["note"]},
        "of another kind": {**FULL, "note": signed_claim({**FULL, "kind": "document"})["note"]},
        "cut": {**FULL, "note": signed_claim(FULL)["note"][:-30]},
        "no text": {**FULL, "note": "\n\n\n"},
    }


@pytest.mark.parametrize("lie", spoilt())
async def test_who_has_the_rooms_token_and_not_its_key_stores_nothing(served: Served, lie: str) -> None:
    async with served.uploader() as (tus, http):
        upload = await tus.create(metadata(0))
        await tus.append(upload, 0, DATA, length=len(DATA))
        refused = await http.post("/api/objects", json={**spoilt()[lie], "upload": upload})
        assert refused.status_code == 403
        assert refused.json()["code"] == ("unsigned" if lie == "no note" else "signature")
        assert databases.rows(served.data / "center.db", "SELECT * FROM files") == []
        with pytest.raises(CenterError, match="enroll"):
            await tus.confirm({**spoilt()[lie], "upload": upload})
        # The room itself goes on where it was.
        stored, word = await tus.hand_over({**signed_claim(FULL), "upload": upload})
    center = Verifier(CENTER, read_public((served.data / "keys" / "center.pem").read_bytes()))
    assert check_stored(FULL, word, [center]) == stored


async def test_a_revoked_device_stores_nothing_more(served: Served) -> None:
    async with served.uploader() as (tus, http):
        upload = await tus.create(metadata(0))
        await tus.append(upload, 0, DATA, length=len(DATA))
        await served.center.enrollment.revoke("court1/c03")
        refused = await http.post("/api/objects", json={**signed_claim(FULL), "upload": upload})
    assert (refused.status_code, refused.json()["code"]) == (401, "not-enrolled")
