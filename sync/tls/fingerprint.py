"""The fingerprint of a center: what an enrollment code carries, so that nobody has to compare anything.

It covers the certificate of the court's authority and the key that signs records, so that neither can be another's.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from sync.errors import CenterError, LedgerError
from sync.tls.certificates import pem_of, read_authority

_BYTES = 20
"""160 bits, in 32 letters that people can type."""


def center_fingerprint(authority: bytes, center: bytes) -> str:
    """Of the authority's certificate (PEM) and the raw public key of the center: 32 letters and digits in groups."""
    certificate = pem_of(read_authority(authority))
    told = b"wutong-center\n" + len(certificate).to_bytes(4, "big") + certificate + center
    text = base64.b32encode(hashlib.sha256(told).digest()[:_BYTES]).decode()
    return "-".join(text[i : i + 4] for i in range(0, len(text), 4))


def joined_code(code: str, fingerprint: str) -> str:
    """What is carried to the room."""
    return f"{code}.{fingerprint}"


def split_code(text: str) -> tuple[str, str]:
    """(code, fingerprint) of what was carried to the room; the fingerprint is empty in a code of an older center."""
    code, _, fingerprint = text.strip().partition(".")
    return code, fingerprint


def check_fingerprint(authority: bytes, center: bytes, wanted: str) -> None:
    """`CenterError` when who answered is not the center that made the code."""
    try:
        found = center_fingerprint(authority, center)
    except LedgerError as error:
        raise CenterError(
            f"what answered is no center: {error.message}; nothing was sent", code="fingerprint"
        ) from error
    if not hmac.compare_digest(_plain(found), _plain(wanted)):
        raise CenterError(
            "中心的指纹与登记码中的不符，登记码未发送；请检查地址，并通知管理员 (what answers at this address is not "
            "the center that made the code; the code was not sent)",
            code="fingerprint",
        )


def _plain(text: str) -> bytes:
    return "".join(c for c in text.upper() if c.isalnum()).encode("ascii", "replace")
