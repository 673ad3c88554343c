"""The room's interface for a court's own systems: start, pause, stop, mute and ask, with a token instead of a person.

The same commands decide as for the clerk, so nothing can be done here that the clerk may not: the three lawful reasons
are the only ones, and what is refused there is refused here. The token is one line of the file `[panel]
api_token_file` (mode 0600); without it these routes are closed. Each request is a line of the room's audit, as the
clerk's are, and each act says in its event that it came from outside (`by`).
"""

from __future__ import annotations

import hmac
import time
from dataclasses import replace
from typing import Any

import structlog
from fastapi import FastAPI, Request
from pydantic import BaseModel, ConfigDict

from edge.api.hearing import CASE_BODY_BYTES, FromDocket, NewPause, Unlisted
from edge.hearing.commands import HearingCommands
from edge.state.room_state import RoomState
from sync.errors import AccessError, ConfigError
from sync.http.rights.people import Session
from sync.http.rights.rules import Rule, declare
from sync.record.milliseconds import to_ms
from sync.runtime.files.secrets import read_secret

log = structlog.get_logger(__name__)

MIN_TOKEN = 20
BY = "api"


class Mute(BaseModel):
    """Whether live sound and captions are held back."""

    model_config = ConfigDict(extra="forbid")

    muted: bool


class ApiToken:
    """The token of the court's systems."""

    def __init__(self, state: RoomState) -> None:
        """Read it; `ConfigError` when it is missing, open to others or too short."""
        file = state.profile.panel.api_token_file
        self._token = "" if file is None else read_secret(file, "the token of the room's API")
        if file is not None and len(self._token) < MIN_TOKEN:
            raise ConfigError(f"the token in {file} is too short; use 32 random characters")
        self.actor = Session(BY, "法院系统", time.time(), time.time())
        """As whom its requests are noted."""

    async def check(self, request: Request) -> None:
        """`AccessError` unless the request carries it."""
        said = request.headers.get("authorization", "")
        if not self._token or not hmac.compare_digest(said.encode(), f"Bearer {self._token}".encode()):
            log.warning("api_refused", path=request.url.path, address=request.client and request.client.host)
            raise AccessError("接口令牌无效或未启用 (no such token, or the API is not switched on)", code="token")


def add_court_systems(app: FastAPI, state: RoomState, commands: HearingCommands) -> None:
    """Put the routes on `app`."""
    token = ApiToken(state)
    rule = Rule(machine=token.check, acts_as=token.actor)

    @app.get("/api/control/state")
    @declare(rule)
    async def read_state() -> dict[str, Any]:
        hearing = state.hearing
        current = state.current
        return {
            "room": state.profile.room.model_dump(),
            "hearing": None if hearing is None else _summary(hearing.to_json()),
            "recording": current is not None and state.kept(current.id),
            "recorder": to_ms(state.recorder) if state.recorder_fresh else None,
            "utc_ms": state.clock.utc_now_ns() / 1_000_000,
        }

    @app.post("/api/control/hearing")
    @declare(replace(rule, body_bytes=CASE_BODY_BYTES))
    async def start(body: FromDocket | Unlisted) -> dict[str, Any]:
        log.info("api_act", act="open")
        if isinstance(body, Unlisted):
            return _summary((await commands.open(body, None, body.despite, by=BY)).to_json())
        return _summary((await commands.open_planned(body.docket_id, body.despite, by=BY)).to_json())

    @app.post("/api/control/pause")
    @declare(rule)
    async def pause(body: NewPause) -> dict[str, Any]:
        log.info("api_act", act="pause", reason=body.reason.value)
        return _summary((await commands.pause(body.reason, by=BY)).to_json())

    @app.post("/api/control/resume")
    @declare(rule)
    async def resume() -> dict[str, Any]:
        log.info("api_act", act="resume")
        return _summary((await commands.resume(by=BY)).to_json())

    @app.post("/api/control/stop")
    @declare(rule)
    async def stop() -> dict[str, Any]:
        log.info("api_act", act="close")
        return _summary((await commands.close(by=BY)).to_json())

    @app.post("/api/control/mute")
    @declare(rule)
    async def mute(body: Mute) -> dict[str, Any]:
        log.info("api_act", act="mute", muted=body.muted)
        return _summary((await commands.mute(body.muted, BY)).to_json())


def _summary(hearing: dict[str, Any]) -> dict[str, Any]:
    """What another system has to know; words and exhibits are not for it."""
    keys = ("id", "state", "opened_utc_ms", "closed_ms", "case", "pauses", "gaps", "alarms", "live_muted")
    return {key: hearing[key] for key in keys}
