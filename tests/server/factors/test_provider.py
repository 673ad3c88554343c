"""The court's provider of OpenID Connect: a real one says who it is, and only what is of this beginning counts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from pydantic import ValidationError

from server.factors.provider import Provider, ProviderTrip
from server.provider_settings import OidcSettings
from sync.errors import AccessError
from tests.support.peers.oidc_provider import oidc_provider, signed_in_there

BACK = "https://center.court.example/account"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with oidc_provider() as running:
        yield running


def provider(issuer: str, **changed: object) -> Provider:
    said = {"issuer": issuer, "client_id": "wutong", "login_claim": "sub", **changed}
    return Provider(OidcSettings.model_validate(said), "a secret")


async def test_who_signs_in_there_is_known_here_once(issuer: str) -> None:
    asked = provider(issuer)
    url, trip = await asked.begin(BACK)
    said = parse_qs(urlsplit(url).query)
    assert said["code_challenge_method"] == ["S256"]
    assert said["code_challenge"] == [create_s256_code_challenge(trip.verifier)]
    assert said["nonce"] == [trip.nonce]
    back = await signed_in_there(url, "wangfang")
    who = await asked.finish(trip, back["code"], back["state"])
    assert (who.subject, who.login) == ("wangfang", "wangfang")
    with pytest.raises(AccessError):
        await asked.finish(trip, back["code"], back["state"])


async def test_another_beginning_s_state_nonce_and_issuer_are_refused(issuer: str) -> None:
    asked = provider(issuer)
    other = (await asked.begin(BACK))[1]
    lies = [{"state": other.state}, {"nonce": other.nonce}]
    for lie in lies:
        url, trip = await asked.begin(BACK)
        back = await signed_in_there(url, "wangfang")
        false = ProviderTrip(**{**trip.model_dump(), **lie})
        with pytest.raises(AccessError) as refused:
            await asked.finish(false, back["code"], back["state"])
        assert refused.value.code == "provider", lie
    url, trip = await asked.begin(BACK)
    back = await signed_in_there(url, "wangfang")
    with pytest.raises(AccessError):
        await asked.finish(trip, back["code"], back["state"], "https://another.example")


async def test_a_token_of_another_time_is_refused(issuer: str) -> None:
    late = Provider(
        OidcSettings(issuer=issuer, client_id="wutong"), "a secret", utc_s=lambda: time.time() + 90 * 24 * 3600
    )
    url, trip = await late.begin(BACK)
    back = await signed_in_there(url, "wangfang")
    with pytest.raises(AccessError) as refused:
        await late.finish(trip, back["code"], back["state"])
    assert refused.value.code == "provider"


async def test_a_provider_that_does_not_answer_or_calls_itself_otherwise_is_away(issuer: str) -> None:
    for wrong in ("http://localhost:1", f"{issuer}/"):
        with pytest.raises(AccessError) as away:
            await provider(wrong).begin(BACK)
        assert away.value.code == "provider-away"


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "http://id.court.example", "client_id": "x"},
        {"issuer": "https://id.court.example"},
        {"issuer": "https://id.court.example", "client_id": "x", "scope": "profile"},
    ],
)
def test_settings_by_which_anybody_could_answer_are_refused(said: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        OidcSettings.model_validate(said)
