"""The browsers' live gateway: one WebSocket a tab carries text and the media of the tracks that the tab watches.

Kept per track: the init segment and the fragments since the last key frame (bounded), so that a newcomer has a
picture at once, and the newest thumbnail. Kept per tab: what it must still be sent (`sync.http.live.tab`), bounded in
bytes and in texts; nobody waits for a tab that is slow. What comes is handed to the tabs that it is for
(`sync.http.live.audience`), no other is asked. Which rooms something else is wanted of is told to whoever made the
gateway, so that what nobody watches need not come.

All methods belong to one event loop. The messages are those of `sync.media.envelope`, each preceded by its address.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence

import structlog
from fastapi import WebSocket, WebSocketDisconnect

from sync.errors import EnvelopeError
from sync.http.live.audience import Audience, room_of
from sync.http.live.tab import CLIENT_BYTES, LiveTab, Spans, TooSlowError
from sync.http.live.thumbnails import NewestThumbnails, Thumbnail
from sync.media.envelope import Envelope, Kind, address
from sync.media.gop_cache import GopCache
from sync.text.strict_json import read_strict

log = structlog.get_logger(__name__)

MAX_WATCHED = 128
MAX_SAID_BYTES = 256 * 1024
WANTED = frozenset({"rooms", "sight"})
"""What a tab may say beside `watch` and `whole`: the rooms that it follows, and those that it has in sight."""
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
        on_demand: Callable[[Collection[str]], None] = lambda rooms: None,
        on_sight: Callable[[LiveTab, frozenset[str]], None] = lambda tab, rooms: None,
        until_known: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`on_demand` is called with the rooms of which other tracks are watched than before, or that others follow;
        `on_sight` with a tab and the rooms that came into its sight or went out of it.

        `look_s`: how often it is asked whether a tab's session still lasts; `name_chars`: how long an address may be;
        `until_known` as in `LiveTab`, where other processes may change who may see what.
        """
        self._until_known = until_known
        self._client_bytes = client_bytes
        self._look_s = look_s
        self._name_chars = name_chars
        self._on_demand = on_demand
        self._on_sight = on_sight
        self._tabs: set[LiveTab] = set()
        self.audience = Audience()
        self._gops = GopCache()
        self._thumbnails = NewestThumbnails()
        self._hearings: dict[str, str | None] = {}
        """Of which hearing what is kept of a track is."""
        self.fragments = 0
        """Fragments that were taken for whoever watches."""

    @property
    def tabs(self) -> Collection[LiveTab]:
        """The tabs that are connected now."""
        return self._tabs

    @property
    def watched(self) -> Collection[str]:
        """Addresses that somebody watches now."""
        return self.audience.watched

    def publish(self, name: str, message: bytes, hearing: str | None = None) -> Envelope:
        """Take a live message (a packed envelope) of the track `name`, of a hearing; `EnvelopeError` if it is none,
        and with the code `UNBEGUN` for a fragment of a run whose init has not come."""
        envelope = Envelope.unpack(message)
        packed = address(name, message)
        if envelope.kind is Kind.THUMBNAIL:
            self._thumbnails.put(Thumbnail(name, packed, hearing))
            for tab in self.audience.seers(room_of(name)):
                if tab.may_watch(name) and tab.may_see(hearing):
                    tab.thumbnail(name, packed, hearing)
        elif envelope.kind is Kind.INIT:
            if self._gops.init(name, envelope, packed):
                for tab in self.audience.watchers(name):
                    tab.init(name, packed)
        elif envelope.init_id != self._gops.init_id(name):
            raise EnvelopeError(f"a fragment of {name} came without its init segment", code=UNBEGUN)
        else:
            self.fragments += 1
            self._gops.fragment(name, envelope, packed)
            self._hearings[name] = hearing
            for tab in self.audience.watchers(name):
                tab.media(name, envelope, packed, hearing)
        return envelope

    def interrupted(self, name: str) -> None:
        """Fragments of a track are missing: who watches it, and newcomers, go on with the next key frame."""
        self._gops.interrupted(name)
        for tab in self.audience.watchers(name):
            tab.interrupted(name)

    def forget(self, name: str) -> None:
        """What is kept of a track for newcomers was of another hearing, which they may not be allowed to see."""
        self._thumbnails.forget(name)
        self._hearings.pop(name, None)
        self._gops.forget(name)

    def recheck(self, room: str | None = None) -> None:
        """What tabs may watch, of a room or at all, has changed: whoever may no more gets nothing further, not even
        what is queued. Of a `room` only its watchers are asked: what waits for others is judged when it is sent."""
        changed: set[str] = set()
        for tab in list(self._tabs) if room is None else self.audience.watchers_of(room):
            for name in [name for name in tab.watched if not tab.may_watch(name)]:
                tab.interrupted(name)
                changed |= self._stop(tab, name)
            tab.recheck()
        self._tell_demand(changed)

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
        to: Iterable[LiveTab] | None = None,
        replaces: str = "",
        hearing: str | None = None,
        room: str = "",
        spans: Spans = (),
    ) -> None:
        """Send a JSON message to all tabs, or to some, to those that `wants` says; `replaces` as in `LiveTab.text`. It
        is written once, and not at all where it is for nobody. It is judged again for each when it is sent: by its
        `hearing`, by the times `spans` of it that the message is of, and by the address `room` (`…/`) when there is
        one."""
        text = ""
        for tab in self._tabs if to is None else to:
            if wants(tab):
                text = text or json.dumps(value, ensure_ascii=False)
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
        sight: Sequence[str] | None = None,
        on_joined: Callable[[LiveTab], None] = lambda tab: None,
        on_said: Callable[[LiveTab], None] = lambda tab: None,
        alive: Callable[[], bool] = lambda: True,
    ) -> None:
        """Serve an accepted WebSocket until it ends: `first` are JSON messages that come before all others, or
        functions that make them when they are sent.

        `may_watch` filters addresses, `may_see` hearings (for who broadcasts), `may_see_span` times of them; `whole`
        makes what `refresh` sends; `sight` are the rooms that the tab has in sight before it says so itself, without
        it all; `on_joined` is told of the tab when it is one of `tabs`, `on_said` after each message of it and after
        its end, `alive` is asked every `look_s` whether its session still lasts. Must be called without waiting after
        `first` was made.
        """
        tab = LiveTab(self._client_bytes, may_watch, may_see, may_see_span, self._until_known)
        tab.whole = whole
        for value in first:
            tab.text(value)
        self.join(tab, sight)
        on_joined(tab)
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
            self._tell_demand(self.audience.leave(tab))
            on_said(tab)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with contextlib.suppress(*_GONE):
                await asyncio.wait_for(ws.close(code if alive() else 4401, why), 2)

    def join(self, tab: LiveTab, sight: Sequence[str] | None = None) -> None:
        """A tab is connected; `sight` as in `serve`."""
        self._tabs.add(tab)
        self.audience.join(tab, sees_all=sight is None)
        if sight is None:
            self._show(tab, self._thumbnails.all())
        else:
            tab.first_sight = tuple(sight)
            self._see(tab)

    def hear(self, tab: LiveTab, said: dict[str, object]) -> None:
        """A tab said something; `ValueError` when that is not of the protocol."""
        watch = said.pop("watch", None)
        self._want(tab, said)
        if watch is not None:
            self._watch(tab, watch)

    async def _receive(self, tab: LiveTab, ws: WebSocket, on_said: Callable[[LiveTab], None]) -> None:
        while True:
            self.hear(tab, read_said(await ws.receive_text()))
            on_said(tab)

    def _want(self, tab: LiveTab, said: dict[str, object]) -> None:
        """Keep what is known of what a tab says: anything else would stay as long as the tab."""
        for key in WANTED & said.keys():
            names = said[key]
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise ValueError(f"{key} must be a list of addresses")
            tab.wanted[key] = [name for name in names[:MAX_WATCHED] if len(name) <= self._name_chars]
        tab.asked_whole = tab.asked_whole or said.get("whole") is True
        if WANTED & said.keys():
            self._see(tab)

    def _see(self, tab: LiveTab) -> None:
        """Note which rooms a tab follows and has in sight now."""
        follows, sees = tab.wanted.get("rooms", []), tab.wanted.get("sight", tab.first_sight)
        followed, entered, left = self.audience.want(tab, follows=frozenset(follows), sees=frozenset(sees))
        self._tell_demand(followed)
        if left:
            tab.drop_thumbnails(lambda name: room_of(name) in left)
        for room in dict.fromkeys((*follows, *sees)):
            if room in entered:
                self._show(tab, self._thumbnails.of(room))
        if entered or left:
            self._on_sight(tab, entered | left)

    @staticmethod
    def _show(tab: LiveTab, thumbnails: Iterable[Thumbnail]) -> None:
        for one in thumbnails:
            if tab.may_watch(one.name) and tab.may_see(one.hearing):
                tab.thumbnail_again(one.name, one.packed, one.hearing)

    def _watch(self, tab: LiveTab, watch: object) -> None:
        if not isinstance(watch, list) or len(watch) > MAX_WATCHED:
            raise ValueError(f"what is watched must be a list of at most {MAX_WATCHED} addresses")
        if not all(isinstance(name, str) and len(name) <= self._name_chars for name in watch):
            raise ValueError(f"an address is a text of at most {self._name_chars} characters")
        names = {name for name in watch if tab.may_watch(name)}
        changed: set[str] = set()
        for name in tab.watched - names:
            changed |= self._stop(tab, name)
        for name in sorted(names - tab.watched):
            if name not in self.audience.watched:
                changed.add(room_of(name))
            self.audience.watch(tab, name)
            tab.start(name, self._gops.init_of(name), self._gops.since_key_frame(name), self._hearings.get(name))
        self._tell_demand(changed)

    def _stop(self, tab: LiveTab, name: str) -> set[str]:
        """A tab does not watch a track any more; its room, where nobody does."""
        tab.stop(name)
        self.audience.unwatch(tab, name)
        return set() if name in self.audience.watched else {room_of(name)}

    def _tell_demand(self, rooms: Collection[str]) -> None:
        if rooms:
            self._on_demand(rooms)

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await asyncio.sleep(self._look_s)


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
