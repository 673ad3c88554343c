"""The profile that a room tells of itself, kept for who runs the machines: read strictly, and never with a secret.

A room sends it without passwords and tokens. One that has any all the same is refused, so that no secret of a room ever
lies at the center.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from fastapi import FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from server.store.database import Database
from server.store.room_entries import change
from sync.errors import WutongError
from sync.http.rights.rules import machine

MOST_BYTES = 256 * 1024
DEEPEST = 8
_SECRET = ("password", "token", "secret")
_MAY_NAME = ("_file",)
_IN_ADDRESS = re.compile(r"(?i)(pas\w*|pwd|psw|token|secret|key|auth\w*)=")
"""What cameras take in the path of an address."""


class ProfileTold(BaseModel):
    """Body of `POST /api/rooms/profile`."""

    model_config = ConfigDict(extra="forbid")

    profile: str = Field(min_length=1, max_length=MOST_BYTES)
    sha256: str = Field("", pattern=r"^([0-9a-f]{64})?$")
    """Of the text, where the room says it."""


def read_profile(text: str, sha256: str = "") -> str:
    """The text that is kept; `WutongError` "profile" when it is no TOML, has a secret in it, or is not the one of which
    the room says this hash (64 hex digits; empty: the room says none)."""
    if sha256 and hashlib.sha256(text.encode()).hexdigest() != sha256:
        raise WutongError(
            "配置文件与其校验值不符，未保存；请重新发送 (the profile does not have the hash that was sent and was not "
            "kept: send it again)",
            code="profile",
        )
    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise WutongError(f"配置文件不是 TOML (the profile is no TOML: {str(error)[:200]})", code="profile") from error
    for name, value in _leaves(found, 0):
        secret = name.rpartition(".")[2].casefold()
        hides = any(word in secret for word in _SECRET) and not secret.endswith(_MAY_NAME)
        if (hides and value) or ("://" in value and ("@" in value or _IN_ADDRESS.search(value))):
            raise WutongError(
                f"配置中的 {name[:80]} 含有密码，未保存；请由法庭机去除后再发送 (the profile has a secret and was not "
                "kept: the room leaves it out)",
                code="profile",
            )
    return text


def _leaves(value: Any, depth: int, name: str = "") -> Iterator[tuple[str, str]]:
    if depth > DEEPEST:
        raise WutongError("配置文件嵌套过深 (the profile is nested too deep)", code="profile")
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _leaves(one, depth + 1, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for one in value:
            yield from _leaves(one, depth + 1, name)
    else:
        yield name, str(value)


class ToldProfiles:
    """All methods belong to one event loop."""

    def __init__(self, database: Database, utc_ns: Callable[[], int]) -> None:
        self._db = database
        self._utc_ns = utc_ns

    def install(self, app: FastAPI, by_room: Callable[[Request], Awaitable[None]]) -> None:
        """Add the route of rooms. `by_room` puts the room into the request, and refuses whoever is none."""

        @app.post("/api/rooms/profile")
        @machine(by_room, body_bytes=2 * MOST_BYTES)
        async def told(body: ProfileTold, request: Request) -> dict[str, str]:
            text, room = read_profile(body.profile, body.sha256), str(request.scope["wutong_room"])

            def work(connection: Connection) -> None:
                change(connection, room, profile=text, profile_utc_ns=self._utc_ns())

            await self._db.write(work)
            return {}
