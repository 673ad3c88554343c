"""What stands before the device's key in the process that holds it. A `SigningKey`, as `RoomSigner` is at the far end.

Promises: only what `edge.signer.forms` reads is signed; checkpoints only as `edge.signer.heads` allows.
"""

from __future__ import annotations

import threading
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.signer.forms import form_of
from edge.signer.heads import SignedHeads
from sync.ledger.keys import checked_key
from sync.ledger.signing_key import SigningKey

HEADS = "signed.db"


class GuardedKey:
    """`room` is `court/room`; `folder` is the signer's own. Its methods block and may be called in any thread."""

    def __init__(self, key: SigningKey, room: str, folder: Path) -> None:
        self._key = key
        self._public = checked_key(key.public_key())
        self._room = room
        self._heads = SignedHeads(folder / HEADS)
        self._turn = threading.Lock()

    def public_key(self) -> Ed25519PublicKey:
        """Of the device."""
        return self._public

    def sign(self, data: bytes, /) -> bytes:
        """64 bytes; `LedgerError` for what is not signed, `StorageError` when it cannot be remembered."""
        form = form_of(data, self._room, self._public)
        with self._turn:  # a token answers one question at a time
            if form.checkpoint is not None:
                self._heads.take(form.checkpoint)
            return self._key.sign(data)

    def close(self) -> None:
        """Nothing is signed any more."""
        self._heads.close()
