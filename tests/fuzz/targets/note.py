"""Signed notes, and the checkpoint that is in one."""

from __future__ import annotations

from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.errors import LedgerError
from sync.ledger.checkpoint import Checkpoint
from sync.ledger.note import COSIGNATURE, SIGNATURE, Note, Verifier, cosign, read_note, sign, signed_by

_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
_TEXT = Checkpoint("court1/c03", "h1", 3, bytes(32), 9, 1_795_000_000_000_000_000).to_text()


def target(data: bytes) -> None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return
    try:
        checkpoint = Checkpoint.from_text(text)
        assert checkpoint.to_text() == text
    except LedgerError:
        pass
    try:
        note = read_note(text)
        signers = [
            signed_by(note, Verifier(name, _KEY.public_key(), kind))
            for name, kind in (("court1/c03", SIGNATURE), ("wutong-center", COSIGNATURE))
        ]
        # Whoever signed, signed one of these texts: the key is nobody else's.
        assert signers == [None, None] or note.text == _TEXT
        Checkpoint.from_text(note.text)
    except LedgerError:
        return


def seeds() -> Iterator[bytes]:
    note = sign(_TEXT, "court1/c03", _KEY)
    both = Note(note.text, (*note.lines, cosign(note, "wutong-center", _KEY, 1_795_000_000)))
    yield _TEXT.encode()
    yield note.to_text().encode()
    yield both.to_text().encode()
