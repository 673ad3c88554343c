"""What the pages send and get while somebody signs in."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from sync.http.rights.roles import Role
from sync.text.fields import LINE, NAME

Login = Annotated[str, LINE, Field(min_length=1, max_length=64)]
Secret = Annotated[str, Field(min_length=1, max_length=256)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$")]
StepName = Literal["done", "totp", "passkey", "post", "new-password", "enroll-factor"]
WayName = Literal["totp", "passkey", "recovery"]


class EntranceBody(BaseModel):
    """What a page sends: nothing but what is named."""

    model_config = ConfigDict(extra="forbid")


class LoginAndPassword(EntranceBody):
    """Body of `POST /api/sign-in`; `password` is the one-time code where somebody comes for the first time."""

    login: Login
    password: Secret


class ShortCode(EntranceBody):
    """Body of `POST /api/sign-in/totp`, `…/recovery` and `…/enroll-totp`."""

    code: str = Field(min_length=6, max_length=40)


class PasskeyAnswer(EntranceBody):
    """Body of `POST /api/sign-in/passkey` and `…/enroll-passkey`: what the browser's `toJSON` gives."""

    credential: dict[str, Any]
    label: Annotated[str, LINE] = Field("", max_length=60)


class ChosenPost(EntranceBody):
    """Body of `POST /api/sign-in/post` and `/api/account/post`."""

    role: Role
    court: Slug


class NewPassword(EntranceBody):
    """Body of `POST /api/sign-in/new-password`."""

    password: Secret


class NewFirst(EntranceBody):
    """Body of `POST /api/sign-in/first`."""

    code: str = Field(min_length=6, max_length=40)
    login: Login
    name: Annotated[str, NAME, Field(min_length=1, max_length=40)]
    password: Secret


class BackFromProvider(EntranceBody):
    """Body of `POST /api/sign-in/provider`: what stands in the address with which the provider sent somebody back."""

    code: str = Field(min_length=1, max_length=2048)
    state: str = Field(min_length=1, max_length=100)
    iss: str = Field("", max_length=500)


class ProviderAddress(TypedDict):
    """Where the browser goes."""

    url: str


class PasskeyOptions(TypedDict):
    """What the browser is asked for, as `parseRequestOptionsFromJSON` takes it."""

    options: dict[str, Any]


class ShownPost(TypedDict):
    """One of a person's posts."""

    role: str
    court: str
    court_name: str


class NewTotp(TypedDict):
    """A secret for an authenticator app."""

    secret: str
    uri: str
    qr_svg: str


class SignInStep(TypedDict):
    """What comes next for somebody who signs in; `done`: they are in."""

    step: StepName
    name: NotRequired[str]
    ways: NotRequired[list[WayName]]
    """Of a second factor: all that this person has."""
    least_chars: NotRequired[int]
    """Of a new password."""
    totp: NotRequired[NewTotp]
    posts: NotRequired[list[ShownPost]]
    """The one that they were in last comes first."""
    role: NotRequired[str]
    court: NotRequired[str]
    person: NotRequired[str]
    recovery_codes: NotRequired[list[str]]
    """Shown this once, to be kept on paper."""
    recovery_left: NotRequired[int]
    """After one was used."""


class SignInWays(TypedDict):
    """Which ways in this center offers to a page at this address."""

    passkeys: bool
    provider: str
    """What its button says; empty where there is none."""
    directory: bool
    codes: bool
    """Whether shared codes of roles still open."""
    first: bool
    """Whether the center waits for its first administrator."""
    least_chars: int
