"""What the account page sends and gets."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from server.entrance.steps import EntranceBody, Secret, ShownPost
from sync.text.fields import LINE


class OwnPassword(EntranceBody):
    """Body of what changes factors: who is signed in shows the password once more."""

    password: Secret


class ChangedPassword(EntranceBody):
    """Body of `POST /api/account/password`."""

    password: Secret
    new_password: Secret


class AddedTotp(EntranceBody):
    """Body of `POST /api/account/totp`."""

    code: str = Field(min_length=6, max_length=40)
    label: Annotated[str, LINE] = Field("", max_length=60)


class ShownFactor(TypedDict):
    """A second factor of somebody."""

    id: str
    kind: str
    label: str
    made_utc_ms: int
    used_utc_ms: int | None


class ShownAccount(TypedDict):
    """Who is signed in, and by what they prove themselves."""

    login: str
    name: str
    source: str
    """`local`, `ldap` or `oidc`: who keeps their password."""
    role: str
    court: str
    court_name: str
    posts: list[ShownPost]
    factors: list[ShownFactor]
    recovery_left: int
    least_chars: int


class ShownSession(TypedDict):
    """A session of somebody."""

    id: str
    role: str
    court_name: str
    began_utc_ms: int
    seen_utc_ms: int
    current: bool
    """Whether it is the one that asks."""


class ShownSessions(TypedDict):
    """All that last, the one that was used last first."""

    sessions: list[ShownSession]


class RecoveryCodes(TypedDict):
    """Shown this once."""

    recovery_codes: list[str]


class SignUpCode(TypedDict):
    """A one-time code, shown this once."""

    code: str
    until_utc_ms: int


class Ended(TypedDict):
    """How many sessions were ended."""

    ended: int
