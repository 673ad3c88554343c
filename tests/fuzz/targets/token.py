"""Time-stamp tokens of an authority that nobody has asked."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from sync.errors import LedgerError
from sync.ledger import token
from tests.support.paths import ROOT

_GOLDEN = ROOT / "tests/export/golden"
_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def _root() -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "root")])
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(_KEY.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + dt.timedelta(days=9999))
    return builder.sign(_KEY, None)


_ROOTS = [_root()]


def target(data: bytes) -> None:
    with contextlib.suppress(LedgerError):
        token.check_reply(data, "text")
    try:
        token.verify(data, "text", _ROOTS)
    except LedgerError:
        return
    raise AssertionError("a token of nobody was believed")


def seeds() -> Iterator[bytes]:
    for path in sorted(_GOLDEN.glob("*/**/*.tsr")):
        yield path.read_bytes()
    yield bytes.fromhex("30053003020100")
    yield token.request_of("text")
