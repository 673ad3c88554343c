"""What the center keeps in other hands, or in its database, and nobody else may read or make: sealed by AES-256-GCM.

The keys are made of the center's own signing key, one for each purpose, so every process of a center opens what another
has sealed, and no further secret has to be handed around or backed up. A sealed text of one purpose, or of one owner,
is worth nothing for another.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SealPurpose = Literal["totp", "ticket"]
_NONCE_BYTES = 12
_PURPOSES: tuple[SealPurpose, ...] = ("totp", "ticket")


class CenterSeal:
    """Seals and opens texts, and marks tokens."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        """`key` is the center's."""
        self._boxes = {purpose: AESGCM(_derived(key, purpose)) for purpose in _PURPOSES}
        self._marking = _derived(key, "device")

    def seal(self, purpose: SealPurpose, owner: str, text: str) -> str:
        """`text` for one purpose and owner, as URL-safe base64."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        box = self._boxes[purpose].encrypt(nonce, text.encode(), owner.encode())
        return base64.urlsafe_b64encode(nonce + box).decode().rstrip("=")

    def open(self, purpose: SealPurpose, owner: str, sealed: str) -> str | None:
        """None for what this center has not sealed for this purpose and owner."""
        try:
            raw = base64.urlsafe_b64decode(sealed.encode("ascii") + b"=" * (-len(sealed) % 4))
            return self._boxes[purpose].decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], owner.encode()).decode()
        except (ValueError, InvalidTag):
            return None

    def mark(self, text: str) -> str:
        """By what a text that comes back from a browser is known as ours (HMAC-SHA-256, hex)."""
        return hmac.digest(self._marking, text.encode(), "sha256").hex()

    def is_marked(self, text: str, mark: str) -> bool:
        """Whether this center has marked it so."""
        return hmac.compare_digest(self.mark(text).encode(), mark.encode("utf-8", "replace"))


def _derived(key: Ed25519PrivateKey, purpose: str) -> bytes:
    return HKDF(SHA256(), 32, None, f"wutong/people/{purpose}/v1".encode()).derive(key.private_bytes_raw())
