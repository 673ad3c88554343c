"""Reading and judging certificates of the court's authority, and whether one is due to be made again."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from sync.errors import LedgerError
from sync.runtime.keys.foreign_certificates import FOREIGN_ERRORS
from sync.tls.names import common_name

RENEW_SHARE = 1 / 3
"""Of its life that is left when a certificate is made again."""


@dataclass(frozen=True, slots=True)
class PeerIdentity:
    """Whose certificate came with a connection, as the connection itself has proved."""

    name: str
    """`court/room`, or `center`."""
    serial: int
    until: dt.datetime


def read_certificate(data: bytes) -> x509.Certificate:
    """The one certificate in PEM; `LedgerError` when there is none, or more than one: nobody vouched for a second."""
    try:
        found = x509.load_pem_x509_certificates(data)
    except FOREIGN_ERRORS as error:
        raise LedgerError(f"this is no certificate: {error}", code="certificate") from error
    if len(found) != 1:
        raise LedgerError("this is not one certificate but several", code="certificate")
    return found[0]


def pem_of(certificate: x509.Certificate) -> bytes:
    """A certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def check_tls_certificate(
    data: bytes, name: str, authority: bytes, key: ec.EllipticCurvePublicKey, now: dt.datetime
) -> x509.Certificate:
    """A certificate that was issued to `name` for `key`; `LedgerError` says why it is not believed."""
    certificate, issuer = read_certificate(data), read_authority(authority)
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, *FOREIGN_ERRORS) as error:
        raise LedgerError("the TLS certificate was not issued by this authority", code="certificate") from error
    try:
        uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        same_key = certificate.public_key() == key
    except FOREIGN_ERRORS as error:
        raise LedgerError(f"the TLS certificate cannot be read: {error}", code="certificate") from error
    if common_name(certificate) != name or constraints.ca or ExtendedKeyUsageOID.CLIENT_AUTH not in uses:
        raise LedgerError(f"the TLS certificate is not one of {name}", code="certificate")
    if not same_key:
        raise LedgerError("the TLS certificate is for another key than this machine's", code="certificate")
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise LedgerError(f"the TLS certificate is not valid at {now:%Y-%m-%d %H:%M:%S} UTC", code="expired")
    return certificate


def read_authority(data: bytes) -> x509.Certificate:
    """The certificate of an authority; `LedgerError` when it is none or may not certify."""
    certificate = read_certificate(data)
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        key = certificate.public_key()
    except FOREIGN_ERRORS as error:
        raise LedgerError("this is no certificate of an authority", code="certificate") from error
    if not constraints.ca or not isinstance(key, ec.EllipticCurvePublicKey):
        raise LedgerError("this is no certificate of an authority", code="certificate")
    return certificate


def is_due(certificate: x509.Certificate, now: dt.datetime) -> bool:
    """Whether less than a third of its life is left."""
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    return now >= certificate.not_valid_after_utc - life * RENEW_SHARE


def peer_identity(der: bytes | None) -> PeerIdentity | None:
    """Whose certificate this is, which the handshake has verified; None for none, or one that names nobody."""
    if not der:
        return None
    try:
        certificate = x509.load_der_x509_certificate(der)
        return PeerIdentity(common_name(certificate), certificate.serial_number, certificate.not_valid_after_utc)
    except (LedgerError, *FOREIGN_ERRORS):
        return None
