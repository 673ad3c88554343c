"""The pass that a request of a room carries from the process that it reached to the room's owner.

Says which process it is for, which request it is of, and whose certificate had come with the room's connection: the
owner judges that certificate itself, as if the room had come to it. It is sealed (HMAC-SHA-256) by a key that every
process makes of the center's own signing key, so no other secret has to be handed around, and nobody else can make one.
It is good for one life of one process. Who has such a pass is never sent on.
"""

from __future__ import annotations

import base64
import datetime as dt
import hmac
from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sync.tls.certificates import PeerIdentity

HEADER = "x-wutong-forwarded"
MAX_PATH_CHARS = 512
MAX_PASS_CHARS = 2048
_INFO = b"wutong/forwarded/v1"


class PassedPeer(BaseModel):
    """Whose certificate it was."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=64)]
    serial: Annotated[str, Field(pattern=r"^[0-9a-f]{1,48}$")]
    until: dt.datetime


class ForwardPass(BaseModel):
    """What is sealed."""

    model_config = ConfigDict(extra="forbid")

    to: Annotated[str, Field(max_length=64)]
    """The address of the process that it is for."""
    method: Annotated[str, Field(max_length=16)]
    path: Annotated[str, Field(max_length=MAX_PATH_CHARS)]
    peer: PassedPeer | None
    """None where the room shows a token, which travels with the request."""

    @classmethod
    def of(cls, to: str, method: str, path: str, peer: PeerIdentity | None) -> ForwardPass:
        """For one request of a room."""
        passed = None if peer is None else PassedPeer(name=peer.name, serial=f"{peer.serial:x}", until=peer.until)
        return cls(to=to, method=method, path=path, peer=passed)

    @property
    def identity(self) -> PeerIdentity | None:
        """As the connection of the room had proved it."""
        peer = self.peer
        return None if peer is None else PeerIdentity(peer.name, int(peer.serial, 16), peer.until)


class PassSealer:
    """Seals and opens passes."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        """`key` is the center's."""
        self._key = HKDF(SHA256(), 32, None, _INFO).derive(key.private_bytes_raw())

    def seal(self, one: ForwardPass) -> str:
        """As the header has it."""
        text = base64.urlsafe_b64encode(one.model_dump_json().encode()).decode()
        return f"{text}.{self._mac(text)}"

    def open(self, header: str) -> ForwardPass | None:
        """None for what nobody of this center has sealed."""
        text, _, mac = header.rpartition(".")
        if len(header) > MAX_PASS_CHARS or not hmac.compare_digest(self._mac(text).encode(), mac.encode()):
            return None
        try:
            return ForwardPass.model_validate_json(base64.urlsafe_b64decode(text))
        except (ValueError, ValidationError):
            return None

    def _mac(self, text: str) -> str:
        return hmac.digest(self._key, text.encode(), "sha256").hex()
