"""Keys, requests and certificates as others write them, in PEM."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.errors import LedgerError
from sync.ledger.keys import certificate_request, check_certificate, issue, public_pem, read_public, request_key

_CENTER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
_DEVICE = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
_NOW = dt.datetime(2026, 11, 29, tzinfo=dt.UTC)


def target(data: bytes) -> None:
    for read in (
        lambda: read_public(data),
        lambda: request_key(data),
        lambda: issue(data, "court1/c03", _CENTER, _NOW),
    ):
        try:
            read()
        except LedgerError:
            continue
    try:
        key = check_certificate(data, "court1/c03", _CENTER.public_key(), _NOW)
    except LedgerError:
        return
    assert key.public_bytes_raw() == _DEVICE.public_key().public_bytes_raw()


def seeds() -> Iterator[bytes]:
    request = certificate_request(_DEVICE, "court1/c03")
    yield public_pem(_DEVICE.public_key())
    yield request
    yield issue(request, "court1/c03", _CENTER, _NOW)


FOUND = (
    b"-----BEGIN PUBLIC KEY-----\n"
    b"MCowBQYD02VwAyEAebVWLo/mVPlAeLES6KmLp5AfhTrmlb7X4OORC60ElmQ=\n"
    b"-----END PUBLIC KEY-----\n",
)
"""A key of a kind that nobody knows: the library has an error of its own for that."""
