"""The device's signature in a PDF: PAdES B-B, or B-T with a time-stamp authority.

The key is the device's Ed25519 key, behind the signer (`sync.room.signer`), the certificate the one that the center
gave at enrollment: so whoever has the center's public key can judge the file without any server (`wutong verify` does).
Promises: every byte of the file is covered. What readers make of Ed25519 (RFC 8419, ISO/TS 32002) is in docs/words.md.
"""

from __future__ import annotations

import io

from asn1crypto import x509 as asn1_x509
from asn1crypto.algos import SignedDigestAlgorithm
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, Signer
from pyhanko.sign.timestamps import HTTPTimeStamper, TimestampRequestError
from pyhanko_certvalidator.registry import SimpleCertificateStore

from edge.documents.identity import Identity
from sync.errors import LedgerError
from sync.ledger.signing_key import SigningKey

FIELD = "WutongDevice"
TSA_S = 15
_SIGNATURE_BYTES = 64


def sign_pdf(data: bytes, identity: Identity, *, place: str) -> bytes:
    """The file with an invisible signature."""
    return _signed(data, identity, place, None)


def stamped_pdf(data: bytes, identity: Identity, *, place: str, tsa_url: str) -> bytes:
    """The same with a time-stamp; `LedgerError` says why the authority gave none."""
    try:
        return _signed(data, identity, place, HTTPTimeStamper(tsa_url, timeout=TSA_S))
    except (SigningError, TimestampRequestError, OSError) as error:
        raise LedgerError(
            f"时间戳服务没有应答，笔录文件未加盖时间戳：{error} (no time-stamp was given; check center.tsa_url)",
            code="token",
        ) from error


def _signed(data: bytes, identity: Identity, place: str, stamper: HTTPTimeStamper | None) -> bytes:
    signer = _DeviceSigner(_certificate(identity.certificate), identity.key)
    meta = PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha512",  # what RFC 8419 asks for beside Ed25519
        subfilter=SigSeedSubFilter.PADES,
        location=place,
        reason="法庭笔录完整性",
        certify=True,
    )
    writer = IncrementalPdfFileWriter(io.BytesIO(data))
    return bytes(PdfSigner(meta, signer, timestamper=stamper).sign_pdf(writer).getbuffer())


class _DeviceSigner(Signer):
    """pyHanko's view of a key that is elsewhere: it is given what is to be signed (RFC 8419: Ed25519 of all of it)."""

    def __init__(self, certificate: asn1_x509.Certificate, key: SigningKey) -> None:
        super().__init__(
            signing_cert=certificate,
            cert_registry=SimpleCertificateStore(),  # type: ignore[no-untyped-call]  # it says no types
            signature_mechanism=SignedDigestAlgorithm({"algorithm": "ed25519"}),
        )
        self._key = key

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        return bytes(_SIGNATURE_BYTES) if dry_run else self._key.sign(data)


def _certificate(pem: bytes) -> asn1_x509.Certificate:
    der = x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)
    return asn1_x509.Certificate.load(der)
