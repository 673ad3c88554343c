"""A court's TLS authority: its key and certificate, and the certificates and the list of revoked ones that it signs.

Made once, at the first start of the center (or of a room that stands alone), in files of its own. It may certify
servers and rooms and no further authority (path length 0). A revoked certificate is refused by whoever reads the list.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from sync.errors import ConfigError
from sync.runtime.files.durable_files import replace_file
from sync.runtime.keys.foreign_certificates import FOREIGN_ERRORS
from sync.tls.keys import make_tls_key
from sync.tls.names import alternative_names, certificate_uri, subject

AUTHORITY_YEARS = 20
CERTIFICATE_DAYS = 397
"""Of servers and rooms; browsers take no longer ones."""
BACKDATE = dt.timedelta(hours=1)
"""A machine whose clock is a little behind must not find a new certificate invalid."""
_LIST_YEARS = 10
"""A list of revoked certificates does not grow old: it is written again at once whenever it changes, and one that had
ended would shut out every room."""
_SERVER, _CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH


NEAR_END = dt.timedelta(days=2 * 365)
"""Certificates are made for as long as the authority lasts, and a new one has to come onto all PCs and rooms."""


def near_end(until: dt.datetime, now: dt.datetime) -> str | None:
    """What to say of an authority that ends at `until`; None while there is time."""
    if until - now > NEAR_END:
        return None
    verb = ("将于", "ends on") if until > now else ("已于", "ended on")
    return (
        f"法院的 TLS 证书颁发机构{verb[0]} {until:%Y-%m-%d} 到期，请安排更换 (the court's TLS authority {verb[1]} "
        f"{until:%Y-%m-%d}: plan its replacement, docs/authority.md)"
    )


@dataclass(frozen=True)
class Authority:
    """What signs certificates; open it with `open_authority`."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        """The certificate, as browsers and rooms get it."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(
        self,
        key: ec.EllipticCurvePublicKey,
        name: str,
        hosts: Iterable[str],
        now: dt.datetime,
        *,
        lasts: dt.timedelta = dt.timedelta(days=CERTIFICATE_DAYS),
    ) -> x509.Certificate:
        """A certificate for `name` that is shown to servers and, at `hosts`, to browsers."""
        until = min(now + lasts - BACKDATE, self.certificate.not_valid_after_utc)
        serial = x509.random_serial_number()
        own = x509.UniformResourceIdentifier(certificate_uri(serial))
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject(name))
            .issuer_name(self.certificate.subject)
            .public_key(key)
            .serial_number(serial)
            .not_valid_before(now - BACKDATE)
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([_SERVER, _CLIENT]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(_issued_by(self.key.public_key()), critical=False)
            .add_extension(x509.SubjectAlternativeName([*alternative_names(hosts), own]), critical=False)
        )
        return builder.sign(self.key, hashes.SHA256())

    def revocations(
        self, serials: Iterable[int], now: dt.datetime, before: x509.CertificateRevocationList | None
    ) -> bytes:
        """The list of revoked certificates (PEM); `before` is the last one, if there is one.

        Two lists of one second count as equally new, and a broker that holds both would believe the older one. So each
        is dated at least a second after the one before, beginning an hour ago.
        """
        issued = max(self.certificate.not_valid_before_utc, now - BACKDATE)
        number = 1
        if before is not None:
            issued = max(issued, before.last_update_utc + dt.timedelta(seconds=1))
            number = before.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number + 1
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(issued)
            .next_update(issued + dt.timedelta(days=365 * _LIST_YEARS))
            .add_extension(x509.CRLNumber(number), critical=False)
            .add_extension(_issued_by(self.key.public_key()), critical=False)
        )
        for serial in sorted(set(serials)):
            one = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(issued)
            builder = builder.add_revoked_certificate(one.build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def open_authority(folder: Path, name: str, now: dt.datetime) -> Authority:
    """The authority in `folder` (`authority.key`, `authority.pem`), made at first use under this name."""
    path = folder / "authority.pem"
    try:
        key = make_tls_key(folder / "authority.key")
        if not path.exists():
            replace_file(path, _made(key, name, now).public_bytes(serialization.Encoding.PEM))
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, *FOREIGN_ERRORS) as error:
        raise ConfigError(f"the TLS authority in {folder} cannot be used: {error}") from error
    if certificate.public_key() != key.public_key():
        raise ConfigError(
            f"{path} is not the certificate of {folder / 'authority.key'}; restore both from the same backup"
        )
    return Authority(certificate, key)


def _made(key: ec.EllipticCurvePrivateKey, name: str, now: dt.datetime) -> x509.Certificate:
    named = subject(name[:64])
    return (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(now + dt.timedelta(days=365 * AUTHORITY_YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _issued_by(key: ec.EllipticCurvePublicKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )
