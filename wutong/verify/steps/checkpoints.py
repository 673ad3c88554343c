"""Step 3: every checkpoint is of this hearing and signed by the device, whose certificate the center issued and which
was valid when it signed: at the second of the center's cosignature where there is one, else at the device's own UTC.

A certificate that has expired since changes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sync.errors import LedgerError
from sync.ledger.keys import CENTER, check_certificate, proves
from sync.ledger.note import COSIGNATURE, Verifier, signed_by
from sync.runtime.keys.foreign_certificates import FOREIGN_ERRORS
from wutong.verify.case import ExportCase, Signed
from wutong.verify.verdict import Reason, false, lacking


def run(case: ExportCase) -> Iterator[Reason]:
    """Reasons `no-center-key`, `checkpoints-missing`, `certificate…`, `checkpoint…`, `device-key-changed`."""
    if not case.checkpoints:
        yield lacking("checkpoints-missing")
    key = device_key(case)
    if case.device is None:
        yield lacking("certificate-missing")
    if case.center is None:
        yield lacking("no-center-key")
    elif case.device is not None:
        yield from _certificate(case, case.device, case.center)
    yield from _order(case)
    for signed in case.checkpoints:
        yield from _signature(case, signed, key)


def signed_at(case: ExportCase) -> dt.datetime | None:
    """When the last checkpoint was signed, by the best word there is."""
    if case.last is None:
        return None
    seconds = witnessed_s(case, case.checkpoints[-1])
    try:
        return dt.datetime.fromtimestamp(case.last.utc_ns / 1e9 if seconds is None else seconds, dt.UTC)
    except (OverflowError, ValueError, OSError):
        return None


def witnessed_s(case: ExportCase, signed: Signed) -> int | None:
    """The second at which the center countersigned a checkpoint; None when it did not, or falsely."""
    if case.center is None or signed.note is None:
        return None
    try:
        return signed_by(signed.note, Verifier(CENTER, case.center, COSIGNATURE))
    except LedgerError:
        return None


def _certificate(case: ExportCase, pem: bytes, center: Ed25519PublicKey) -> Iterator[Reason]:
    at = signed_at(case)
    if at is None:
        return
    try:
        check_certificate(pem, case.room, center, at)
    except LedgerError as error:
        yield false("certificate-expired" if error.code == "expired" else "certificate", error.message)


def device_key(case: ExportCase) -> Ed25519PublicKey | None:
    """The key of the device's certificate, whoever issued it: `run` judges that."""
    if case.device is None:
        return None
    try:
        key = x509.load_pem_x509_certificate(case.device).public_key()
    except FOREIGN_ERRORS:
        return None
    return key if isinstance(key, Ed25519PublicKey) and proves(key) else None


def _order(case: ExportCase) -> Iterator[Reason]:
    size = number = 0
    for signed in case.checkpoints:
        point = signed.point
        if point is None:
            yield false("checkpoint", signed.place, signed.error)
            continue
        index = case.index
        expected = (index.room, index.hearing) if index is not None else (case.room, point.hearing)
        hearing = str(case.known[0].hearing) if case.known else point.hearing
        if (point.room, point.hearing) != expected or point.hearing != hearing:
            yield false("checkpoint-hearing", f"{point.room}/{point.hearing}")
        if point.size < size or point.last_number < number:
            yield false("checkpoint-order", f"{size} > {point.size}")
        size, number = point.size, point.last_number


def _signature(case: ExportCase, signed: Signed, key: Ed25519PublicKey | None) -> Iterator[Reason]:
    if signed.point is None:
        return
    if signed.note is None or not any(name == case.room for name, _ in signed.note.lines):
        yield lacking("checkpoint-unsigned", signed.place)
        return
    if key is None:
        return
    try:
        if signed_by(signed.note, Verifier(case.room, key)) is None:
            yield false("device-key-changed", signed.place)
    except LedgerError:
        yield false("checkpoint-signature", signed.place)
