"""An inspector's browser tab at the live gateway, and the messages of a room that it watches."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import websockets

from sync.media.envelope import Envelope, Kind, pack_init
from tests.support.peers.center_peers import Served, until

BENCH = "court1/c03/bench"


IDLE = {"online": True, "at_utc_ns": 1, "room_ns": 1}
"""What a room without a hearing says before any picture of it is shown."""


def envelope(
    kind: Kind, sequence: int = 0, *, key: bool = False, kept: bool = False, init_id: int = 1, payload: bytes = b"x"
) -> bytes:
    at = sequence * 10**8
    return Envelope(kind, init_id, sequence, at, at, 100_000, payload, key_frame=key, kept=kept).pack()


INIT = envelope(Kind.INIT, payload=pack_init('video/mp4; codecs="avc1.42C01E"', b"init"))


class Tab:
    """A browser tab: reads everything into lists."""

    def __init__(self, ws: Any) -> None:
        self.ws = ws
        self.texts: list[dict[str, Any]] = []
        self.media: list[tuple[str, Envelope]] = []

    async def read(self) -> None:
        with contextlib.suppress(websockets.ConnectionClosed):
            async for message in self.ws:
                if isinstance(message, str):
                    self.texts.append(json.loads(message))
                else:
                    length = message[0]
                    self.media.append((message[1 : 1 + length].decode(), Envelope.unpack(message[1 + length :])))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [text for text in self.texts if text["type"] == kind]

    def sequences(self, address: str = BENCH) -> list[int]:
        return [e.sequence for name, e in self.media if name == address and e.kind is Kind.FRAGMENT]

    async def say(self, **value: Any) -> None:
        await self.ws.send(json.dumps(value))


@contextlib.asynccontextmanager
async def tab(served: Served, http: httpx.AsyncClient, *, by_changes: bool = False, **more: Any) -> AsyncIterator[Tab]:
    """A tab of before, or one that is told what is new (`by_changes`), which has been told of all rooms."""
    cookie = "; ".join(f"{k}={v}" for k, v in http.cookies.items())
    address = served.url.replace("http", "ws") + "/api/live" + ("?told=changes" if by_changes else "")
    headers = {"Cookie": cookie}
    async with websockets.connect(address, origin=served.url, additional_headers=headers, **more) as ws:  # type: ignore[arg-type]
        one = Tab(ws)
        task = asyncio.create_task(one.read())
        try:
            await until(lambda: one.of("rooms"))
            yield one
        finally:
            task.cancel()
