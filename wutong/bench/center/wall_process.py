"""Inspectors on the wall, several in one process: `python -m wutong.bench.center.wall_process ORDERS`.

Each signs in and speaks to the live gateway as the page of the wall does: it gets all thumbnails, captions and states,
and the media of the tracks that it watches. How old each message is when it is here is told by the message itself and
this machine's monotonic clock. One of them also asks the center who it is, `PING_S` apart. Orders: `watch`,
`flowing` (of how many watched tracks a fragment has come), `begin`, `report`.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import websockets
from websockets.typing import Origin

from sync.media.envelope import Kind, addressed_span_ns
from sync.runtime.units import NS_PER_MS
from sync.tls.contexts import client_context, trust
from wutong.bench.center.orders import WallOrders
from wutong.bench.center.orders_line import obey, serve
from wutong.bench.center.samples import Samples

PING_S = 0.25
FRAGMENT = "fragment_ms"
THUMBNAIL = "thumbnail_ms"
CAPTION = "caption_ms"
PING = "ping_ms"
_KIND_AT, _SEQUENCE_AT = 3, 10
"""Bytes of the envelope's header (`sync.media.envelope`)."""
_CAPTION, _LOST = '"caption"', '"lost"'
_HEAD_CHARS = 24
"""In the beginning of a text stands its type: only captions are read whole, as the figures need no more."""


class WallTab:
    """One inspector's tab."""

    def __init__(self, watched: list[str], samples: Samples) -> None:
        self._watched = watched
        self._samples = samples
        self._sequences: dict[bytes, int] = {}
        self._ws: Any = None
        self._told = False

    @property
    def flowing(self) -> int:
        """Watched tracks of which media has come."""
        return len(self._sequences)

    @property
    def is_open(self) -> bool:
        """Whether the center has told it something."""
        return self._told

    async def watch(self) -> None:
        """Say what it watches."""
        await self._ws.send(json.dumps({"watch": self._watched, "rooms": []}))

    async def run(self, url: str, cookie: str, tls: ssl.SSLContext | None) -> None:
        """Read until the socket ends, which is no measurement any more."""
        address = url.replace("http", "ws", 1) + "/api/live"
        async with websockets.connect(
            address,
            origin=Origin(url),
            additional_headers={"Cookie": cookie},
            max_size=None,
            ssl=tls,
        ) as ws:
            self._ws = ws
            await ws.send(json.dumps({"watch": [], "rooms": []}))
            async for message in ws:
                if isinstance(message, bytes):
                    self._media(message)
                else:
                    self._text(message)
        raise ConnectionError("the center has ended an inspector's connection")

    def _media(self, packed: bytes) -> None:
        head = 1 + packed[0]
        kind = packed[head + _KIND_AT]
        if kind == Kind.INIT:
            return
        ended_ns = addressed_span_ns(packed)[1]
        if kind == Kind.THUMBNAIL:
            self._samples.since(THUMBNAIL, ended_ns)
            return
        self._samples.since(FRAGMENT, ended_ns)
        self._samples.count("media_bytes", len(packed))
        name = packed[1:head]
        sequence = int.from_bytes(packed[head + _SEQUENCE_AT : head + _SEQUENCE_AT + 4], "big")
        before = self._sequences.get(name)
        if before is not None and sequence > before + 1:
            self._samples.count("fragments_missing", sequence - before - 1)
        self._sequences[name] = sequence

    def _text(self, text: str) -> None:
        self._told = True
        self._samples.count("texts")
        self._samples.count("text_bytes", len(text))
        head = text[:_HEAD_CHARS]
        if _CAPTION in head:
            value = json.loads(text)["value"]
            self._samples.since(CAPTION, round(value["end_ms"] * NS_PER_MS))
        elif _LOST in head:
            self._samples.count("losses_told")


async def _signed_in(http: httpx.AsyncClient, code: str) -> str:
    """The cookie of a new session."""
    answer = await http.post("/api/session", json={"code": code}, headers={"X-Wutong": "1"})
    answer.raise_for_status()
    http.cookies.clear()  # who signs in with a session ends that one
    return "; ".join(f"{name}={value}" for name, value in answer.cookies.items())


async def _ping(http: httpx.AsyncClient, cookie: str, samples: Samples) -> None:
    while True:
        begun_ns = time.monotonic_ns()
        (await http.get("/api/session", headers={"Cookie": cookie})).raise_for_status()
        samples.since(PING, begun_ns)
        await asyncio.sleep(PING_S)


async def main(path: Path) -> None:
    """Run the inspectors until told to stop."""
    orders, samples = WallOrders.read(path), Samples()
    tls: ssl.SSLContext | None = None
    if orders.wires.tls:
        tls = client_context()
        trust(tls, Path(orders.authority))
    url = orders.wires.center_url
    tabs = [WallTab(watched, samples) for watched in orders.tabs]

    async def watch() -> Mapping[str, Any]:
        await asyncio.gather(*(tab.watch() for tab in tabs))
        return {}

    async def flowing() -> Mapping[str, Any]:
        return {"flowing": sum(tab.flowing for tab in tabs), "tabs": sum(tab.is_open for tab in tabs)}

    async with httpx.AsyncClient(
        base_url=url, verify=True if tls is None else tls, trust_env=False, timeout=30
    ) as http:
        cookies = [await _signed_in(http, orders.code) for _ in range(len(tabs) + 1)]
        works = [tab.run(url, cookie, tls) for tab, cookie in zip(tabs, cookies[1:], strict=True)]
        if orders.pings:
            works.append(_ping(http, cookies[0], samples))
        await obey({"watch": watch, "flowing": flowing}, samples, *works)


if __name__ == "__main__":
    serve(main)
