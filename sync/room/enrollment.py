"""Enrollment, the room's side: the device's key, its certificate, and the public key of the center that gave it.

`enroll` sends a code that the center printed, with a certificate request of the device's own key, and keeps what it
gets only when it fits: a certificate of this room, for this key, by the key of the center that comes with it. A
center's key that differs from the one of an earlier enrollment is refused: somebody has to look, and to remove the old
one by hand.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from typing import Annotated

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel, Field, ValidationError

from sync.errors import CenterError, ConfigError, LedgerError
from sync.ledger.keys import certificate_request, check_certificate, public_pem, read_public
from sync.ledger.signing_key import SigningKey
from sync.room.paths import RoomPaths
from sync.runtime.durable_files import replace_file

_Pem = Annotated[str, Field(max_length=10_000)]


class EnrollmentGrant(BaseModel):
    """The center's answer to `POST /api/enroll`."""

    certificate: _Pem
    center: _Pem


def fingerprint(key: Ed25519PublicKey) -> str:
    """SHA-256 of a raw public key, in groups that people can compare."""
    text = hashlib.sha256(key.public_bytes_raw()).hexdigest()
    return " ".join(text[i : i + 8] for i in range(0, 32, 8))


def center_key(layout: RoomPaths) -> Ed25519PublicKey | None:
    """The public key of the center that this room was enrolled at; None when it was not, or the file is spoilt."""
    try:
        return read_public(layout.center_key.read_bytes())
    except (OSError, LedgerError):
        return None


def is_enrolled(layout: RoomPaths, room: str, now: dt.datetime, device: Ed25519PublicKey | None) -> bool:
    """Whether this room has a certificate that is valid now, for the key `device`; None is a key that nobody can say
    just now, because the signer is away."""
    center = center_key(layout)
    try:
        if center is None:
            return False
        certified = check_certificate(layout.device_certificate.read_bytes(), room, center, now)
    except (OSError, LedgerError):
        return False
    return device is None or certified == device


def enroll(
    http: httpx.Client, layout: RoomPaths, room: str, code: str, now: dt.datetime, key: SigningKey
) -> Ed25519PublicKey:
    """Enroll the device that has `key`; the center's key. `CenterError`, `ConfigError`, `LedgerError` says why not."""
    request = certificate_request(key, room).decode()
    try:
        answer = http.post("/api/enroll", json={"code": code, "request": request}, headers={"X-Wutong": "1"})
    except httpx.HTTPError as error:
        raise CenterError(f"the center cannot be reached ({error}); look at [center] url in the profile") from error
    if answer.status_code == 403:
        raise CenterError("the center does not know this code, or it was used, or it is too old; make a new one there")
    try:
        grant = EnrollmentGrant.model_validate_json(answer.content) if answer.status_code == 200 else None
    except ValidationError:
        grant = None
    if grant is None:
        raise CenterError(f"the center answered {answer.status_code} to the enrollment: {answer.text[:200]}")
    center = read_public(grant.center.encode())
    if check_certificate(grant.certificate.encode(), room, center, now) != key.public_key():
        raise LedgerError("the center certified another key than this device's; nothing was kept", code="certificate")
    known = center_key(layout)
    if known is not None and known != center:
        raise LedgerError(
            f"the center has another key ({fingerprint(center)}) than when this room was enrolled "
            f"({fingerprint(known)}); if that is right, remove {layout.center_key} and enroll again",
            code="certificate",
        )
    _keep(layout.center_key, public_pem(center))
    _keep(layout.device_certificate, grant.certificate.encode())
    return center


def _keep(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    try:
        replace_file(path, data)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from error
