"""What a center says of a clerk, as a room reads it: by itself, and as it is kept."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from edge.clerks.known_clerk import MOST_S, ClerkSaid, read_clerk
from sync.errors import LedgerError
from sync.ledger.keys import CENTER
from sync.ledger.messages.signed_message import sign_text
from sync.ledger.note import Verifier

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ROOM = "jianshan/c03"
NOW_S = 1_800_000_000


def target(data: bytes) -> None:
    """Bytes as the answer; then as the text that the center itself has signed."""
    with contextlib.suppress(ValidationError):
        _read(ClerkSaid.model_validate_json(data))
    text = data.decode("utf-8", "replace")
    numbers = [NOW_S * 10**9, (NOW_S + 3600) * 10**9]
    note = sign_text("clerk", ROOM, numbers, text, CENTER, KEY)
    try:
        _read(ClerkSaid.model_validate({"signed": {"note": note, "clerk": text}}))
    except ValidationError:
        return


def _read(said: ClerkSaid) -> None:
    try:
        clerk = read_clerk(said.signed, ROOM, [Verifier(CENTER, KEY.public_key())], NOW_S)
    except LedgerError:
        return
    assert NOW_S < clerk.until_s <= NOW_S + MOST_S
    assert clerk.court == "jianshan"
    assert clerk.name


def seeds() -> Iterator[bytes]:
    until = (NOW_S + 3600) * 1000
    said = '{"person":"00000000000000a1","login":"lin","name":"林","role":"clerk","court":"jianshan"'
    yield f'{said},"room":"jianshan/c03","until_utc_ms":{until}}}'.encode()
    yield b'{"signed":{"note":"wutong/clerk\\n","clerk":"{}"}}'
    yield b"{}"
