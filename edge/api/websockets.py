"""The WebSockets of the panel and of the display."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from edge.state.display import DisplayToken, display_value
from edge.state.room_state import RoomState
from edge.state.sight import unseen_of
from sync.errors import AccessError
from sync.http.live.gateway import SEND_TIMEOUT_S, Gateway
from sync.http.rights.access import Access
from sync.http.rights.rules import allow, public
from sync.record.sealed_parts import EVER
from sync.runtime.process.service import cancel_and_wait

MAX_TABS = 16
MAX_DISPLAYS = 8
MEDIA_BYTES = 4 * 1024 * 1024
"""Media waiting for one tab."""
TRACK_CHARS = 64
HEARTBEAT_S = 5.0
LOOK_S = 1.0


_OF_WORDS = frozenset({"event", "caption", "checks", "signing"})
"""What holds words, or what is said of them: a tab that may not see a part of the hearing gets none of these, and the
whole state as it may see it instead."""
_CHANGES_SIGHT = frozenset({"open", "close", "sealed_part"})


class TabsListener:
    """Hands every change of the room's state to the tabs of the panel, and to each only what its session may see."""

    def __init__(self, gateway: Gateway, hearing: Callable[[], str | None]) -> None:
        """`hearing()`: the id of the one that was opened last."""
        self._gateway = gateway
        self._hearing = hearing

    def text(self, message: Mapping[str, Any]) -> None:
        """An event is told whatever comes after it; of anything else a tab needs only the newest."""
        kind = str(message["type"])
        hearing = self._hearing()
        if kind == "sight" or (kind == "event" and message["event"]["kind"] in _CHANGES_SIGHT):
            self._gateway.recheck()
            self._gateway.refresh()
        if kind == "sight":
            return
        replaces = f"caption/{message['value']['id']}" if kind == "caption" else kind
        spans = EVER if kind in _OF_WORDS else ()
        self._gateway.broadcast(message, replaces="" if kind == "event" else replaces, hearing=hearing, spans=spans)
        if spans:
            self._gateway.refresh(lambda tab: not tab.may_see_span(hearing, *EVER[0]))

    def media(self, track: str, message: bytes) -> None:
        """Whoever watches the track gets it."""
        self._gateway.publish(track, message)


class _DisplayChange:
    """Tells a display that something changed; what, it looks up itself."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    def text(self, message: Mapping[str, Any]) -> None:
        if message["type"] in ("event", "caption", "recorder", "sight"):
            self.event.set()

    def media(self, track: str, message: bytes) -> None:
        """A display shows no camera."""


def add_sockets(app: FastAPI, state: RoomState, access: Access, token: DisplayToken) -> None:
    """Put the WebSockets on `app`."""
    gateway = Gateway(client_bytes=MEDIA_BYTES, look_s=HEARTBEAT_S, name_chars=TRACK_CHARS)
    state.listen(TabsListener(gateway, lambda: None if state.hearing is None else state.hearing.id))
    displays: set[_DisplayChange] = set()

    @app.websocket("/api/live")
    @allow("clerk", while_locked=True)
    async def live(ws: WebSocket) -> None:
        session = await access.websocket(ws)
        try:
            if len(gateway.tabs) >= MAX_TABS:
                await ws.close(1013, "too many tabs")
                return

            # The state and the listening begin in the same moment: no event is missed and none comes twice.
            def whole() -> dict[str, Any]:
                return {"type": "state", **state.snapshot(unseen_of(state, session))}

            def may_see(hearing: str | None, from_ns: int, to_ns: int) -> bool:
                return not unseen_of(state, session).touches(from_ns, to_ns)

            await gateway.serve(
                ws,
                [whole()],
                may_watch=lambda name: not session.locked,
                may_see_span=may_see,
                whole=whole,
                alive=lambda: access.alive(session),
            )
        finally:
            access.released(ws)

    @app.websocket("/api/display")
    @public()  # the token is checked here
    async def display(ws: WebSocket) -> None:
        try:
            token.check(ws.query_params.get("token", ""))
        except AccessError as error:
            access.note("refused", "display", ws.client.host if ws.client else "?", f"{error.code} WS /api/display")
            await ws.close(4403)  # before accept: the handshake is answered with HTTP 403
            return
        await ws.accept()
        change = _DisplayChange()
        try:
            if len(displays) >= MAX_DISPLAYS:
                await ws.close(1013, "too many displays")
                return
            displays.add(change)
            state.listen(change)
            await _both(_send_display(ws, state, change), _drain(ws))
        finally:
            displays.discard(change)
            state.leave(change)


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


async def _send_display(ws: WebSocket, state: RoomState, change: _DisplayChange) -> None:
    while True:
        said, said_at = display_value(state), time.monotonic()
        text = json.dumps({"type": "display", "value": said}, ensure_ascii=False)
        await asyncio.wait_for(ws.send_text(text), SEND_TIMEOUT_S)
        # The recorder speaks every second; the display is told only what changes what it shows, and the time.
        while time.monotonic() - said_at < HEARTBEAT_S:
            if {**display_value(state), "utc_ms": 0} != {**said, "utc_ms": 0}:
                break
            change.event.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):  # a recorder that falls silent says so by nothing
                    await change.event.wait()


async def _drain(ws: WebSocket) -> None:
    """A display says nothing; reading notices when it goes."""
    while True:
        await ws.receive()
