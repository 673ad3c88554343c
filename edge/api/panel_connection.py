"""One browser tab of the panel: what it must still be sent, bounded, so that a slow tab slows nobody.

Events are never dropped: a tab that lags by more than `MAX_EVENTS` is cut off, and gets the whole state when it comes
back. Of what replaces itself (levels, status, captions) only the newest waits. Media waits up to `MAX_MEDIA_BYTES`,
then the track continues at its next key frame.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from sync.media.envelope import Envelope, address
from sync.media.gop_cache import GopCache, WatcherGate

MAX_EVENTS = 2000
MAX_MEDIA_BYTES = 4 * 1024 * 1024
MAX_WATCHED = 8


class TooSlowError(Exception):
    """The tab lags too far behind to be told everything."""


class PanelConnection:
    """A `Listener` of the view. All methods belong to one event loop."""

    def __init__(self, gops: GopCache) -> None:
        self._gops = gops
        self._gates: dict[str, WatcherGate] = {}
        self._events: deque[str] = deque()
        self._latest: dict[str, str] = {}
        self._media: deque[bytes] = deque()
        self._media_bytes = 0
        self._ready = asyncio.Event()
        self._lost = False

    def text(self, message: Mapping[str, Any]) -> None:
        """Queue a message; a newer one of its sort replaces it, unless it is an event or the state."""
        kind = message["type"]
        line = json.dumps(message, ensure_ascii=False)
        if kind in ("event", "state"):
            if len(self._events) >= MAX_EVENTS:
                self._lost = True
            else:
                self._events.append(line)
        else:
            key = f"caption/{message['value']['id']}" if kind == "caption" else kind
            self._latest.pop(key, None)
            self._latest[key] = line
            if len(self._latest) > MAX_EVENTS:
                self._lost = True
        self._ready.set()

    def media(self, track: str, envelope: Envelope, message: bytes) -> None:
        """Queue a fragment if the tab watches its track and keeps up."""
        gate = self._gates.get(track)
        if gate is None:
            return
        if self._media_bytes > MAX_MEDIA_BYTES:
            gate.lose()
        elif gate.passes(envelope):
            self._queue(track, message)

    def init(self, track: str, message: bytes) -> None:
        """Queue a new init segment if the tab watches its track."""
        gate = self._gates.get(track)
        if gate is not None:
            gate.lose()
            self._queue(track, message)

    def watch(self, tracks: Sequence[str]) -> None:
        """The tab wants these tracks and no others; each begins with its init and the last key frame."""
        wanted = list(dict.fromkeys(tracks))[:MAX_WATCHED]
        for track in set(self._gates) - set(wanted):
            del self._gates[track]
        inits = self._gops.inits()
        for track in wanted:
            if track in self._gates:
                continue
            held = self._gops.since_key_frame(track)
            self._gates[track] = WatcherGate(opened=bool(held))
            if track in inits:
                self._queue(track, inits[track])
            for message in held:
                self._queue(track, message)

    async def next(self) -> str | bytes:
        """What to send now: words before pictures. `TooSlowError` when the tab must start anew."""
        while True:
            if self._lost:
                raise TooSlowError
            if self._latest and (len(self._latest) > 4 or not self._events):
                return self._latest.pop(next(iter(self._latest)))
            # A caption that waits is older than the utterance that ends it: it must not come after.
            captions = [key for key in self._latest if key.startswith("caption/")]
            if captions:
                return self._latest.pop(captions[0])
            if self._events:
                return self._events.popleft()
            if self._media:
                message = self._media.popleft()
                self._media_bytes -= len(message)
                return message
            self._ready.clear()
            await self._ready.wait()

    def _queue(self, track: str, message: bytes) -> None:
        addressed = address(track, message)
        self._media.append(addressed)
        self._media_bytes += len(addressed)
        self._ready.set()
