"""An authenticator made of software, for tests: it answers as a phone would, and lies where a test wants it to."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


class SoftPasskey:
    """One passkey at one host."""

    def __init__(self, host: str, *, counter: int = 0) -> None:
        self.host = host
        self.counter = counter
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._id = secrets.token_bytes(16)

    def made(self, options: dict[str, Any], origin: str, *, verified: bool = True) -> dict[str, Any]:
        """What a browser sends for `navigator.credentials.create`."""
        numbers = self._key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16)[:15] + b"\1" + len(self._id).to_bytes(2, "big") + self._id + cbor2.dumps(cose)
        data = self._authenticator(ATTESTED | (VERIFIED if verified else 0)) + attested
        response = {
            "clientDataJSON": _b64(_client_data("webauthn.create", options["challenge"], origin)),
            "attestationObject": _b64(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})),
        }
        return self._credential(response)

    def answer(
        self, options: dict[str, Any], origin: str, *, verified: bool = True, person: str = ""
    ) -> dict[str, Any]:
        """What a browser sends for `navigator.credentials.get`."""
        self.counter += 1
        data = self._authenticator(VERIFIED if verified else 0)
        client = _client_data("webauthn.get", options["challenge"], origin)
        signature = self._key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        response = {"clientDataJSON": _b64(client), "authenticatorData": _b64(data), "signature": _b64(signature)}
        if person:
            response["userHandle"] = _b64(person.encode())
        return self._credential(response)

    def _authenticator(self, flags: int) -> bytes:
        return hashlib.sha256(self.host.encode()).digest() + bytes([PRESENT | flags]) + self.counter.to_bytes(4, "big")

    def _credential(self, response: dict[str, str]) -> dict[str, Any]:
        name = _b64(self._id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}


def _client_data(kind: str, challenge: str, origin: str) -> bytes:
    return json.dumps({"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": False}).encode()


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
