"""The device's signature in the PDF of a transcript, judged by the center's public key alone.

Promises: every byte of the file is covered by one signature, of the room's device as the center certified it at the
time in question. Refuses, with `LedgerError`, everything else; a file without any signature has the code `unsigned`.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.authority import NamedKeyAuthority, TrustAnchor

from sync.errors import LedgerError
from sync.ledger.keys import CENTER


def check_pdf(
    data: bytes,
    center: Ed25519PublicKey,
    time_roots: Sequence[x509.Certificate] = (),
    at: dt.datetime | None = None,
) -> str:
    """The room (`court/room`) whose device signed the whole file; `LedgerError` says why it is not believed.

    The certificate has to be valid at `at` (now where it is not said). With `time_roots` a time-stamp must lead to one
    of them; without, it says nothing. Not for a running event loop.
    """
    spki = center.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    name = asn1_x509.Name.build({"common_name": CENTER})
    anchor = TrustAnchor(NamedKeyAuthority(name, asn1_keys.PublicKeyInfo.load(spki)))
    context = ValidationContext(trust_roots=[anchor], allow_fetching=False, revocation_mode="soft-fail", moment=at)
    try:
        reader = PdfFileReader(io.BytesIO(data), strict=True)
        embedded = reader.embedded_signatures
        if len(embedded) != 1:
            code = "pdf" if embedded else "unsigned"
            raise LedgerError(f"the file has {len(embedded)} signatures; a transcript has one", code=code)
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


def _time_context(roots: Sequence[x509.Certificate]) -> ValidationContext:
    loaded = [asn1_x509.Certificate.load(root.public_bytes(serialization.Encoding.DER)) for root in roots]
    return ValidationContext(trust_roots=loaded, allow_fetching=False, revocation_mode="soft-fail")
