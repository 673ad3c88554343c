"""Keys of TLS: ECDSA over P-256, which every browser and broker takes. What signs records is another key (Ed25519).

Promises: a private key lives in one file of mode 0600 and is made once. Refused: one that others may read, and one of
another kind.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sync.errors import ConfigError
from sync.runtime.keys.foreign_certificates import FOREIGN_ERRORS
from sync.runtime.keys.key_files import make_key_file, read_key_file


def load_tls_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """The private key in `path`; `ConfigError` when it is missing, unreadable, open to others or of another kind."""
    data = read_key_file(path)
    try:
        key = serialization.load_pem_private_key(data, None)
    except FOREIGN_ERRORS as error:
        raise ConfigError(f"the key {path} cannot be read: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ConfigError(f"the key {path} is not one of TLS (ECDSA, P-256)")
    return key


def make_tls_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """The private key in `path`, made (mode 0600, synced) when there is none. Never replaces a file."""
    if path.exists():
        return load_tls_key(path)
    make_key_file(path, pem_of_key(ec.generate_private_key(ec.SECP256R1())))
    return load_tls_key(path)


def pem_of_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key as it is kept, without a password: its file's mode protects it."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
