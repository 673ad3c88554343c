"""What signs: a private key in this process, or the line to a process that holds it."""

from __future__ import annotations

from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class SigningKey(Protocol):
    """An Ed25519 key that signs; `cryptography`'s own `Ed25519PrivateKey` is one."""

    def public_key(self) -> Ed25519PublicKey:
        """The public half."""
        ...

    def sign(self, data: bytes, /) -> bytes:
        """64 bytes (RFC 8032); whoever holds the key elsewhere raises `LedgerError` when it does not sign."""
        ...
