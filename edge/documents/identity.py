"""Who signs a file: the device by its key and the certificate that the center gave it, or nobody."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from cryptography import x509

from sync.errors import LedgerError
from sync.ledger.keys import check_certificate
from sync.ledger.signing_key import SigningKey
from sync.room.enrollment import center_key
from sync.room.paths import RoomPaths


@dataclass(frozen=True, slots=True)
class Identity:
    """A device that may sign: its key, and the center's word (PEM) that it is this room's."""

    key: SigningKey
    certificate: bytes

    def in_words(self, court: str, room: str, *, stamped: bool = False) -> str:
        """What the document says of its signature; `stamped` where it carries a time-stamp too."""
        read = x509.load_pem_x509_certificate(self.certificate)
        return (
            f"本文件由{court}{room}庭审设备以其数字证书签名（序列号 {read.serial_number:x}，"
            f"{'PAdES B-T，带时间戳' if stamped else 'PAdES B-B'}），签名覆盖本文件全部内容；"
            "证明文件自签名后未被改动，不替代签名人的签名。"
        )


def identity_of(layout: RoomPaths, room: str, now: dt.datetime, key: SigningKey) -> Identity | None:
    """The identity of the device that has `key`; None when this room is not enrolled or its certificate is not valid
    now. A signer that is away makes no difference here: it is missed where something is to be signed."""
    center = center_key(layout)
    try:
        if center is None:
            return None
        certificate = layout.device_certificate.read_bytes()
        certified = check_certificate(certificate, room, center, now)
    except (OSError, LedgerError):
        return None
    try:
        return Identity(key, certificate) if certified == key.public_key() else None
    except LedgerError:
        return Identity(key, certificate)
