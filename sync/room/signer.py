"""The line to the room's signer: the process that alone holds the device's key (`edge.signer`).

`RoomSigner` is a `SigningKey` as far as it goes: it signs what the signer reads as one of the room's own forms, and
nothing else. Promises: what it returns verifies under the key that it names, so nobody who takes the socket's place
passes for the signer; for one answer it waits no longer than `ANSWER_S` in all. Refuses with `LedgerError`: `AWAY` when
nobody answers, `REFUSED` when the signer does not sign this.

On the wire, one question a connection: a line of JSON, `{"do":"key"}`, `{"do":"sign","data":base64}` or
`{"do":"counts"}`, is answered by a line, `{"key":base64}`, `{"signature":base64}`, `{"signed":…,"refused":…}` or
`{"code":…,"message":…}`.
"""

from __future__ import annotations

import base64
import json
import socket
import threading
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sync.errors import LedgerError
from sync.room.counts import SignerCounts
from sync.runtime.bounds.deadline import Deadline
from sync.text.strict_json import UnreadableError, read_strict

AWAY = "signer"
"""Code: the signer does not answer; what is to be signed waits."""
REFUSED = "signer-refused"
"""Code: the signer answers, and does not sign this."""
ANSWER_S = 10.0
"""A token or a TPM may take its time, and others may be before us."""
MAX_DATA = 16 * 1024
"""Of what is signed: all of the room's forms are short, because they name contents by their hash."""
MAX_LINE = 32 * 1024


class RoomSigner:
    """`path` is the signer's socket (`RoomPaths.signer_socket`). Its methods block and may be called in any thread."""

    def __init__(self, path: Path, *, answer_s: float = ANSWER_S) -> None:
        self._path = path
        self._answer_s = answer_s
        self._lock = threading.Lock()
        self._key: Ed25519PublicKey | None = None

    def public_key(self) -> Ed25519PublicKey:
        """The device's public key; `LedgerError` (`AWAY`) while nobody has said it."""
        with self._lock:
            if self._key is None:
                self._key = self._read_key()
            return self._key

    def known_key(self) -> Ed25519PublicKey | None:
        """The same; None while nobody says it."""
        try:
            return self.public_key()
        except LedgerError:
            return None

    def probe(self) -> None:
        """Ask for the key anew; `LedgerError` (`AWAY`) when nobody says it."""
        key = self._read_key()
        with self._lock:
            self._key = key

    def counts(self) -> SignerCounts:
        """What the signer has counted; `LedgerError`: nobody answers (`AWAY`), or it is one of before, which does not
        count (`REFUSED`)."""
        said = self._ask({"do": "counts"})
        signed, refused = said.get("signed"), said.get("refused")
        if not (isinstance(signed, int) and isinstance(refused, int)):
            raise _away("its answer has no counts")
        return {"signed": signed, "refused": refused}

    def sign(self, data: bytes, /) -> bytes:
        """64 bytes; `LedgerError` when nobody answers, or the signer does not sign this."""
        if len(data) > MAX_DATA:
            raise LedgerError(f"{len(data)} bytes are none of the room's forms; nothing was signed", code=REFUSED)
        said = self._ask({"do": "sign", "data": base64.b64encode(data).decode("ascii")})
        signature = _bytes_of(said, "signature")
        try:
            self.public_key().verify(signature, data)
        except InvalidSignature:
            # The signer may have another key since: its first start after the key was taken elsewhere.
            with self._lock:
                self._key = None
            try:
                self.public_key().verify(signature, data)
            except InvalidSignature as error:
                raise LedgerError(
                    "what answers as the signer does not sign with the key that it names; restart wutong-signer",
                    code=AWAY,
                ) from error
        return signature

    def _read_key(self) -> Ed25519PublicKey:
        try:
            return Ed25519PublicKey.from_public_bytes(_bytes_of(self._ask({"do": "key"}), "key"))
        except ValueError as error:
            raise LedgerError("the signer names no Ed25519 key", code=AWAY) from error

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        try:
            data = self._answer_to(json.dumps(question).encode() + b"\n")
        except OSError as error:
            raise _away(str(error) or type(error).__name__) from error
        try:
            said = read_strict(data, limit=MAX_LINE, depth=2)
        except UnreadableError as error:
            raise _away(str(error)) from error
        if not isinstance(said, dict):
            raise _away("it says no object of JSON")
        if "code" in said:
            raise LedgerError(str(said.get("message"))[:500], code=AWAY if said["code"] == AWAY else REFUSED)
        return said

    def _answer_to(self, question: bytes) -> bytes:
        """All that is said until a line ends, or the connection does; `TimeoutError` when that takes too long."""
        deadline = Deadline(self._answer_s)
        data = b""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            deadline.holds(line).connect(str(self._path))
            deadline.holds(line).sendall(question)
            while not data.endswith(b"\n") and len(data) <= MAX_LINE:
                piece = deadline.holds(line).recv(MAX_LINE)
                if not piece:
                    break
                data += piece
        return data


def _bytes_of(said: dict[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(str(said[name]), validate=True)
    except (KeyError, ValueError) as error:  # no base64, or none of ASCII
        raise _away(f"its answer has no {name}") from error


def _away(why: str) -> LedgerError:
    return LedgerError(
        f"签名进程没有应答，签名在等待：{why[:200]}"
        " (the signer does not answer, and what is to be signed waits: systemctl status wutong-signer)",
        code=AWAY,
    )
