"""Settings of people: by what they sign in, for how long, and until when shared codes of roles open the center."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from server.provider_settings import LdapSettings, OidcSettings
from sync.http.rights.people import ABSOLUTE_S, IDLE_S, SessionLimits
from sync.http.rights.roles import ADMINISTRATOR, AUDITOR, ROLES, Role

_STRICT: dict[str, float] = {ADMINISTRATOR: 1800.0, AUDITOR: 1800.0}


class PeopleSettings(BaseModel):
    """Who signs in at the center, and for how long."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    codes_until: date | None = Field(
        None,
        description="a day (2027-03-01) until which inspector and archivist still sign in by shared codes; said in red",
    )
    idle_minutes: dict[Role, Annotated[int, Field(ge=1, le=IDLE_S // 60)]] = Field(
        {},
        description="by role, after how many minutes of rest a session ends (administrator, auditor: 30; others 480)",
    )
    absolute_hours: dict[Role, Annotated[int, Field(ge=1, le=ABSOLUTE_S // 3600)]] = Field(
        {}, description="by role, after how many hours a session ends in any case (24)"
    )

    password_chars: int = Field(12, ge=8, le=64, description="so many characters a password has at least")
    oidc: OidcSettings = Field(OidcSettings.model_construct(), description="the court's provider of OpenID Connect")
    ldap: LdapSettings = Field(LdapSettings.model_construct(), description="the court's directory")

    def below(self, folder: Path) -> PeopleSettings:
        """With its files relative to the configuration's folder."""
        return self.model_copy(update={"oidc": self.oidc.below(folder), "ldap": self.ldap.below(folder)})

    def codes_open(self, now_s: float) -> bool:
        """Whether shared codes still open the center at this moment (UTC in seconds): through the whole of that day,
        by this machine's time."""
        if self.codes_until is None:
            return False
        return date.fromtimestamp(now_s) < self.codes_until + timedelta(days=1)

    def limits(self) -> dict[str, SessionLimits]:
        """How long sessions of each role last."""
        return {
            role: SessionLimits(
                60.0 * self.idle_minutes[role] if role in self.idle_minutes else _STRICT.get(role, IDLE_S),
                3600.0 * self.absolute_hours[role] if role in self.absolute_hours else ABSOLUTE_S,
            )
            for role in ROLES
        }
