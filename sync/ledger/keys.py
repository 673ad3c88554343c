"""Keys and certificates: a device has an Ed25519 key of its own, and the center says in a certificate whose it is.

Promises: a private key lives in one file of mode 0600 and is made once; a certificate that `check_certificate` accepts
was signed by the center's key, names this room, and was valid at the moment in question, whatever the time is now.
The center has no certificate: only its public key, given from outside, is trusted.
Refused wherever a key is read: one of small order, under which signatures of nobody verify; one with a part of small
order, whose signatures some verifiers take and others do not; and a key that is not in its one encoding. Who signs with
such a key could disown all of it.
"""

from __future__ import annotations

import datetime as dt
import functools
from pathlib import Path

from asn1crypto import csr, pem
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.x509.oid import NameOID

from sync.errors import ConfigError, LedgerError
from sync.ledger.curve import is_of_prime_order
from sync.ledger.signing_key import SigningKey
from sync.runtime.keys.foreign_certificates import FOREIGN_ERRORS
from sync.runtime.keys.key_files import make_key_file, read_key_file

CENTER = "wutong-center"
"""The center's name in signed notes."""
VALID_YEARS = 5
BACKDATE = dt.timedelta(hours=1)
"""A device whose clock is a little behind must not find its new certificate invalid."""


def proves(key: Ed25519PublicKey) -> bool:
    """Whether a signature under this key proves anything: it has its one encoding and no part of small order."""
    return _is_of_prime_order(key.public_bytes_raw())


_is_of_prime_order = functools.lru_cache(maxsize=16_384)(is_of_prime_order)
"""It takes milliseconds, and a verifier asks for every note; a center has some thousand rooms, each with its key."""


def checked_key(key: Ed25519PublicKey) -> Ed25519PublicKey:
    """`key`; `LedgerError` when signatures under it prove nothing."""
    if not proves(key):
        raise LedgerError(
            "this Ed25519 key has a part of small order or is not in its one encoding: what it signs proves nothing; "
            "make another",
            code="key",
        )
    return key


def load_key(path: Path) -> Ed25519PrivateKey:
    """The private key in `path`; `ConfigError` when it is missing, unreadable, open to others or of another kind."""
    data = read_key_file(path)
    try:
        key = serialization.load_pem_private_key(data, None)
    except FOREIGN_ERRORS as error:
        raise ConfigError(f"the key {path} cannot be read: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"the key {path} is not an Ed25519 key")
    return key


def make_key(path: Path) -> Ed25519PrivateKey:
    """The private key in `path`, made (mode 0600, synced) when there is none. Never replaces a file."""
    if path.exists():
        return load_key(path)
    key = Ed25519PrivateKey.generate()
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    make_key_file(path, encoded)
    return load_key(path)


def public_pem(key: Ed25519PublicKey) -> bytes:
    """A public key as people pass it on."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def read_public(data: bytes) -> Ed25519PublicKey:
    """A public key from PEM; `LedgerError` when it is none."""
    try:
        key = serialization.load_pem_public_key(data)
    except FOREIGN_ERRORS as error:
        raise LedgerError(f"this is no public key: {error}", code="key") from error
    if not isinstance(key, Ed25519PublicKey):
        raise LedgerError("the public key is not Ed25519", code="key")
    return checked_key(key)


def request_info(key: Ed25519PublicKey, room: str) -> bytes:
    """What a device signs to be known as `court/room`: a CertificationRequestInfo (RFC 2986), DER. One key and one
    room have exactly one."""
    encoded = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    info = csr.CertificationRequestInfo(
        {
            "version": "v1",
            "subject": asn1_x509.Name.build({"common_name": room}),
            "subject_pk_info": asn1_keys.PublicKeyInfo.load(encoded),
            "attributes": [],
        }
    )
    return bytes(info.dump())


def certificate_request(key: SigningKey, room: str) -> bytes:
    """PEM with which a device asks to be known as `court/room`; `LedgerError` when the key does not sign."""
    info = request_info(key.public_key(), room)
    request = csr.CertificationRequest(
        {
            "certification_request_info": csr.CertificationRequestInfo.load(info),
            "signature_algorithm": {"algorithm": "ed25519"},
            "signature": key.sign(info),
        }
    )
    return bytes(pem.armor("CERTIFICATE REQUEST", request.dump()))


def request_key(request: bytes) -> Ed25519PublicKey:
    """The key of a certificate request; `LedgerError` when it is none."""
    try:
        key = x509.load_pem_x509_csr(request).public_key()
    except FOREIGN_ERRORS as error:
        raise LedgerError("this is no certificate request", code="key") from error
    if not isinstance(key, Ed25519PublicKey):
        raise LedgerError("the request is not for an Ed25519 key", code="key")
    return checked_key(key)


def issue(
    request: bytes, room: str, center: Ed25519PrivateKey, now: dt.datetime, *, since: dt.datetime | None = None
) -> bytes:
    """The certificate (PEM) for a device that proved by its request that it holds the key.

    `since`: from when on the center has known this key as the room's. A renewed certificate covers what the key signed
    under the one before, so that the hearings of that time stay authentic.
    """
    try:
        asked = x509.load_pem_x509_csr(request)
        valid, key, subject = asked.is_signature_valid, asked.public_key(), asked.subject
    except FOREIGN_ERRORS as error:
        raise LedgerError("this is no certificate request", code="key") from error
    if not valid or not isinstance(key, Ed25519PublicKey) or subject != _name(room):
        raise LedgerError(f"the request is not one of {room} with an Ed25519 key of its own", code="key")
    checked_key(key)
    builder = _builder(_name(room), _name(CENTER), key, now, since=since)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(), critical=True)
    return builder.sign(center, None).public_bytes(serialization.Encoding.PEM)


def check_certificate(data: bytes, room: str, center: Ed25519PublicKey, at: dt.datetime) -> Ed25519PublicKey:
    """The key of `room`'s device by the certificate in `data`; `LedgerError` says why it is not believed."""
    try:
        certificate = x509.load_pem_x509_certificate(data)
        center.verify(certificate.signature, certificate.tbs_certificate_bytes)
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        subject, key = certificate.subject, certificate.public_key()
    except InvalidSignature as error:
        raise LedgerError("the device's certificate was not issued by this center", code="certificate") from error
    except FOREIGN_ERRORS as error:
        raise LedgerError(f"the device's certificate cannot be read: {error}", code="certificate") from error
    if subject != _name(room) or constraints.ca or not usage.digital_signature:
        raise LedgerError(f"the device's certificate is not one of {room} for signing", code="certificate")
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise LedgerError(f"the device's certificate was not valid at {at:%Y-%m-%d %H:%M:%S} UTC", code="expired")
    if not isinstance(key, Ed25519PublicKey):
        raise LedgerError("the device's certificate holds no Ed25519 key", code="certificate")
    return checked_key(key)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: Ed25519PublicKey,
    now: dt.datetime,
    *,
    since: dt.datetime | None = None,
) -> x509.CertificateBuilder:
    until = now + dt.timedelta(days=365 * VALID_YEARS)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now - BACKDATE, since or now))
        .not_valid_after(until)
    )


def _usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
