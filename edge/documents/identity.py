"""Who signs a file: the device by its key and the certificate that the center gave it, or nobody."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.errors import ConfigError, LedgerError
from sync.ledger.keys import check_certificate, load_key
from sync.room.enrollment import center_key
from sync.room.paths import RoomPaths


@dataclass(frozen=True, slots=True)
class Identity:
    """A device that may sign: its key, and the center's word (PEM) that it is this room's."""

    key: Ed25519PrivateKey
    certificate: bytes

    def in_words(self, court: str, room: str, *, stamped: bool = False) -> str:
        """What the document says of its signature; `stamped` where it carries a time-stamp too."""
        read = x509.load_pem_x509_certificate(self.certificate)
        return (
            f"本文件由{court}{room}庭审设备以其数字证书签名（序列号 {read.serial_number:x}，"
            f"{'PAdES B-T，带时间戳' if stamped else 'PAdES B-B'}），签名覆盖本文件全部内容；"
            "证明文件自签名后未被改动，不替代签名人的签名。"
        )


def identity_of(layout: RoomPaths, room: str, now: dt.datetime) -> Identity | None:
    """The device's identity; None when this room is not enrolled or its certificate is not valid now."""
    center = center_key(layout)
    try:
        if center is None:
            return None
        certificate = layout.device_certificate.read_bytes()
        key = load_key(layout.device_key)
        certified = check_certificate(certificate, room, center, now)
    except (OSError, LedgerError, ConfigError):
        return None
    return Identity(key, certificate) if certified == key.public_key() else None
