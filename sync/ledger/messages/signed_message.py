"""Signed messages: what a room and its center say to each other, each with the note of who says it.

A message is JSON: `{"note": "<signed note>", "<purpose>": "<text>"}`. The note names the purpose, the room and what
binds the message to its moment or numbers, and holds the text's SHA-256:

    wutong/<purpose>
    <court>/<room>
    <one line of numbers>
    <SHA-256 of the text, base64>

The first line is the domain: a checkpoint, an export's note or a message of another purpose can never pass as this one.
Nothing of the text is read before the signature was found to be of a key that may say it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sync.errors import LedgerError
from sync.ledger.note import Verifier, read_note, sign, signed_by
from sync.ledger.signing_key import SigningKey
from sync.text.strict_json import UnreadableError, read_strict

Purpose = Literal[
    "events", "receipts", "demand", "docket", "notices", "witness", "audit-head", "object", "stored", "clerk"
]
"""What a message is for: the last part of its topic, which half of a file's hand-over it is, or who is the clerk."""
MAX_NOTE_CHARACTERS = 4096
NOTE_OVERHEAD_BYTES = 3 * MAX_NOTE_CHARACTERS
"""What a message may be larger than twice its text, which JSON has to escape."""
_ROOM = re.compile(r"[a-z0-9-]{1,40}/[a-z0-9-]{1,40}")
_BINDING = re.compile(r"(?:0|[1-9][0-9]{0,18})(?: (?:0|[1-9][0-9]{0,18})){0,3}")


def text_digest(text: str) -> str:
    """SHA-256 (hex) of a message's text, by which an answer names it."""
    return hashlib.sha256(text.encode()).hexdigest()


def sign_text(purpose: Purpose, room: str, numbers: Sequence[int], text: str, name: str, key: SigningKey) -> str:
    """The note of `name` over `text`. `numbers`: at most four, 0 to 2^63-1. `LedgerError`: the key does not sign."""
    return sign(_note_text(purpose, room, " ".join(map(str, numbers)), text), name, key).to_text()


def check_text(purpose: Purpose, room: str, note: str, text: str, verifiers: Sequence[Verifier]) -> list[int]:
    """The numbers that a note binds `text` to; `LedgerError` "signature" when none of `verifiers` says so."""
    try:
        if len(note) > MAX_NOTE_CHARACTERS:
            raise LedgerError("the note of a message is longer than any honest one", code="signature")
        read = read_note(note)
        if all(signed_by(read, verifier) is None for verifier in verifiers):
            raise LedgerError(f"nobody who may say {purpose} of {room} has signed this", code="signature")
        lines = read.text.split("\n")
        binding = lines[2] if len(lines) > 2 else ""
        if not _BINDING.fullmatch(binding) or read.text != _note_text(purpose, room, binding, text):
            raise LedgerError(f"a note is not the one of {purpose} of {room} over this text", code="signature")
    except UnicodeEncodeError as error:
        raise LedgerError("a message holds what is no text", code="signature") from error
    except LedgerError as error:
        raise LedgerError(error.message, code="signature") from error
    return [int(number) for number in binding.split(" ")]


def pack_message(
    purpose: Purpose,
    room: str,
    numbers: Sequence[int],
    text: str,
    name: str,
    key: SigningKey,
    *,
    beside: Mapping[str, Any] | None = None,
) -> bytes:
    """The message as it travels. `beside`: fields that only those read who know no signed messages yet."""
    note = sign_text(purpose, room, numbers, text, name, key)
    return json.dumps({"note": note, purpose: text, **(beside or {})}, ensure_ascii=False).encode()


def read_envelope(payload: bytes, purpose: Purpose, *, limit: int) -> tuple[str, str] | None:
    """(note, text) of a message whose text has at most `limit` bytes, nothing of it believed; None when it has none.

    `LedgerError` "form" for what is too large or no JSON that is taken from others.
    """
    if len(payload) > 2 * limit + NOTE_OVERHEAD_BYTES:
        raise LedgerError(f"a message of {len(payload)} bytes is larger than any honest one", code="form")
    try:
        value = read_strict(payload, limit=len(payload))
    except UnreadableError as error:
        raise LedgerError(str(error), code="form") from error
    note, text = (value.get("note"), value.get(purpose)) if isinstance(value, dict) else (None, None)
    if not isinstance(note, str) or not isinstance(text, str):
        return None
    try:
        note.encode()
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise LedgerError("a message holds what is no text", code="form") from error
    if size > limit:
        raise LedgerError(f"the text of a message has {size} bytes, more than any honest one", code="form")
    return note, text


def _note_text(purpose: str, room: str, binding: str, text: str) -> str:
    if not _ROOM.fullmatch(room):
        raise LedgerError(f"{room!r} is no address of a room", code="form")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"wutong/{purpose}\n{room}\n{binding}\n{digest}\n"
