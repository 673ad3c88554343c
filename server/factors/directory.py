"""The court's directory (LDAP, by bonsai): whether a password is that of a login there.

Promises: nothing but a bind as that very person is believed, over TLS wherever a network lies between; a login finds
exactly one entry, whatever signs are in it; an empty password never reaches the directory, which would take it for
nobody's and agree. A directory that does not answer within its time is said to be away, with a code of its own, so that
nobody takes that for a wrong password. Each call connects anew and blocks: call it in a thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog

from server.provider_settings import LdapSettings
from sync.errors import AccessError, ConfigError

log = structlog.get_logger(__name__)

AWAY = "directory-away"
MOST_LOGIN_CHARS = 64


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """Whom the directory knows."""

    subject: str
    """The entry's name (DN)."""


class Directory:
    """One directory. Threads may share it."""

    def __init__(self, settings: LdapSettings, password: str) -> None:
        """`password` of `bind_dn`, empty for none. `ConfigError` where the package is missing."""
        try:
            import bonsai
        except ImportError as error:
            raise ConfigError(
                "[people.ldap] needs the package bonsai: install wutong[ldap] (libldap-dev and libsasl2-dev first)"
            ) from error
        self._bonsai = bonsai
        self._settings = settings
        self._password = password

    def entry_of(self, login: str, password: str) -> DirectoryEntry | None:
        """Whose password this is; None when it is not the login's. `AccessError` "directory-away"."""
        if not password or "\0" in password or not _is_login(login):
            return None
        errors = self._bonsai.errors
        try:
            found = self._look_up(login)
        except errors.LDAPError as error:  # also when it is the center's own name that it refuses
            raise _away(error) from error
        if found is None:
            return None
        try:
            with self._client(found, password).connect(timeout=self._settings.timeout_s):
                return DirectoryEntry(found)
        except (errors.AuthenticationError, errors.UnwillingToPerform, errors.AccountLocked, errors.PasswordExpired):
            return None
        except errors.LDAPError as error:
            raise _away(error) from error

    def _look_up(self, login: str) -> str | None:
        s = self._settings
        with self._client(s.bind_dn, self._password).connect(timeout=s.timeout_s) as connection:
            scope = self._bonsai.LDAPSearchScope.SUBTREE
            try:
                found = connection.search(
                    s.base, scope, self._filter(login), attrlist=["1.1"], timeout=s.timeout_s, sizelimit=2
                )
            except self._bonsai.errors.SizeLimitError:
                found = [None, None]
        if len(found) > 1:
            log.error("directory_names_several", attribute=s.login_attribute, next="none of them signs in by it")
        return str(found[0].dn) if len(found) == 1 else None

    def _filter(self, login: str) -> str:
        s = self._settings
        said = f"({s.login_attribute}={self._bonsai.escape_filter_exp(login)})"
        return f"(&{said}{s.only})" if s.only else said

    def _client(self, dn: str, password: str) -> Any:
        s = self._settings
        client = self._bonsai.LDAPClient(s.url, s.starts_tls)
        if s.starts_tls or s.url.startswith("ldaps://"):
            client.set_cert_policy("demand")
            if s.ca_file is not None:
                client.set_ca_cert(str(s.ca_file))
        if dn:
            client.set_credentials("SIMPLE", user=dn, password=password)
        client.set_ignore_referrals(True)
        return client


def _is_login(text: str) -> bool:
    return 0 < len(text) <= MOST_LOGIN_CHARS and text.isprintable()


def _away(error: Exception) -> AccessError:
    log.error("directory_away", why=str(error)[:200], next="who is signed in stays so; local accounts go on")
    return AccessError(
        "目录服务 (LDAP) 没有应答，暂时不能用它登录；已登录的人不受影响 "
        "(the directory does not answer: nobody can sign in by it now, who is signed in stays so)",
        code=AWAY,
    )
