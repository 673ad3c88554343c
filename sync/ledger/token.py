"""Time-stamp tokens (RFC 3161): a third party's word for when a seal existed.

A token is asked for over the text of the checkpoint that covers the seal (what the device signed, without the
signatures). The nonce is taken from the hash of that text, so that whoever reads the token later can check it without
the request; a new seal has a new root, so no nonce is used for two texts.

`verify` promises the time only when one signer, certified for time-stamping (and critically so) by a root that was
given from outside, and valid at that time, granted exactly this text and this nonce. A token that carries a certificate
which is not part of that signer's chain is refused.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence

import rfc3161_client as tsp
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID

from sync.errors import LedgerError

MAX_TOKEN_BYTES = 64 * 1024
MAX_CERTIFICATES = 6
REQUEST_TYPE = "application/timestamp-query"
_SHA256 = bytes.fromhex("300d06096086480165030402010500")
"""AlgorithmIdentifier of SHA-256, DER."""
_UNREADABLE = (ValueError, TypeError, LookupError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension)


def request_of(text: str) -> bytes:
    """The TimeStampReq (DER) for a checkpoint's text: SHA-256, our nonce, certificates wanted."""
    nonce = nonce_of(text)
    imprint = _der(0x30, _SHA256 + _der(0x04, hashlib.sha256(text.encode()).digest()))
    number = _der(0x02, nonce.to_bytes(nonce.bit_length() // 8 + 1, "big"))
    return _der(0x30, _der(0x02, b"\x01") + imprint + number + _der(0x01, b"\xff"))


def nonce_of(text: str) -> int:
    """The nonce that belongs to a text: 63 bits, never 0."""
    return int.from_bytes(hashlib.sha256(b"wutong time-stamp nonce\n" + text.encode()).digest()[:8], "big") >> 1 | 1


def read_roots(data: bytes) -> list[x509.Certificate]:
    """Root certificates of time-stamp authorities from a PEM bundle."""
    try:
        return x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise LedgerError(f"these are no certificates of a time-stamp authority: {error}", code="token") from error


def verify(token: bytes, text: str, roots: Sequence[x509.Certificate], *, policy: str | None = None) -> dt.datetime:
    """The time (UTC) that a token (the whole TimeStampResp, DER) says for `text`.

    `policy` (dotted) is demanded when given. `LedgerError` (`token`) says in words why the token is not believed.
    """
    if not roots:
        raise LedgerError("a time-stamp token cannot be judged without its authority's root certificate", code="token")
    answer = _decode(token)
    try:
        signer = _check_form(answer)
        builder = tsp.VerifierBuilder(roots=list(roots), tsa_certificate=signer, nonce=nonce_of(text))
        if policy is not None:
            builder = builder.policy_id(x509.ObjectIdentifier(policy))
        builder.build().verify_message(answer, text.encode())
        _check_use(signer)
        _check_chain(answer, signer, roots)
        at = answer.tst_info.gen_time
    except tsp.VerificationError as error:
        raise LedgerError(f"the time-stamp token is not believed: {error}", code="token") from error
    except _UNREADABLE as error:
        raise LedgerError(f"the time-stamp token cannot be read: {error}", code="token") from error
    return at if at.tzinfo is not None else at.replace(tzinfo=dt.UTC)


def check_reply(token: bytes, text: str) -> None:
    """For who asked: `LedgerError` unless the reply was granted for this text and nonce. Proves no signature."""
    answer = _decode(token)
    try:
        _check_form(answer)
        info = answer.tst_info
        fits = info.nonce == nonce_of(text) and info.message_imprint.message == hashlib.sha256(text.encode()).digest()
    except _UNREADABLE as error:
        raise LedgerError(f"the time-stamp authority's reply cannot be read: {error}", code="token") from error
    if not fits:
        raise LedgerError("the time-stamp authority answered something else than was asked", code="token")


def _decode(token: bytes) -> tsp.TimeStampResponse:
    if len(token) > MAX_TOKEN_BYTES:
        raise LedgerError(f"a time-stamp token of {len(token)} bytes is larger than any honest one", code="token")
    try:
        answer = tsp.decode_timestamp_response(token)
        if answer.as_bytes() != token:
            raise ValueError("it holds more than one reply")
    except (ValueError, TypeError) as error:
        raise LedgerError(f"this is no time-stamp token: {error}", code="token") from error
    return answer


def _check_form(answer: tsp.TimeStampResponse) -> x509.Certificate:
    """Status, and the certificate of the one signer."""
    if tsp.PKIStatus(answer.status) is not tsp.PKIStatus.GRANTED:
        raise LedgerError(f"the time-stamp authority did not grant the token (status {answer.status})", code="token")
    signers = list(answer.signed_data.signer_infos)
    if len(signers) != 1:
        raise LedgerError(f"a time-stamp token has one signer, this one has {len(signers)}", code="token")
    found = [
        c for c in _certificates(answer) if (c.issuer, c.serial_number) == (signers[0].issuer, signers[0].serial_number)
    ]
    if len(found) != 1:
        raise LedgerError("the time-stamp token does not carry its signer's certificate", code="token")
    return found[0]


def _certificates(answer: tsp.TimeStampResponse) -> list[x509.Certificate]:
    encoded = answer.signed_data.certificates
    if len(encoded) > MAX_CERTIFICATES:
        raise LedgerError(f"a time-stamp token with {len(encoded)} certificates is not an honest one", code="token")
    return [x509.load_der_x509_certificate(data) for data in encoded]


def _check_use(signer: x509.Certificate) -> None:
    try:
        use = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound as error:
        raise LedgerError("the time-stamp token's signer is not certified for time-stamping", code="token") from error
    if not use.critical or list(use.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise LedgerError("the time-stamp token's signer is not certified for time-stamping alone", code="token")


def _check_chain(answer: tsp.TimeStampResponse, signer: x509.Certificate, roots: Sequence[x509.Certificate]) -> None:
    """Every certificate in the token must lead from the signer to a root: nothing may be slipped in beside them."""
    left = [c for c in _certificates(answer) if c != signer]
    at = signer
    while at not in roots and (above := _issuer(at, [*roots, *left])) is not None and above != at:
        at = above
        left = [c for c in left if c != above]
    if at not in roots:
        raise LedgerError("the time-stamp token's signer does not lead to a root that was given", code="token")
    if left:
        raise LedgerError("the time-stamp token carries a certificate that is not of its signer's chain", code="token")


def _issuer(certificate: x509.Certificate, among: Sequence[x509.Certificate]) -> x509.Certificate | None:
    for candidate in among:
        try:
            certificate.verify_directly_issued_by(candidate)
        except (*_UNREADABLE, InvalidSignature):
            continue
        return candidate
    return None


def _der(tag: int, content: bytes) -> bytes:
    """One DER value of fewer than 128 bytes."""
    assert len(content) < 0x80
    return bytes([tag, len(content)]) + content
