"""Requests and certificates of TLS as others write them, in PEM."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sync.errors import LedgerError
from sync.tls.certificates import check_tls_certificate, peer_identity, read_authority, read_certificate
from sync.tls.names import alternative_names, subject
from sync.tls.requests import read_request, tls_request

_KEY = ec.derive_private_key(7, ec.SECP256R1())
_NOW = dt.datetime(2026, 11, 29, tzinfo=dt.UTC)
ROOM = "court1/c03"


class _Reader(Protocol):
    def __call__(self) -> object: ...


def target(data: bytes) -> None:
    readers: tuple[_Reader, ...] = (
        lambda: read_request(data, ROOM),
        lambda: read_certificate(data),
        lambda: read_authority(data),
        lambda: check_tls_certificate(data, ROOM, data, _KEY.public_key(), _NOW),
    )
    for read in readers:
        with contextlib.suppress(LedgerError):
            read()
    with contextlib.suppress(LedgerError):
        peer_identity(read_certificate(data).public_bytes(serialization.Encoding.DER))
    peer_identity(data)


def seeds() -> Iterator[bytes]:
    yield tls_request(_KEY, ROOM, ["room.example", "192.0.2.7"])
    builder = x509.CertificateBuilder().subject_name(subject(ROOM)).issuer_name(subject(ROOM)).serial_number(7)
    builder = builder.public_key(_KEY.public_key()).not_valid_before(_NOW).not_valid_after(_NOW + dt.timedelta(days=1))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(alternative_names(["room.example"]), critical=False)
    yield builder.sign(_KEY, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
