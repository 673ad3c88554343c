"""Where a court's people are known already: its provider of OpenID Connect, and its directory (LDAP)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sync.text.fields import LINE
from sync.tls.hosts import is_loopback


class OidcSettings(BaseModel):
    """The court's provider of OpenID Connect; without an issuer there is none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field("", max_length=500, description="its issuer, exactly as it says it: https://id.court.example")
    client_id: str = Field("", max_length=200, description="as whom the center is registered there")
    client_secret_file: Path | None = Field(None, description="file (mode 0600) with the secret of that client")
    name: Annotated[str, LINE] = Field("统一身份认证", max_length=40, description="what its button is called")
    scope: str = Field("openid profile", max_length=200, description="what the center asks for")
    login_claim: str = Field(
        "preferred_username", max_length=60, description="which claim is the login by which the center knows a person"
    )
    ca_file: Path | None = Field(None, description="certificates (PEM) that its TLS is judged by; empty: the system's")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.issuer:
            return self
        parts = urlsplit(self.issuer)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            raise ValueError("people.oidc.issuer must be an https address: anybody on the way could sign in as anybody")
        if not self.client_id:
            raise ValueError("people.oidc.client_id is missing: as whom the provider knows the center")
        if "openid" not in self.scope.split():
            raise ValueError('people.oidc.scope must name "openid"')
        return self

    @property
    def is_named(self) -> bool:
        """Whether there is one."""
        return bool(self.issuer)

    def below(self, folder: Path) -> OidcSettings:
        """With its files relative to the configuration's folder."""
        return self.model_copy(
            update={"client_secret_file": _at(folder, self.client_secret_file), "ca_file": _at(folder, self.ca_file)}
        )


class LdapSettings(BaseModel):
    """The court's directory; without a url there is none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field("", max_length=300, description="ldaps://directory.court.example, or ldap:// with start_tls")
    start_tls: bool = Field(True, description="with ldap://: TLS before anything is said; never off over a network")
    base: str = Field(
        "", max_length=500, description="below which people are looked for: ou=people,dc=court,dc=example"
    )
    bind_dn: str = Field("", max_length=500, description="as whom the center looks; empty: as nobody")
    password_file: Path | None = Field(None, description="file (mode 0600) with the password of bind_dn")
    login_attribute: str = Field(
        "uid",
        pattern=r"^[A-Za-z][A-Za-z0-9-]{0,60}$",
        description="the attribute that is the login (sAMAccountName in AD)",
    )
    only: str = Field(
        "", max_length=500, description="a filter that people must fit, too: (memberOf=cn=wutong,ou=groups,dc=court)"
    )
    ca_file: Path | None = Field(None, description="certificates (PEM) that its TLS is judged by; empty: the system's")
    timeout_s: float = Field(5.0, gt=0, le=60, description="so long it is waited for")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.url:
            return self
        parts = urlsplit(self.url)
        if parts.scheme not in ("ldap", "ldaps") or not parts.hostname:
            raise ValueError("people.ldap.url must be ldaps://HOST, or ldap://HOST with start_tls")
        if parts.scheme == "ldap" and not self.start_tls and not is_loopback(parts.hostname):
            raise ValueError(
                "people.ldap: passwords leave this machine only over TLS; use ldaps:// or start_tls = true"
            )
        if not self.base:
            raise ValueError("people.ldap.base is missing: below which people are looked for")
        if bool(self.bind_dn) != (self.password_file is not None):
            raise ValueError("people.ldap.bind_dn and password_file belong together; name both or none")
        if self.only and not (self.only.startswith("(") and self.only.endswith(")")):
            raise ValueError("people.ldap.only is a filter in brackets: (objectClass=person)")
        return self

    @property
    def is_named(self) -> bool:
        """Whether there is one."""
        return bool(self.url)

    @property
    def starts_tls(self) -> bool:
        """Whether TLS is begun on a plain connection."""
        return self.start_tls and self.url.startswith("ldap://")

    def below(self, folder: Path) -> LdapSettings:
        """With its files relative to the configuration's folder."""
        return self.model_copy(
            update={"password_file": _at(folder, self.password_file), "ca_file": _at(folder, self.ca_file)}
        )


def _at(folder: Path, file: Path | None) -> Path | None:
    return None if file is None else folder / file.expanduser()
