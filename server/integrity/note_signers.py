"""Who has signed a checkpoint, and whether this device may sign now: the store says which devices there are, memory
what their certificates say.

Promises: a device that was revoked, by whichever process, signs for nobody from the moment in which that is stored: the
rows of the room's devices are read with the events that the checkpoint is about. Only what cannot change is kept, which
is what a certificate says, by its whole text; its time is compared at every use.
"""

from __future__ import annotations

import threading

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, bindparam, select

from server.integrity.device_keys import CertifiedKey, Device, certified_key
from server.store import tables as t
from sync.errors import LedgerError
from sync.ledger.note import Note, Verifier, signed_by

MOST_KEPT = 8192
"""Certificates, about two kilobytes each."""
_DEVICES = select(t.devices).where(t.devices.c.room == bindparam("of")).order_by(t.devices.c.row.desc())
_NOBODY = "no device of this room that may sign now has signed this"


class NoteSigners:
    """May be used from several threads."""

    def __init__(self, center: Ed25519PublicKey) -> None:
        """`center`: whose certificates are believed."""
        self._center = center
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str, str], CertifiedKey] = {}

    def of(self, connection: Connection, room: str, note: Note, now_s: int) -> Verifier:
        """Whose signature of `court/room` is on the note, at a second of UTC; `LedgerError` "signature" where one is
        false, "device" where none is of a device that may sign."""
        rows = connection.execute(_DEVICES, {"of": room}).all()
        for row in rows:
            device = Device(row.room, row.public_key, row.certificate, row.enrolled_utc_ns, row.revoked_utc_ns)
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(device.public_key))
            if signed_by(note, Verifier(room, key)) is None:
                continue
            if device.revoked_utc_ns is not None:
                continue  # the same key may have been enrolled again
            try:
                certified = self._certified(device)
            except (LedgerError, ValueError) as error:
                raise LedgerError(str(error), code="device") from error
            if not certified.from_s <= now_s <= certified.until_s:
                raise LedgerError("the certificate of the device that signed this does not hold now", code="device")
            return certified.verifier
        raise LedgerError(_NOBODY, code="device")

    def _certified(self, device: Device) -> CertifiedKey:
        name = device.room, device.public_key, device.certificate
        with self._lock:
            kept = self._kept.get(name)
        if kept is None:
            kept = certified_key(device, self._center)
            with self._lock:
                if len(self._kept) >= MOST_KEPT:
                    self._kept.clear()
                self._kept[name] = kept
        return kept
