"""A head of the audit log's tree: what the center signs of it at least every minute in which it grew.

    wutong-audit/<the center: 16 hex digits of its key's hash>
    <number of rows>
    <root, base64>
    row <number of the last row in it>
    utc <UTC of the center's clock, ns>

The origin names the center by its key, so a head can stand neither for another center nor for a hearing
(`sync.ledger.checkpoint`). The form is that of c2sp.org/tlog-checkpoint.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sync.errors import LedgerError
from sync.ledger.keys import CENTER
from sync.ledger.note import Note, Verifier, read_note, sign, signed_by
from sync.ledger.signing_key import SigningKey
from sync.ledger.tree import HASH_BYTES

MAX_HEAD_CHARS = 4096
_DECIMAL = r"(0|[1-9][0-9]{0,18})"
_BODY = re.compile(
    rf"wutong-audit/([0-9a-f]{{16}})\n{_DECIMAL}\n([A-Za-z0-9+/=]{{44}})\nrow {_DECIMAL}\nutc {_DECIMAL}\n"
)


def name_of(key: Ed25519PublicKey) -> str:
    """How the origin of a head names the center with this key."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The root over the first `size` rows, of which the last has the number `last_row`."""

    center: str
    size: int
    root: bytes
    last_row: int
    utc_ns: int

    def to_text(self) -> str:
        """The text that is signed."""
        root = base64.b64encode(self.root).decode()
        return f"wutong-audit/{self.center}\n{self.size}\n{root}\nrow {self.last_row}\nutc {self.utc_ns}\n"

    @classmethod
    def from_text(cls, text: str) -> AuditHead:
        """Read what `to_text` made; `LedgerError` "head" for anything else."""
        found = _BODY.fullmatch(text)
        if found is None:
            raise LedgerError("this is not the head of an audit log", code="head")
        try:
            root = base64.b64decode(found[3], validate=True)
        except binascii.Error as error:
            raise LedgerError("the root of a head is not base64", code="head") from error
        value = cls(found[1], int(found[2]), root, int(found[4]), int(found[5]))
        if max(value.size, value.last_row, value.utc_ns) >= 1 << 63 or value.size == 0:
            raise LedgerError("a head has a number that no audit log has", code="head")
        if len(root) != HASH_BYTES or value.to_text() != text:
            raise LedgerError("a head is not in its one form", code="head")
        return value


def sign_head(head: AuditHead, key: SigningKey) -> Note:
    """The note that the center signs."""
    return sign(head.to_text(), CENTER, key)


def read_head(text: object, key: Ed25519PublicKey) -> tuple[Note, AuditHead]:
    """A head that the center with this key has signed; `LedgerError` "head", "note" or "signature" otherwise."""
    if not isinstance(text, str):
        raise LedgerError("the head of an audit log is no text", code="head")
    if len(text) > MAX_HEAD_CHARS:
        raise LedgerError("the head of an audit log is longer than any honest one", code="head")
    note = read_note(text)
    head = AuditHead.from_text(note.text)
    if signed_by(note, Verifier(CENTER, key)) is None:
        raise LedgerError("the head of the audit log is not signed by this center", code="signature")
    if head.center != name_of(key):
        raise LedgerError("the head is of another center's audit log", code="head")
    return note, head
