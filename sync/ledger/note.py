"""Signed notes: text that carries its signatures, readable by people and by any tool that knows the format.

The format is c2sp.org/signed-note: text, an empty line, then one line per signature, `— <name> <base64>`. Two kinds
are made here: a plain Ed25519 signature (type 1), and the time-stamped cosignature of a witness (type 4,
c2sp.org/tlog-cosignature). A line of an unknown key is kept and means nothing; a line of a known key that does not
verify makes the whole note false.
"""

from __future__ import annotations

import base64
import hashlib
import re
import struct
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sync.errors import LedgerError
from sync.ledger.keys import proves
from sync.ledger.signing_key import SigningKey

SIGNATURE = 1
COSIGNATURE = 4
MAX_NOTE_BYTES = 1_000_000
MAX_SIGNATURES = 16
_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_NAME = re.compile(r"[^\s+]{1,200}")


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key and what it may say: `kind` is `SIGNATURE` or `COSIGNATURE`."""

    name: str
    key: Ed25519PublicKey
    kind: int = SIGNATURE

    @property
    def key_id(self) -> bytes:
        """Four bytes that pick the key; no proof of anything."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.key.public_bytes_raw()).digest()[
            :4
        ]


@dataclass(frozen=True, slots=True)
class Note:
    """A note as it was read; nothing in it is believed before `signed_by`."""

    text: str
    lines: tuple[tuple[str, bytes], ...]
    """(name, key id + signature)"""

    def to_text(self) -> str:
        """The whole note."""
        signatures = "".join(f"— {name} {base64.b64encode(data).decode()}\n" for name, data in self.lines)
        return f"{self.text}\n{signatures}"


def read_note(data: str) -> Note:
    """Take a note apart; `LedgerError` when it is none."""
    if len(data) > MAX_NOTE_BYTES or any(ord(c) < 0x20 and c != "\n" for c in data):
        raise LedgerError("a signed note is too long or holds control characters", code="note")
    text, gap, rest = data.rpartition("\n\n")
    if not gap or not rest.endswith("\n"):
        raise LedgerError("a signed note has no signatures", code="note")
    lines: list[tuple[str, bytes]] = []
    for line in rest[:-1].split("\n"):
        found = _LINE.fullmatch(line)
        if found is None:
            raise LedgerError("a signed note has a line that is no signature", code="note")
        try:
            signature = base64.b64decode(found[2], validate=True)
        except ValueError as error:
            raise LedgerError("a signature is not base64", code="note") from error
        lines.append((found[1], signature))
    if len(lines) > MAX_SIGNATURES:
        raise LedgerError("a signed note has more signatures than any honest one", code="note")
    return Note(text + "\n", tuple(lines))


def sign(text: str, name: str, key: SigningKey) -> Note:
    """A note with one signature; `text` ends with a line feed."""
    _check(text, name)
    verifier = Verifier(name, key.public_key())
    return Note(text, ((name, verifier.key_id + key.sign(text.encode())),))


def cosign(note: Note, name: str, key: SigningKey, unix_s: int) -> tuple[str, bytes]:
    """The line with which a witness says that it saw `note` at `unix_s` (seconds of UTC)."""
    _check(note.text, name)
    verifier = Verifier(name, key.public_key(), COSIGNATURE)
    signature = key.sign(_cosigned(note.text, unix_s))
    return name, verifier.key_id + struct.pack(">Q", unix_s) + signature


def signed_by(note: Note, verifier: Verifier) -> int | None:
    """Whether `verifier` signed: None when it did not, else the second at which a witness says so (0 when plain).

    `LedgerError` when a line claims to be of this key and does not verify.
    """
    found: int | None = None
    for name, data in note.lines:
        if name != verifier.name or data[:4] != verifier.key_id:
            continue
        if not proves(verifier.key):
            raise LedgerError(f"the key of {verifier.name} is one for which anybody can sign", code="signature")
        try:
            if verifier.kind == COSIGNATURE:
                (unix_s,) = struct.unpack_from(">Q", data, 4)
                verifier.key.verify(data[12:], _cosigned(note.text, unix_s))
                found = unix_s
            else:
                verifier.key.verify(data[4:], note.text.encode())
                found = 0
        except (InvalidSignature, struct.error) as error:
            raise LedgerError(f"a signature of {verifier.name} is false", code="signature") from error
    return found


def note_digest(note: Note) -> str:
    """SHA-256 (hex) of a note's text: what an answer names it by, whoever else has signed it."""
    return hashlib.sha256(note.text.encode()).hexdigest()


def _cosigned(text: str, unix_s: int) -> bytes:
    return f"cosignature/v1\ntime {unix_s}\n{text}".encode()


def _check(text: str, name: str) -> None:
    if not text.endswith("\n") or "\n\n" in text or not _NAME.fullmatch(name):
        raise LedgerError("a note needs whole lines, and a name without blanks", code="note")
