"""The browsers' live gateway: one WebSocket per tab carries text and the media of the tracks that the tab watches.

Kept per track: the init segment and the fragments since the last key frame (bounded), so that a newcomer has a
picture at once. Kept per client: one queue, bounded in bytes. A client that does not keep up loses its own queued
media, is told so with `{"type": "lost", "address": …}` and goes on with the next key frame of each track; nobody
else waits for it. Text is never dropped: a client with too much of it is closed and comes back for the whole state.

All methods belong to one event loop. The messages are those of `sync.media.envelope`, each preceded by its address.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import structlog
from fastapi import WebSocket, WebSocketDisconnect

from sync.errors import EnvelopeError
from sync.media.envelope import Envelope, Kind, address

log = structlog.get_logger(__name__)

CLIENT_BYTES = 8 * 1024 * 1024
"""Media waiting for one client: about ten seconds of two cameras."""
TRACK_BYTES = 8 * 1024 * 1024
"""Fragments since the last key frame that are kept for newcomers."""
CLIENT_TEXTS = 4000
MAX_WATCHED = 128
SEND_TIMEOUT_S = 30.0
LOOK_S = 20.0


@dataclass(slots=True)
class _LiveTrack:
    """What a newcomer to a track gets first."""

    init_id: int = -1
    init: bytes | None = None
    fragments: deque[bytes] = field(default_factory=deque)
    size: int = 0
    whole: bool = False  # the fragments begin with a key frame

    def add(self, envelope: Envelope, packed: bytes) -> None:
        if envelope.key_frame:
            self.fragments.clear()
            self.size = 0
            self.whole = True
        if not self.whole:
            return
        self.fragments.append(packed)
        self.size += len(packed)
        if self.size > TRACK_BYTES:
            self.drop()

    def drop(self) -> None:
        self.fragments.clear()
        self.size = 0
        self.whole = False


@dataclass(slots=True)
class _Item:
    data: bytes | str
    kind: Kind | None  # None: text
    address: str = ""


class Client:
    """One browser tab."""

    def __init__(
        self,
        ws: WebSocket,
        limit_bytes: int,
        may_watch: Callable[[str], bool] = lambda name: True,
        may_see: Callable[[str | None], bool] = lambda hearing: True,
    ) -> None:
        self._ws = ws
        self.may_watch = may_watch
        """Whether this client may see what an address (`…/track`) shows, now."""
        self.may_see = may_see
        """Whether it may see a hearing, which may be another than the one that its room has now."""
        self._limit = limit_bytes
        self._queue: deque[_Item] = deque()
        self._media_bytes = 0
        self._texts = 0
        self._ready = asyncio.Event()
        self._waiting: set[str] = set()  # tracks that go on with their next key frame
        self._thumbnails: dict[str, _Item] = {}
        self.watched: set[str] = set()
        self.wanted: dict[str, Any] = {}
        """What the client said last, other than `watch`."""
        self.overflown = False
        self.lost = 0
        """Media messages dropped because this client was slow."""

    def text(self, value: object) -> None:
        """Queue a JSON message."""
        self.text_packed(json.dumps(value, ensure_ascii=False))

    def text_packed(self, text: str) -> None:
        """Queue a JSON message that is text already."""
        self._queue.append(_Item(text, None))
        self._texts += 1
        if self._texts > CLIENT_TEXTS:
            self.overflown = True
        self._ready.set()

    def start(self, name: str, track: _LiveTrack) -> None:
        """Queue what a newcomer to a track needs."""
        self._waiting.discard(name)
        if track.init is not None:
            self._put(_Item(track.init, Kind.INIT, name))
        if track.whole:
            for packed in track.fragments:
                self.media(name, packed, key_frame=False)
        else:
            self._waiting.add(name)

    def init(self, name: str, packed: bytes) -> None:
        """A track begins anew: what follows begins with a key frame."""
        self._waiting.discard(name)
        self._put(_Item(packed, Kind.INIT, name))
        self._waiting.add(name)

    def media(self, name: str, packed: bytes, *, key_frame: bool) -> None:
        """Queue a fragment, or drop it when it cannot be decoded after a loss."""
        if name in self._waiting:
            if not key_frame:
                return
            self._waiting.discard(name)
        self._put(_Item(packed, Kind.FRAGMENT, name))
        if self._media_bytes > self._limit:
            self._shed()

    def thumbnail(self, name: str, packed: bytes) -> None:
        """Queue a still picture; only the newest of a track waits."""
        old = self._thumbnails.get(name)
        if old is not None:
            old.data = packed
            return
        item = _Item(packed, Kind.THUMBNAIL, name)
        self._thumbnails[name] = item
        self._queue.append(item)
        self._ready.set()

    def stop(self, name: str) -> None:
        """The client does not watch a track any more."""
        self._waiting.discard(name)
        self._drop(lambda item: item.address == name and item.kind is not Kind.THUMBNAIL)

    def interrupted(self, name: str) -> None:
        """What follows cannot be decoded before the next key frame."""
        if name not in self._waiting:
            self._waiting.add(name)
            self.text({"type": "lost", "address": name})

    def _put(self, item: _Item) -> None:
        self._queue.append(item)
        self._media_bytes += len(item.data)
        self._ready.set()

    def _shed(self) -> None:
        names = {item.address for item in self._queue if item.kind is Kind.FRAGMENT}
        self.lost += self._drop(lambda item: item.kind is Kind.FRAGMENT)
        self._waiting |= names
        for name in sorted(names):
            self.text({"type": "lost", "address": name})

    def _drop(self, which: Callable[[_Item], bool]) -> int:
        kept = deque(item for item in self._queue if item.kind is None or not which(item))
        dropped = len(self._queue) - len(kept)
        self._queue = kept
        self._media_bytes = sum(len(i.data) for i in kept if i.kind in (Kind.INIT, Kind.FRAGMENT))
        return dropped

    async def send_all(self) -> None:
        """Send what is queued, in order, until the socket fails or is too slow even for text."""
        while not self.overflown:
            while not self._queue:
                self._ready.clear()
                await self._ready.wait()
            item = self._queue.popleft()
            async with asyncio.timeout(SEND_TIMEOUT_S):
                if isinstance(item.data, str):
                    self._texts -= 1
                    await self._ws.send_text(item.data)
                else:
                    if item.kind is Kind.THUMBNAIL:
                        self._thumbnails.pop(item.address, None)
                    else:
                        self._media_bytes -= len(item.data)
                    await self._ws.send_bytes(item.data)
        await self._ws.close(1013, "too slow; come back")


class Gateway:
    """All tabs of one server and the tracks they may watch."""

    def __init__(
        self, *, client_bytes: int = CLIENT_BYTES, on_demand: Callable[[frozenset[str]], None] | None = None
    ) -> None:
        """`on_demand` is called with the watched addresses whenever they change."""
        self._client_bytes = client_bytes
        self._on_demand = on_demand
        self._clients: set[Client] = set()
        self._tracks: dict[str, _LiveTrack] = {}
        self._thumbnails: dict[str, bytes] = {}
        self._watched: frozenset[str] = frozenset()

    @property
    def clients(self) -> Collection[Client]:
        """The tabs that are connected now."""
        return self._clients

    @property
    def watched(self) -> frozenset[str]:
        """Addresses that somebody watches now."""
        return self._watched

    def publish(self, name: str, message: bytes) -> Envelope:
        """Take a live message (a packed envelope) of the track `name`; `EnvelopeError` if it is none."""
        envelope = Envelope.unpack(message)
        packed = address(name, message)
        if envelope.kind is Kind.THUMBNAIL:
            self._thumbnails[name] = packed
            for client in self._clients:
                if client.may_watch(name):
                    client.thumbnail(name, packed)
            return envelope
        track = self._tracks.setdefault(name, _LiveTrack())
        if envelope.kind is Kind.INIT:
            if track.init == packed:
                return envelope
            if envelope.init_id != track.init_id:
                track.drop()
            track.init_id, track.init = envelope.init_id, packed
            for client in self._watching(name):
                client.init(name, packed)
            return envelope
        if envelope.init_id != track.init_id:
            raise EnvelopeError(f"a fragment of {name} was dropped: its init segment has not come yet")
        track.add(envelope, packed)
        for client in self._watching(name):
            client.media(name, packed, key_frame=envelope.key_frame)
        return envelope

    def interrupted(self, name: str) -> None:
        """Fragments of a track are missing: who watches it, and newcomers, go on with the next key frame."""
        track = self._tracks.get(name)
        if track is not None:
            track.drop()
        for client in self._watching(name):
            client.interrupted(name)

    def forget(self, name: str) -> None:
        """What is kept of a track for newcomers was of another hearing, which they may not be allowed to see."""
        self._thumbnails.pop(name, None)
        track = self._tracks.get(name)
        if track is not None:
            track.drop()

    def recheck(self) -> None:
        """What clients may watch has changed: whoever may no more gets nothing further, not even what is queued."""
        for client in self._clients:
            for name in [name for name in client.watched if not client.may_watch(name)]:
                client.watched.discard(name)
                client.stop(name)
                client.interrupted(name)
        self._count()

    def broadcast(self, value: object, wants: Callable[[Client], bool] | None = None) -> None:
        """Send a JSON message to all tabs, or to those that `wants` says."""
        if self._clients:
            text = json.dumps(value, ensure_ascii=False)
            for client in self._clients:
                if wants is None or wants(client):
                    client.text_packed(text)

    async def serve(
        self,
        ws: WebSocket,
        first: Iterable[object],
        *,
        may_watch: Callable[[str], bool] = lambda name: True,
        may_see: Callable[[str | None], bool] = lambda hearing: True,
        on_said: Callable[[Client], None] | None = None,
        alive: Callable[[], bool] = lambda: True,
    ) -> None:
        """Serve an accepted WebSocket until it ends: `first` are JSON messages that come before all others.

        `may_watch` filters addresses, `may_see` hearings (for who broadcasts), `on_said` is told after each message of
        the client, `alive` is asked every 20 s whether its session still lasts. Must be called without waiting after
        `first` was made.
        """
        client = Client(ws, self._client_bytes, may_watch, may_see)
        for value in first:
            client.text(value)
        for name, packed in self._thumbnails.items():
            if may_watch(name):
                client.thumbnail(name, packed)
        self._clients.add(client)
        tasks = [
            asyncio.create_task(work)
            for work in (client.send_all(), self._receive(client, ws, may_watch, on_said), _until(lambda: not alive()))
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                error = task.exception()
                if error is not None and not isinstance(error, _ENDS):
                    raise error
        finally:
            self._clients.discard(client)
            self._count()
            if on_said is not None:
                on_said(client)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with contextlib.suppress(*_ENDS):
                await asyncio.wait_for(ws.close(1000 if alive() else 4401), 2)

    async def _receive(
        self,
        client: Client,
        ws: WebSocket,
        may_watch: Callable[[str], bool],
        on_said: Callable[[Client], None] | None,
    ) -> None:
        while True:
            said = json.loads(await ws.receive_text())
            if not isinstance(said, dict):
                raise ValueError("a message to the gateway must be a JSON object")
            watch = said.pop("watch", None)
            client.wanted.update(said)
            if isinstance(watch, list):
                names = {n for n in watch[:MAX_WATCHED] if isinstance(n, str) and may_watch(n)}
                for name in client.watched - names:
                    client.stop(name)
                fresh = names - client.watched
                client.watched = names
                for name in sorted(fresh):
                    client.start(name, self._tracks.get(name) or _LiveTrack())
                self._count()
            if on_said is not None:
                on_said(client)

    def _watching(self, name: str) -> list[Client]:
        return [client for client in self._clients if name in client.watched]

    def _count(self) -> None:
        watched = frozenset().union(*(client.watched for client in self._clients))
        if watched != self._watched:
            self._watched = watched
            if self._on_demand is not None:
                self._on_demand(watched)


_ENDS = (WebSocketDisconnect, ConnectionError, TimeoutError, RuntimeError, ValueError, KeyError)
"""How a socket may end: gone, too slow, already closed, or it said something that is not the protocol."""


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(LOOK_S)
