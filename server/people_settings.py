"""Settings of people: how long they stay signed in, and how long the shared codes of roles still open the center."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

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
