"""The ticket of somebody who is on their way in: what they have proven so far, sealed in a cookie of ten minutes.

So no process of a center keeps anything of strangers, and the next step may come to another process than the last.
What must count once does so by the database (codes of an app, passkeys, recovery codes, one-time codes), not by the
ticket: who shows an old one proves again what they have proven already, and nothing more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from server.factors.center_seal import CenterSeal
from server.factors.provider import ProviderTrip
from sync.errors import AccessError
from sync.http.rights.cookies import cookie
from sync.runtime.units import NS_PER_S

LASTS_S = 600
MOST_CHARS = 3800
"""Browsers keep cookies of 4 KiB, their names included."""
Wanted = Literal["second-factor", "new-password", "enroll-factor", "post", "passkey", "provider", "add-factor"]


class Ticket(BaseModel):
    """What somebody has proven, and what comes next."""

    model_config = ConfigDict(extra="forbid")

    wanted: Wanted
    person: str = Field("", max_length=16)
    proven: str = Field("", max_length=60)
    """By what, for the audit: `password+totp`."""
    asked_ns: int = 0
    """When the question to a passkey was asked."""
    challenge: str = Field("", max_length=200)
    password: str = Field("", max_length=400)
    """The hash of a new one, which is kept when the factor stands, too."""
    totp: str = Field("", max_length=80)
    code: str = Field("", max_length=64)
    """SHA-256 of the one-time code that all this stands on."""
    login: str = Field("", max_length=64)
    name: str = Field("", max_length=100)
    """Of the first administrator, who is nobody yet."""
    trip: ProviderTrip | None = None
    until_s: float = 0.0


class Tickets:
    """Gives out and reads them."""

    def __init__(self, seal: CenterSeal, name: str, *, secure: bool, utc_s: Callable[[], float] = time.time) -> None:
        """`name`: of this server's cookies."""
        self._seal = seal
        self._name = ("__Host-" if secure else "") + f"wutong_{name}_entrance"
        self._secure = secure
        self._utc_s = utc_s

    def give(self, response: Response, ticket: Ticket) -> None:
        """Put it into the browser, for `LASTS_S` from now."""
        stamped = ticket.model_copy(update={"until_s": self._utc_s() + LASTS_S})
        sealed = self._seal.seal("ticket", "", stamped.model_dump_json(exclude_defaults=True))
        assert len(sealed) <= MOST_CHARS, "a ticket is longer than browsers keep"
        response.set_cookie(
            self._name, sealed, max_age=LASTS_S, httponly=True, samesite="strict", path="/", secure=self._secure
        )

    def drop(self, response: Response) -> None:
        """Take it out of the browser."""
        response.delete_cookie(self._name, path="/", secure=self._secure, httponly=True, samesite="strict")

    def of(self, request: Request, *wanted: Wanted) -> Ticket:
        """The ticket of somebody for whom one of these comes next; `AccessError` "ticket" when there is none."""
        ticket = self.any_of(request)
        if ticket is None or ticket.wanted not in wanted:
            raise AccessError("登录步骤已过期，请重新登录 (this sign-in has expired; begin again)", code="ticket")
        return ticket

    def any_of(self, request: Request) -> Ticket | None:
        """Whatever ticket there is, if it still lasts."""
        sealed = cookie(request.headers, self._name)
        text = self._seal.open("ticket", "", sealed) if sealed and len(sealed) <= MOST_CHARS else None
        if text is None:
            return None
        try:
            ticket = Ticket.model_validate_json(text)
        except ValidationError:
            return None  # of a version before this one
        return ticket if ticket.until_s > self._utc_s() else None

    def now_ns(self) -> int:
        """UTC."""
        return int(self._utc_s() * NS_PER_S)
