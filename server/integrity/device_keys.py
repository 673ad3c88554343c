"""The keys that may sign for each room now: in memory, so that every batch of events is judged without a query.

A key counts while its device is enrolled and not revoked, its certificate is this center's own, and the certificate's
time is not over. `Enrollment` says anew what it has when that changes; what another process has changed (`wutong enroll
--revoke`) is seen at its next look.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sync.errors import LedgerError
from sync.ledger.keys import check_certificate
from sync.ledger.note import Verifier
from sync.runtime.units import NS_PER_S

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Device:
    """A device that was enrolled."""

    room: str
    public_key: str
    """Raw Ed25519 key, hex."""
    certificate: str
    enrolled_utc_ns: int
    revoked_utc_ns: int | None


@dataclass(frozen=True, slots=True)
class CertifiedKey:
    """What a device's certificate says, which this center has issued; seconds of UTC."""

    verifier: Verifier
    from_s: float
    until_s: float


class DeviceKeys:
    """May be read from any thread."""

    def __init__(self, center: Ed25519PublicKey, *, utc_ns: Callable[[], int] = time.time_ns) -> None:
        self._center = center
        self._utc_ns = utc_ns
        self._known: tuple[Device, ...] = ()
        self._keys: dict[str, list[CertifiedKey]] = {}

    def of(self, room: str) -> Sequence[Verifier]:
        """Who may sign for `court/room` now; nobody when it is not enrolled."""
        now_s = self._utc_ns() / NS_PER_S
        return [key.verifier for key in self._keys.get(room, ()) if now_s <= key.until_s]

    def ends(self) -> dict[str, float]:
        """`court/room` -> UTC in seconds at which the last of its devices' certificates ends."""
        return {room: max(key.until_s for key in keys) for room, keys in self._keys.items() if keys}

    def learn(self, devices: Sequence[Device]) -> None:
        """All devices that were ever enrolled."""
        if tuple(devices) == self._known:
            return
        keys: dict[str, list[CertifiedKey]] = {}
        for device in devices:
            if device.revoked_utc_ns is not None:
                continue
            try:
                keys.setdefault(device.room, []).append(certified_key(device, self._center))
            except (LedgerError, ValueError) as error:
                log.warning("device_not_believed", room=device.room, why=str(error))
        self._keys = keys
        self._known = tuple(devices)


def certified_key(device: Device, center: Ed25519PublicKey) -> CertifiedKey:
    """What its certificate says, at whatever time; `LedgerError` or `ValueError` when it is not believed."""
    certificate = x509.load_pem_x509_certificate(device.certificate.encode())
    # At the last moment of the certificate: whether it holds now is asked at every use.
    begin, until = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    key = check_certificate(device.certificate.encode(), device.room, center, until)
    if key.public_bytes_raw().hex() != device.public_key:
        raise LedgerError("the certificate of a device is not of its key", code="certificate")
    return CertifiedKey(Verifier(device.room, key), begin.timestamp(), until.timestamp())
