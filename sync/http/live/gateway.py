"""The browsers' live gateway: one WebSocket a tab carries text and the media of the tracks that the tab watches.

Kept per track: the init segment and the fragments since the last key frame (bounded), so that a newcomer has a
picture at once. Kept per tab: what it must still be sent (`sync.http.live.tab`), bounded in bytes and in texts; nobody
waits for a tab that is slow. Which tracks are watched is told to whoever made the gateway, so that what nobody watches
need not come.

All methods belong to one event loop. The messages are those of `sync.media.envelope`, each preceded by its address.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Collection, Iterable

import structlog
from fastapi import WebSocket, WebSocketDisconnect

from sync.errors import EnvelopeError
from sync.http.live.tab import CLIENT_BYTES, LiveTab, Spans, TooSlowError
from sync.media.envelope import Envelope, Kind, address
from sync.media.gop_cache import GopCache
from sync.text.strict_json import read_strict

log = structlog.get_logger(__name__)

MAX_WATCHED = 128
MAX_SAID_BYTES = 256 * 1024
WANTED = frozenset({"rooms"})
"""What a tab may say beside `watch`."""
WHOLE = "state"
"""What a whole state that waits is replaced by: the next."""
NAME_CHARS = 200
"""Of an address: `court/room/track`."""
SEND_TIMEOUT_S = 20.0
"""A peer that takes no byte for so long is gone."""
LOOK_S = 20.0
UNBEGUN = "unbegun"


class Gateway:
    """All tabs of one server and the tracks that they may watch."""

    def __init__(
        self,
        *,
        client_bytes: int = CLIENT_BYTES,
        look_s: float = LOOK_S,
        name_chars: int = NAME_CHARS,
        on_demand: Callable[[frozenset[str]], None] = lambda watched: None,
    ) -> None:
        """`on_demand` is called with the watched addresses whenever they change.

        `look_s`: how often it is asked whether a tab's session still lasts; `name_chars`: how long an address may be.
        """
        self._client_bytes = client_bytes
        self._look_s = look_s
        self._name_chars = name_chars
        self._on_demand = on_demand
        self._tabs: set[LiveTab] = set()
        self._gops = GopCache()
        self._thumbnails: dict[str, tuple[bytes, str | None]] = {}
        self._hearings: dict[str, str | None] = {}
        """Of which hearing what is kept of a track is."""
        self._watched: frozenset[str] = frozenset()
        self.fragments = 0
        """Fragments that were taken for whoever watches."""

    @property
    def tabs(self) -> Collection[LiveTab]:
        """The tabs that are connected now."""
        return self._tabs

    @property
    def watched(self) -> frozenset[str]:
        """Addresses that somebody watches now."""
        return self._watched

    def publish(self, name: str, message: bytes, hearing: str | None = None) -> Envelope:
        """Take a live message (a packed envelope) of the track `name`, of a hearing; `EnvelopeError` if it is none,
        and with the code `UNBEGUN` for a fragment of a run whose init has not come."""
        envelope = Envelope.unpack(message)
        packed = address(name, message)
        if envelope.kind is Kind.THUMBNAIL:
            self._thumbnails[name] = packed, hearing
            for tab in self._tabs:
                if tab.may_watch(name) and tab.may_see(hearing):
                    tab.thumbnail(name, packed, hearing)
        elif envelope.kind is Kind.INIT:
            if self._gops.init(name, envelope, packed):
                for tab in self._tabs:
                    tab.init(name, packed)
        elif envelope.init_id != self._gops.init_id(name):
            raise EnvelopeError(f"a fragment of {name} came without its init segment", code=UNBEGUN)
        else:
            self.fragments += 1
            self._gops.fragment(name, envelope, packed)
            self._hearings[name] = hearing
            for tab in self._tabs:
                tab.media(name, envelope, packed, hearing)
        return envelope

    def interrupted(self, name: str) -> None:
        """Fragments of a track are missing: who watches it, and newcomers, go on with the next key frame."""
        self._gops.interrupted(name)
        for tab in self._tabs:
            tab.interrupted(name)

    def forget(self, name: str) -> None:
        """What is kept of a track for newcomers was of another hearing, which they may not be allowed to see."""
        self._thumbnails.pop(name, None)
        self._hearings.pop(name, None)
        self._gops.forget(name)

    def recheck(self) -> None:
        """What tabs may watch has changed: whoever may no more gets nothing further, not even what is queued."""
        for tab in self._tabs:
            for name in [name for name in tab.watched if not tab.may_watch(name)]:
                tab.interrupted(name)
                tab.stop(name)
            tab.recheck()
        self._count()

    def refresh(self, which: Callable[[LiveTab], bool] = lambda tab: True) -> None:
        """Send the tabs, or those of `which`, their whole state anew, as it is when it is sent."""
        for tab in self._tabs:
            if tab.whole is not None and which(tab):
                tab.text(tab.whole, replaces=WHOLE)

    def broadcast(
        self,
        value: object,
        wants: Callable[[LiveTab], bool] = lambda tab: True,
        *,
        replaces: str = "",
        hearing: str | None = None,
        room: str = "",
        spans: Spans = (),
    ) -> None:
        """Send a JSON message to all tabs, or to those that `wants` says; `replaces` as in `LiveTab.text`. It is judged
        again for each when it is sent: by its `hearing`, by the times `spans` of it that the message is of, and by the
        address `room` (`…/`) when there is one."""
        if self._tabs:
            text = json.dumps(value, ensure_ascii=False)
            for tab in self._tabs:
                if wants(tab):
                    tab.text_packed(text, replaces=replaces, hearing=hearing, room=room, spans=spans)

    async def serve(
        self,
        ws: WebSocket,
        first: Iterable[object],
        *,
        may_watch: Callable[[str], bool] = lambda name: True,
        may_see: Callable[[str | None], bool] = lambda hearing: True,
        may_see_span: Callable[[str | None, int, int], bool] = lambda hearing, from_ns, to_ns: True,
        whole: Callable[[], object] | None = None,
        on_said: Callable[[LiveTab], None] = lambda tab: None,
        alive: Callable[[], bool] = lambda: True,
    ) -> None:
        """Serve an accepted WebSocket until it ends: `first` are JSON messages that come before all others, or
        functions that make them when they are sent.

        `may_watch` filters addresses, `may_see` hearings (for who broadcasts), `may_see_span` times of them; `whole`
        makes what `refresh` sends; `on_said` is told after each message of the tab, `alive` is asked every `look_s`
        whether its session still lasts. Must be called without waiting after `first` was made.
        """
        tab = LiveTab(self._client_bytes, may_watch, may_see, may_see_span)
        tab.whole = whole
        for value in first:
            tab.text(value)
        for name, (packed, hearing) in self._thumbnails.items():
            if may_watch(name) and may_see(hearing):
                tab.thumbnail(name, packed, hearing)
        self._tabs.add(tab)
        sending = asyncio.create_task(_send(tab, ws))
        receiving = asyncio.create_task(self._receive(tab, ws, on_said))
        ending = asyncio.create_task(self._until(lambda: not alive()))
        tasks = {sending, receiving, ending}
        code, why = 1000, ""
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if ending in done:
                code, why = 4401, "signed out"
            for task in done:
                code, why = _end_of(task.exception()) or (code, why)
        finally:
            self._tabs.discard(tab)
            self._count()
            on_said(tab)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with contextlib.suppress(*_GONE):
                await asyncio.wait_for(ws.close(code if alive() else 4401, why), 2)

    async def _receive(self, tab: LiveTab, ws: WebSocket, on_said: Callable[[LiveTab], None]) -> None:
        while True:
            said = read_said(await ws.receive_text())
            watch = said.pop("watch", None)
            self._want(tab, said)
            if watch is not None:
                self._watch(tab, watch)
            on_said(tab)

    def _want(self, tab: LiveTab, said: dict[str, object]) -> None:
        """Keep what is known of what a tab says: anything else would stay as long as the tab."""
        for key in WANTED & said.keys():
            names = said[key]
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise ValueError(f"{key} must be a list of addresses")
            tab.wanted[key] = [name for name in names[:MAX_WATCHED] if len(name) <= self._name_chars]

    def _watch(self, tab: LiveTab, watch: object) -> None:
        if not isinstance(watch, list) or len(watch) > MAX_WATCHED:
            raise ValueError(f"what is watched must be a list of at most {MAX_WATCHED} addresses")
        if not all(isinstance(name, str) and len(name) <= self._name_chars for name in watch):
            raise ValueError(f"an address is a text of at most {self._name_chars} characters")
        names = {name for name in watch if tab.may_watch(name)}
        for name in tab.watched - names:
            tab.stop(name)
        for name in sorted(names - tab.watched):
            tab.start(name, self._gops.init_of(name), self._gops.since_key_frame(name), self._hearings.get(name))
        self._count()

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await asyncio.sleep(self._look_s)

    def _count(self) -> None:
        watched = frozenset[str]().union(*(tab.watched for tab in self._tabs))
        if watched != self._watched:
            self._watched = watched
            self._on_demand(watched)


def read_said(text: str) -> dict[str, object]:
    """What a tab said; `ValueError` when it is no object of JSON, or too large."""
    said = read_strict(text.encode(), limit=MAX_SAID_BYTES)
    if not isinstance(said, dict):
        raise ValueError("a message to the gateway must be a JSON object")
    return said


_GONE = (WebSocketDisconnect, ConnectionError, TimeoutError, RuntimeError)
"""How a socket may end by itself: gone, too slow, already closed."""


async def _send(tab: LiveTab, ws: WebSocket) -> None:
    """Send what is queued until the socket fails or takes nothing."""
    while True:
        message = await tab.next()
        async with asyncio.timeout(SEND_TIMEOUT_S):
            if isinstance(message, str):
                await ws.send_text(message)
            else:
                await ws.send_bytes(message)


def _end_of(error: BaseException | None) -> tuple[int, str] | None:
    """With which code and reason the socket is closed after `error`; what is no way to end a socket is raised."""
    if error is None:
        return None
    if isinstance(error, TooSlowError):
        return 1013, "too slow; come back for the whole state"
    if isinstance(error, _GONE):
        return 1000, ""
    if isinstance(error, ValueError | KeyError):
        return 1008, "that is not of the protocol"
    raise error
