"""The device's signature in a PDF: PAdES B-B, or B-T with a time-stamp authority.

The key is the device's Ed25519 key, the certificate the one that the center gave at enrollment: so whoever has the
center's public key can judge the file without any server (`wutong verify` does). Promises: every byte of the file is
covered. What readers make of Ed25519 (RFC 8419, ISO/TS 32002) is in docs/words.md.
"""

from __future__ import annotations

import io

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.timestamps import HTTPTimeStamper, TimestampRequestError
from pyhanko_certvalidator.registry import SimpleCertificateStore

from edge.documents.identity import Identity
from sync.errors import LedgerError

FIELD = "WutongDevice"
TSA_S = 15


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
    private = identity.key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    signer = SimpleSigner(
        signing_cert=_certificate(identity.certificate),
        signing_key=asn1_keys.PrivateKeyInfo.load(private),
        cert_registry=SimpleCertificateStore(),  # type: ignore[no-untyped-call]  # it says no types
    )
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


def _certificate(pem: bytes) -> asn1_x509.Certificate:
    der = x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)
    return asn1_x509.Certificate.load(der)
