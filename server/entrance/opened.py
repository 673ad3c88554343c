"""The entrance of a center, put together: what `server.service` builds and installs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI, Request

from server.entrance.account.account_routes import AccountRoutes
from server.entrance.account.own_account import OwnAccount
from server.entrance.acts import Acts
from server.entrance.clerk_door import ClerkDoor
from server.entrance.first_time import FirstTime
from server.entrance.guesses import Guesses
from server.entrance.helping_routes import HelpingRoutes
from server.entrance.sign_in_routes import SignInRoutes
from server.entrance.ticket import Tickets
from server.entrance.way_in import Factors, WayIn
from server.factors.center_seal import CenterSeal
from server.factors.directory import Directory
from server.factors.known_browsers import KnownBrowsers
from server.factors.passwords import PasswordHashes, PasswordRules
from server.factors.provider import Provider
from server.people.parts import PeopleParts
from server.people_settings import PeopleSettings
from server.provider_settings import LdapSettings, OidcSettings
from server.store.database import Database
from sync.http.rights.access import Access
from sync.runtime.files.secrets import read_secret


@dataclass(frozen=True, slots=True)
class EntranceNames:
    """As what the center is known."""

    center: str
    """To people."""
    cookie: str
    """To browsers."""


def install_entrance(
    app: FastAPI,
    names: EntranceNames,
    settings: PeopleSettings,
    database: Database,
    people: PeopleParts,
    access: Access,
    key: Ed25519PrivateKey,
    by_room: Callable[[Request], Awaitable[None]],
    utc_s: Callable[[], float],
    *,
    hashes: PasswordHashes | None = None,
) -> None:
    """Add all its routes to `app`, after `access` was installed. `ConfigError` for settings that cannot be used.

    `by_room` puts the room that asks into a request, or refuses it."""
    seal = CenterSeal(key)
    factors = Factors(
        database=database,
        people=people,
        access=access,
        seal=seal,
        hashes=hashes or PasswordHashes(),
        guesses=Guesses(KnownBrowsers(seal), names.cookie, secure=access.secure),
        tickets=Tickets(seal, names.cookie, secure=access.secure, utc_s=utc_s),
        provider=_provider(settings.oidc, utc_s),
        directory=_directory(settings.ldap),
    )
    rules = PasswordRules(settings.password_chars)
    way_in = WayIn(factors)
    first_time = FirstTime(factors, way_in, rules, names.center)
    account = OwnAccount(factors, way_in, rules, names.center)
    SignInRoutes(factors, way_in, first_time, rules, settings, utc_s).install(app)
    AccountRoutes(access, account).install(app)
    HelpingRoutes(factors, account, Acts(factors)).install(app)
    ClerkDoor(factors, way_in, key, settings.limits()).install(app, by_room)


def _provider(settings: OidcSettings, utc_s: Callable[[], float]) -> Provider | None:
    if not settings.is_named:
        return None
    file = settings.client_secret_file
    secret = "" if file is None else read_secret(file, "the secret of people.oidc")
    return Provider(settings, secret, utc_s=utc_s, verify=True if settings.ca_file is None else str(settings.ca_file))


def _directory(settings: LdapSettings) -> Directory | None:
    if not settings.is_named:
        return None
    file = settings.password_file
    return Directory(settings, "" if file is None else read_secret(file, "the password of people.ldap"))
