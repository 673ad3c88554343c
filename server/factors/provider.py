"""The court's provider of OpenID Connect (by Authlib): the code flow with PKCE, and what its token is judged by.

Promises: a person is believed only by a token that the provider has signed for this center and for this very beginning
(state, nonce, PKCE verifier), of the issuer that the settings name, and not older than its end and `LEEWAY_S` of wrong
clocks; addresses that the provider names are https, as its own is. A provider that does not answer is said to be away
by a code of its own. Refused: tokens without a signature or signed with a secret, and answers of more than 1 MiB.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote, urlsplit

import httpx
import structlog
from pydantic import BaseModel, ConfigDict, Field

from server.provider_settings import OidcSettings
from sync.errors import AccessError, ConfigError
from sync.tls.hosts import is_loopback

log = structlog.get_logger(__name__)

LEEWAY_S = 60
TIMEOUT_S = 10.0
FRESH_S = 3600.0
"""So long what the provider says of itself is believed without asking again."""
MOST_BYTES = 1 << 20
AWAY = "provider-away"
REFUSED = "provider"
_SIGNED_BY = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]


class ProviderTrip(BaseModel):
    """What the center keeps of a beginning until the browser comes back, sealed."""

    model_config = ConfigDict(extra="forbid")

    state: str = Field(max_length=100)
    nonce: str = Field(max_length=100)
    verifier: str = Field(max_length=200)
    redirect_uri: str = Field(max_length=500)


@dataclass(frozen=True, slots=True)
class ProviderIdentity:
    """Who the provider says it is."""

    subject: str
    login: str
    """As the settings' claim says it; empty where the token has none."""


