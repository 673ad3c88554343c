"""The device's key in a token that a PKCS#11 module speaks to: it is made there, and never leaves it.

The key is an Ed25519 pair (CKM_EDDSA) under a label. Promises: sensitive and not extractable. Refuses, with
`ConfigError`, a module, token or PIN that is not there; with `LedgerError`, to sign when the token does not.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import ModuleType
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sync.errors import ConfigError, LedgerError
from sync.room.signer import AWAY

_CURVE = b"\x06\x03\x2b\x65\x70"
"""Ed25519 (1.3.101.112), as CKA_EC_PARAMS names it."""


class TokenKey:
    """A `SigningKey` in a token. One thread at a time."""

    def __init__(self, module: Path, token: str, label: str, pin: str) -> None:
        """Open the token, and make the pair where `label` names none."""
        self._pkcs11 = _library()
        self._where = f"the token {token!r} behind {module}"
        self._open = (module, token, label, pin)
        self._session: Any = None
        self._private: Any = None
        try:
            self._public = self._begin(make=True)
        except LedgerError as error:
            raise ConfigError(error.message) from error

    def public_key(self) -> Ed25519PublicKey:
        """The public half."""
        return self._public

    def sign(self, data: bytes, /) -> bytes:
        """64 bytes; a token that was taken out and put back is opened anew."""
        try:
            return self._sign(data)
        except self._pkcs11.exceptions.PKCS11Error:
            if self._begin(make=False) != self._public:
                raise LedgerError(
                    f"{self._where} holds another key than before; nothing is signed", code=AWAY
                ) from None
        try:
            return self._sign(data)
        except self._pkcs11.exceptions.PKCS11Error as error:
            raise self._away(error) from error

    def close(self) -> None:
        """Log out; a key that is signed with again opens the token anew."""
        self._session.close()

    def _sign(self, data: bytes) -> bytes:
        return bytes(self._private.sign(data, mechanism=self._pkcs11.Mechanism.EDDSA))

    def _begin(self, *, make: bool) -> Ed25519PublicKey:
        module, token, label, pin = self._open
        pkcs11 = self._pkcs11
        kind = {pkcs11.Attribute.KEY_TYPE: pkcs11.KeyType.EC_EDWARDS, pkcs11.Attribute.LABEL: label}
        try:
            if self._session is not None:
                with contextlib.suppress(pkcs11.exceptions.PKCS11Error):  # it may be closed already
                    self._session.close()
            found_token = pkcs11.lib(str(module)).get_token(token_label=token)
            try:
                self._session = found_token.open(user_pin=pin, rw=make)
            except pkcs11.exceptions.UserAlreadyLoggedIn:  # a process logs in once, for all its sessions
                self._session = found_token.open(rw=make)
            found = list(self._session.get_objects({pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY, **kind}))
            if len(found) > 1:
                raise LedgerError(f"{self._where} holds {len(found)} keys {label!r}; keep one", code=AWAY)
            if not found and not make:
                raise LedgerError(f"{self._where} holds no key {label!r} any more", code=AWAY)
            if not found:
                parameters = self._session.create_domain_parameters(
                    pkcs11.KeyType.EC_EDWARDS, {pkcs11.Attribute.EC_PARAMS: _CURVE}, local=True
                )
                parameters.generate_keypair(
                    mechanism=pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
                    store=True,
                    label=label,
                    private_template={pkcs11.Attribute.SENSITIVE: True, pkcs11.Attribute.EXTRACTABLE: False},
                )
            query = {pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY, **kind}
            self._private = next(iter(self._session.get_objects(query)))
            query = {pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PUBLIC_KEY, **kind}
            public = next(iter(self._session.get_objects(query)))
            if self._private[pkcs11.Attribute.EXTRACTABLE] or not self._private[pkcs11.Attribute.SENSITIVE]:
                raise LedgerError(f"the key {label!r} in {self._where} may be read out; make another", code=AWAY)
            # Some modules give the point bare, others in an OCTET STRING: its last 32 bytes are the key.
            return Ed25519PublicKey.from_public_bytes(bytes(public[pkcs11.Attribute.EC_POINT])[-32:])
        except (pkcs11.exceptions.PKCS11Error, StopIteration, ValueError, RuntimeError) as error:
            raise self._away(error) from error

    def _away(self, error: Exception) -> LedgerError:
        why = str(error) or type(error).__name__
        return LedgerError(
            f"{self._where} does not do what it must ({why}): is it plugged in, and are [signer] module, token and"
            " pin_file of the profile right?",
            code=AWAY,
        )


def _library() -> ModuleType:
    try:
        import pkcs11
        import pkcs11.exceptions
    except ImportError as error:
        raise ConfigError(
            '[signer] key = "pkcs11" needs the package python-pkcs11, and it is not installed (docs/operations.md)'
        ) from error
    return pkcs11
