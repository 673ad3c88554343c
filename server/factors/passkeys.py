"""Passkeys (WebAuthn), as the `webauthn` library judges them: a device or a phone that has verified its user.

Promises: only what the authenticator has signed for this host, this page and this challenge opens, with its user
verified (PIN, finger or face), so a passkey alone is two factors; a counter that does not go up is refused as a copy.
Host and origin are the ones that the gate has judged as the center's own. Refused: hosts that are addresses, since
WebAuthn knows names alone, and everything that the library refuses, in one sentence for people.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from sync.errors import AccessError
from sync.tls.hosts import host_of

log = structlog.get_logger(__name__)

MOST_CREDENTIAL_CHARS = 16_000
"""A credential as a browser sends it, in JSON."""


class KeptPasskey(BaseModel):
    """What is kept of a passkey: nothing secret."""

    model_config = ConfigDict(extra="forbid")

    credential: str
    """Its id, base64url."""
    public_key: str
    """COSE, base64url."""
    host: str
    """At which name of the center it was made: it opens there alone."""


@dataclass(frozen=True, slots=True)
class PasskeyPlace:
    """Where a page of the center was when it asked."""

    host: str
    origin: str

    @classmethod
    def of(cls, origin: str) -> PasskeyPlace:
        """The place of an `Origin` that the gate has let through; `AccessError` "passkey-place" where none can be used.

        Browsers give passkeys to https and to localhost, and to names, never to addresses.
        """
        parts = urlsplit(origin)
        host = parts.hostname or ""
        if not is_name(host) or (parts.scheme != "https" and host != "localhost"):
            raise AccessError(
                "通行密钥只能在以域名和 https 打开的页面使用 "
                "(passkeys need a page that was opened by https and a name, not by an IP address)",
                code="passkey-place",
            )
        return cls(host, origin)


def is_name(host: str) -> bool:
    """Whether a host is a name, not an address."""
    try:
        known = host_of(host)
    except ValueError:
        return False
    return not known.replace(".", "").isdigit() and ":" not in known


def passkey_creation(
    place: PasskeyPlace, center: str, person: str, login: str, name: str, known: Sequence[KeptPasskey]
) -> tuple[dict[str, Any], str]:
    """(options for the browser, challenge in base64url) to make a passkey; `person` is the id that it will say."""
    options = generate_registration_options(
        rp_id=place.host,
        rp_name=center,
        user_id=person.encode(),
        user_name=login,
        user_display_name=name,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=_descriptors(place, known),
    )
    return json.loads(options_to_json(options)), bytes_to_base64url(options.challenge)


def made_passkey(place: PasskeyPlace, challenge: str, credential: dict[str, Any]) -> tuple[KeptPasskey, int]:
    """(what to keep, counter) of a passkey that was just made; `AccessError` "passkey"."""
    try:
        _check_size(credential)
        made = verify_registration_response(
            credential=credential,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=place.host,
            expected_origin=place.origin,
            require_user_verification=True,
        )
    except Exception as error:  # the library lets errors of its own readers out, of every class
        raise _refused(error) from error
    kept = KeptPasskey(
        credential=bytes_to_base64url(made.credential_id),
        public_key=bytes_to_base64url(made.credential_public_key),
        host=place.host,
    )
    return kept, made.sign_count


def passkey_question(place: PasskeyPlace, known: Sequence[KeptPasskey] | None) -> tuple[dict[str, Any], str]:
    """(options for the browser, challenge) to sign in; `known`: of whom it is known who they are, else None."""
    options = generate_authentication_options(
        rp_id=place.host,
        allow_credentials=_descriptors(place, known or ()),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return json.loads(options_to_json(options)), bytes_to_base64url(options.challenge)


def credential_id(credential: dict[str, Any]) -> str:
    """Which passkey an answer says to be of, nothing of it believed; `AccessError` "passkey"."""
    said = credential.get("id")
    if not isinstance(said, str) or not 0 < len(said) <= 2048:
        raise _refused(ValueError("it has no id"))
    return said


def counter_of_answer(
    place: PasskeyPlace, challenge: str, credential: dict[str, Any], kept: KeptPasskey, counter: int
) -> int:
    """The passkey's new counter, where it has answered this question; `AccessError` "passkey"."""
    try:
        _check_size(credential)
        if kept.host != place.host or kept.credential != credential_id(credential):
            raise ValueError("it is another passkey, or of another name of the center")
        answer = verify_authentication_response(
            credential=credential,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=place.host,
            expected_origin=place.origin,
            credential_public_key=base64url_to_bytes(kept.public_key),
            credential_current_sign_count=counter,
            require_user_verification=True,
        )
    except Exception as error:  # the library lets errors of its own readers out, of every class
        raise _refused(error) from error
    return answer.new_sign_count


def read_kept_passkey(text: str) -> KeptPasskey:
    """As it is kept; `ValueError` when it cannot be read."""
    try:
        return KeptPasskey.model_validate_json(text)
    except ValidationError as error:
        raise ValueError("a kept passkey cannot be read") from error


def _descriptors(place: PasskeyPlace, known: Sequence[KeptPasskey]) -> list[PublicKeyCredentialDescriptor]:
    here = [one for one in known if one.host == place.host]
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.credential)) for one in here]


def _check_size(credential: dict[str, Any]) -> None:
    if len(json.dumps(credential)) > MOST_CREDENTIAL_CHARS:
        raise ValueError("it is larger than any passkey's answer")


def _refused(error: Exception) -> AccessError:
    if not isinstance(error, (WebAuthnException, ValueError)):
        log.warning("passkey_not_read", why=type(error).__name__)
    else:
        log.info("passkey_refused", why=str(error)[:200])
    return AccessError("通行密钥未通过验证，请再试一次 (the passkey was not accepted; try again)", code="passkey")


def user_handle(credential: dict[str, Any]) -> str:
    """Whose passkey an answer says it is, where it says so; empty where not."""
    response = credential.get("response")
    said = response.get("userHandle") if isinstance(response, dict) else None
    if not isinstance(said, str) or len(said) > 200:
        return ""
    try:
        return base64.urlsafe_b64decode(said.encode("ascii") + b"=" * (-len(said) % 4)).decode("ascii")
    except ValueError:
        return ""
