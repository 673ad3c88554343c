"""The two halves of a file's hand-over: the room claims what it sent, the center says that it is stored.

Both sign the same text, the claim's fields in one form: the room with the device's key and the file's size, the center
with its own and the moment (UTC in ns) since when it has the file for good. The id of the upload is not among them: a
repeated attempt has another, and the bytes are bound by their hash.

A time-stamp token is handed over by itself, and is claimed as a file of the kind `token` would be, which there is not:
`index` is the size of the tree whose head it is over.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from sync.ledger.keys import CENTER
from sync.ledger.messages.signed_message import check_text, sign_text
from sync.ledger.note import Verifier
from sync.ledger.signing_key import SigningKey

_FIELDS = ("bytes", "hearing", "index", "kind", "room", "sha256", "track")


def claim_text(claim: Mapping[str, Any]) -> str:
    """The text of a claim: its fields, sorted."""
    return json.dumps({name: claim[name] for name in _FIELDS}, ensure_ascii=False, separators=(",", ":"))


def sign_claim(claim: Mapping[str, Any], key: SigningKey) -> str:
    """The note of the device of `claim["room"]`."""
    return sign_text("object", claim["room"], [claim["bytes"]], claim_text(claim), claim["room"], key)


def check_claim(claim: Mapping[str, Any], note: str, verifiers: Sequence[Verifier]) -> None:
    """`LedgerError` "signature" when no device that may has signed this claim."""
    check_text("object", claim["room"], note, claim_text(claim), verifiers)


def sign_stored(claim: Mapping[str, Any], stored_utc_ns: int, key: SigningKey) -> str:
    """The center's note that it has what was claimed since `stored_utc_ns`."""
    return sign_text("stored", claim["room"], [stored_utc_ns], claim_text(claim), CENTER, key)


def check_stored(claim: Mapping[str, Any], note: str, verifiers: Sequence[Verifier]) -> int:
    """Since when (UTC in ns) the center has what was claimed; `LedgerError` "signature" when it does not say so."""
    return check_text("stored", claim["room"], note, claim_text(claim), verifiers)[0]


def sign_token_claim(room: str, hearing: str, size: int, token: bytes, key: SigningKey) -> str:
    """The note of the device of `room` over a time-stamp token over the head of a tree of `size` leaves."""
    return sign_claim(_token_claim(room, hearing, size, token), key)


def check_token_claim(
    room: str, hearing: str, size: int, token: bytes, note: str, verifiers: Sequence[Verifier]
) -> None:
    """`LedgerError` "signature" when no device that may has signed this token."""
    check_claim(_token_claim(room, hearing, size, token), note, verifiers)


def _token_claim(room: str, hearing: str, size: int, token: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(token).hexdigest()
    about = {"room": room, "hearing": hearing, "kind": "token", "track": "", "index": size}
    return {**about, "sha256": digest, "bytes": len(token)}
