"""The device's signature in a PDF (PAdES B-B; B-T with a time-stamp authority), and the same checked again.

The key is the device's Ed25519 key, the certificate the one that the center gave at enrolment: so whoever has the
center's public key can judge the file without any server (`check_pdf`). Promises: every byte of the file is covered; a
room without a certificate signs nothing. What readers make of Ed25519 (RFC 8419, ISO/TS 32002) is in docs/words.md.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.timestamps import HTTPTimeStamper, TimestampRequestError
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.authority import NamedKeyAuthority, TrustAnchor
from pyhanko_certvalidator.registry import SimpleCertificateStore

from edge.documents.identity import Identity
from sync.errors import LedgerError
from sync.ledger.keys import CENTER

FIELD = "WutongDevice"
TSA_S = 15


def sign_pdf(data: bytes, identity: Identity, *, place: str, tsa_url: str = "") -> tuple[bytes, bool]:
    """The file with an invisible signature, and whether it is time-stamped: a TSA that fails holds up nothing."""
    if tsa_url:
        try:
            return _signed(data, identity, place, HTTPTimeStamper(tsa_url, timeout=TSA_S)), True
        except (SigningError, TimestampRequestError, OSError):
            pass
    return _signed(data, identity, place, None), False


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


def check_pdf(data: bytes, center: Ed25519PublicKey, time_roots: Sequence[x509.Certificate] = ()) -> str:
    """The room (`court/room`) whose device signed the whole file; `LedgerError` says why it is not believed.

    With `time_roots` a time-stamp must lead to one of them; without, it says nothing. Not for a running event loop.
    """
    spki = center.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    name = asn1_x509.Name.build({"common_name": CENTER})
    anchor = TrustAnchor(NamedKeyAuthority(name, asn1_keys.PublicKeyInfo.load(spki)))
    context = ValidationContext(trust_roots=[anchor], allow_fetching=False, revocation_mode="soft-fail")
    try:
        reader = PdfFileReader(io.BytesIO(data), strict=True)
        embedded = reader.embedded_signatures
        if len(embedded) != 1:
            raise LedgerError(f"the file has {len(embedded)} signatures; a transcript has one", code="pdf")
        status = validate_pdf_signature(embedded[0], context, ts_validation_context=_time_context(time_roots))
        untimed = status.timestamp_validity is None
        if not (status.intact and status.valid and status.trusted) or status.docmdp_ok is False:
            raise LedgerError(f"the file's signature is not believed: {status.summary()}", code="pdf")
        if time_roots and (untimed or not status.bottom_line):
            raise LedgerError("the file's time-stamp is missing, or leads to none of the roots given", code="pdf")
        if status.coverage is None or status.coverage.name != "ENTIRE_FILE":
            raise LedgerError("the signature does not cover the whole file", code="pdf")
        return str(embedded[0].signer_cert.subject.native["common_name"])
    except (PdfError, SignatureValidationError, ValueError, KeyError, TypeError, IndexError) as error:
        raise LedgerError(f"the file is no PDF with a signature that can be judged: {error}", code="pdf") from error


def check_file(path: Path, center: Ed25519PublicKey) -> str:
    """`check_pdf` of a file; `LedgerError` also when it cannot be read."""
    try:
        return check_pdf(path.read_bytes(), center)
    except OSError as error:
        raise LedgerError(f"{path} cannot be read: {error.strerror}", code="pdf") from error


def _time_context(roots: Sequence[x509.Certificate]) -> ValidationContext:
    loaded = [asn1_x509.Certificate.load(root.public_bytes(serialization.Encoding.DER)) for root in roots]
    return ValidationContext(trust_roots=loaded, allow_fetching=False, revocation_mode="soft-fail")


def _certificate(pem: bytes) -> asn1_x509.Certificate:
    der = x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)
    return asn1_x509.Certificate.load(der)
