"""The WebSockets of the panel and of the display."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any

import structlog
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, Field, ValidationError

from edge.api.panel_connection import PanelConnection, TooSlowError
from edge.state.display import DisplayToken, display_value
from edge.state.room_state import RoomState
from sync.errors import AccessError
from sync.http.access import Access, allow, public
from sync.media.envelope import Envelope
from sync.runtime.service import cancel_and_wait

log = structlog.get_logger(__name__)

MAX_TABS = 16
MAX_DISPLAYS = 8
SEND_S = 20.0
"""A peer that takes no byte for so long is gone."""
HEARTBEAT_S = 5.0
LOOK_S = 1.0


class WatchRequest(BaseModel):
    """What a tab wants to see."""

    watch: list[Annotated[str, Field(max_length=64)]] = Field(max_length=16)


class _FilesChange:
    """Tells a display that something changed; what, it looks up itself."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    def text(self, message: Mapping[str, Any]) -> None:
        if message["type"] in ("event", "caption", "recorder"):
            self.event.set()

    def media(self, track: str, envelope: Envelope, message: bytes) -> None:
        """A display shows no camera."""

    def init(self, track: str, message: bytes) -> None:
        """A display shows no camera."""


def add_sockets(app: FastAPI, view: RoomState, access: Access, token: DisplayToken) -> None:
    """Put the WebSockets on `app`."""
    tabs: set[PanelConnection] = set()
    displays: set[_FilesChange] = set()

    @app.websocket("/api/live")
    @allow("clerk")
    async def live(ws: WebSocket) -> None:
        session = await access.websocket(ws)
        tab = PanelConnection(view.gops)
        try:
            if len(tabs) >= MAX_TABS:
                await ws.close(1013, "too many tabs")
                return
            tabs.add(tab)
            # The state and the listening begin in the same moment: no event is missed and none comes twice.
            tab.text({"type": "state", **view.state()})
            view.listen(tab)
            await _both(_send_tab(ws, tab, lambda: access.alive(session)), _receive_watch(ws, tab))
        finally:
            tabs.discard(tab)
            view.leave(tab)
            access.released(ws)

    @app.websocket("/api/display")
    @public()  # the token is checked here
    async def display(ws: WebSocket) -> None:
        try:
            token.check(ws.query_params.get("token", ""))
        except AccessError:
            await ws.close(4403)  # before accept: the handshake is answered with HTTP 403
            return
        await ws.accept()
        change = _FilesChange()
        try:
            if len(displays) >= MAX_DISPLAYS:
                await ws.close(1013, "too many displays")
                return
            displays.add(change)
            view.listen(change)
            await _both(_send_display(ws, view, change), _drain(ws))
        finally:
            displays.discard(change)
            view.leave(change)


async def _both(sending: Coroutine[Any, Any, None], receiving: Coroutine[Any, Any, None]) -> None:
    """Until one side ends; then the other ends too."""
    tasks = [asyncio.create_task(sending), asyncio.create_task(receiving)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            with contextlib.suppress(WebSocketDisconnect, TimeoutError, RuntimeError):
                task.result()
    finally:
        await cancel_and_wait(*tasks)


async def _send_tab(ws: WebSocket, tab: PanelConnection, alive: Callable[[], bool]) -> None:
    checked = time.monotonic()
    while True:
        try:
            message = await tab.next()
        except TooSlowError:
            await ws.close(1013, "too slow; come back for the whole state")
            return
        if time.monotonic() - checked > HEARTBEAT_S:
            checked = time.monotonic()
            if not alive():
                await ws.close(4401, "signed out")
                return
        if isinstance(message, bytes):
            await asyncio.wait_for(ws.send_bytes(message), SEND_S)
        else:
            await asyncio.wait_for(ws.send_text(message), SEND_S)


async def _receive_watch(ws: WebSocket, tab: PanelConnection) -> None:
    while True:
        text = await ws.receive_text()
        try:
            tab.watch(WatchRequest.model_validate_json(text).watch)
        except ValidationError:
            await ws.close(1008, "that is not of the protocol")
            return


async def _send_display(ws: WebSocket, view: RoomState, change: _FilesChange) -> None:
    while True:
        said, said_at = display_value(view), time.monotonic()
        text = json.dumps({"type": "display", "value": said}, ensure_ascii=False)
        await asyncio.wait_for(ws.send_text(text), SEND_S)
        # The recorder speaks every second; the display is told only what changes what it shows, and the time.
        while time.monotonic() - said_at < HEARTBEAT_S:
            if {**display_value(view), "utc_ms": 0} != {**said, "utc_ms": 0}:
                break
            change.event.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):  # a recorder that falls silent says so by nothing
                    await change.event.wait()


async def _drain(ws: WebSocket) -> None:
    """A display says nothing; reading notices when it goes."""
    while True:
        await ws.receive()
