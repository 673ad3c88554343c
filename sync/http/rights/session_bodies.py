"""What is said of a session over HTTP: what opens one by a code, and who is signed in."""

from __future__ import annotations

from typing import Literal, NotRequired

from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from sync.http.rights.people import Session
from sync.http.rights.roles import Role


class SessionAnswer(TypedDict):
    """Who is signed in: a clerk in a room, everybody at the center."""

    role: Role | Literal["party"]
    name: str
    person: NotRequired[str]
    """Not there for who came by a role's code, and for guests."""
    court: NotRequired[str]
    """Of a person's post."""


class SignIn(BaseModel):
    """Body of `POST /api/session`."""

    code: str = Field(min_length=4, max_length=64)


def said_of(session: Session) -> dict[str, str]:
    """`SessionAnswer` of a session."""
    said = {"role": session.role, "name": session.name}
    return said | ({"person": session.person, "court": session.court} if session.person else {})