class Provider:
    """One provider. All methods belong to one event loop."""

    def __init__(
        self, settings: OidcSettings, secret: str, *, utc_s: Callable[[], float] = time.time, verify: Any = True
    ) -> None:
        """`secret` of the client, empty for a public one. `verify`: by what its TLS is judged (`httpx`)."""
        try:
            import authlib  # noqa: F401  only here: the rest of the center runs without it
        except ImportError as error:
            raise ConfigError("[people.oidc] needs the package authlib: install wutong[oidc]") from error
        self._settings = settings
        self._secret = secret
        self._utc_s = utc_s
        self._verify = verify
        self._said: dict[str, Any] | None = None
        self._keys: Any = None
        self._said_s = 0.0

    async def begin(self, redirect_uri: str) -> tuple[str, ProviderTrip]:
        """(where the browser goes, what to keep). `AccessError` "provider-away"."""
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        said = await self._discovered()
        trip = ProviderTrip(
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            redirect_uri=redirect_uri,
        )
        url = prepare_grant_uri(
            said["authorization_endpoint"],
            self._settings.client_id,
            "code",
            redirect_uri=redirect_uri,
            scope=self._settings.scope,
            state=trip.state,
            nonce=trip.nonce,
            code_challenge=create_s256_code_challenge(trip.verifier),
            code_challenge_method="S256",
        )
        return str(url), trip

    async def finish(self, trip: ProviderTrip, code: str, state: str, issuer: str = "") -> ProviderIdentity:
        """Who came back with this code; `AccessError` "provider" or "provider-away". `issuer`: where the answer names
        one (RFC 9207)."""
        if not secrets.compare_digest(state.encode(), trip.state.encode()) or issuer not in ("", self._settings.issuer):
            raise _refused("it came back with another state or issuer")
        token = await self._token((await self._discovered())["token_endpoint"], trip, code)
        return self._judged(await self._claims(str(token.get("id_token", ""))), trip)

    async def _token(self, endpoint: str, trip: ProviderTrip, code: str) -> dict[str, Any]:
        from authlib.oauth2.rfc6749.parameters import prepare_token_request

        public = {} if self._secret else {"client_id": self._settings.client_id}
        body = prepare_token_request(
            "authorization_code",
            redirect_uri=trip.redirect_uri,
            code=code,
            code_verifier=trip.verifier,
            **public,
        )
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        # RFC 6749 has both written as a form would have them.
        basic = httpx.BasicAuth(quote(self._settings.client_id, safe=""), quote(self._secret, safe=""))
        try:
            async with self._client() as client:
                answer = await client.post(
                    endpoint, content=body, headers=headers, auth=basic if self._secret else httpx.Auth()
                )
                value = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise self._away(error) from error
        if answer.status_code >= 500:
            raise self._away(ValueError(f"its token endpoint answered {answer.status_code}"))
        if answer.status_code != 200 or not isinstance(value, dict):
            raise _refused(f"its token endpoint answered {answer.status_code}")
        return value

    def _judged(self, claims: dict[str, Any], trip: ProviderTrip) -> ProviderIdentity:
        from joserfc.errors import JoseError
        from joserfc.jwt import JWTClaimsRegistry

        s = self._settings
        wanted = JWTClaimsRegistry(
            now=lambda: int(self._utc_s()),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": s.issuer},
            aud={"essential": True, "value": s.client_id},
            nonce={"essential": True, "value": trip.nonce},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        try:
            wanted.validate(claims)
        except JoseError as error:
            raise _refused(str(error)) from error
        audience = claims["aud"]
        if (isinstance(audience, list) and len(audience) > 1) and claims.get("azp") != s.client_id:
            raise _refused("the token is for several, and not for the center")
        subject, login = str(claims["sub"])[:255], claims.get(s.login_claim)
        return ProviderIdentity(subject, login[:64] if isinstance(login, str) else "")

    async def _claims(self, id_token: str) -> dict[str, Any]:
        from joserfc import jwt
        from joserfc.errors import JoseError

        for fresh in (False, True):  # the provider may have a new key since it was asked
            try:
                keys = await self._known_keys(fresh=fresh)
                return dict(jwt.decode(id_token, keys, algorithms=_SIGNED_BY).claims)
            except (JoseError, ValueError) as error:
                if fresh:
                    raise _refused(type(error).__name__) from error
        raise AssertionError("either of them returns or raises")

    async def _known_keys(self, *, fresh: bool) -> Any:
        from joserfc.jwk import KeySet

        said = await self._discovered()
        if self._keys is None or fresh:
            self._keys = KeySet.import_key_set(cast(Any, await self._get(said["jwks_uri"])))
        return self._keys

    async def _discovered(self) -> dict[str, Any]:
        if self._said is not None and self._utc_s() - self._said_s < FRESH_S:
            return self._said
        issuer = self._settings.issuer
        said = await self._get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not _is_safe(said.get(name)):
                raise self._away(ValueError(f"its {name} is no https address"))
        if said.get("issuer") != issuer:
            raise self._away(ValueError("it calls itself by another issuer than the settings"))
        self._said, self._said_s, self._keys = said, self._utc_s(), None
        return said

    async def _get(self, url: str) -> dict[str, Any]:
        try:
            async with self._client() as client:
                answer = await client.get(url)
                answer.raise_for_status()
                value = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise self._away(error) from error
        if not isinstance(value, dict):
            raise self._away(ValueError("its answer is no object"))
        return value

    def _client(self) -> httpx.AsyncClient:
        inner = httpx.AsyncHTTPTransport(verify=self._verify, trust_env=False)
        return httpx.AsyncClient(transport=_Bounded(inner), timeout=TIMEOUT_S)

    def _away(self, error: Exception) -> AccessError:
        log.error("provider_away", issuer=self._settings.issuer, why=f"{type(error).__name__}: {error}"[:200])
        return AccessError(
            "统一身份认证没有应答，暂时不能用它登录；已登录的人不受影响 "
            "(the identity provider does not answer: nobody can sign in by it now, who is signed in stays so)",
            code=AWAY,
        )


class _Bounded(httpx.AsyncBaseTransport):
    """Answers of at most `MOST_BYTES`."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _BoundedStream(response.stream)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _BoundedStream(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for piece in self._inner:
            size += len(piece)
            if size > MOST_BYTES:
                raise httpx.ReadError("an answer larger than any honest one")
            yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()


def _is_safe(url: object) -> bool:
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))


def _refused(why: str) -> AccessError:
    log.warning("provider_refused", why=why[:200])
    return AccessError(
        "统一身份认证的答复未通过核对，请重新登录 (the provider's answer was not accepted; sign in again)", code=REFUSED
    )
