"""An inspector's page that is open while processes of a center die: it connects anew wherever one lets it in."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Sequence

import httpx
import websockets

from tests.support.peers.center_processes import CenterProcesses
from tests.support.peers.live_tab import Tab, tab


class WatchingPage:
    """Made by `watching_page`; it keeps all that it was ever shown."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        """Signed in once; the session counts at every process."""
        self.tabs: list[Tab] = []

    @property
    def captions(self) -> list[str]:
        """The room of each caption that was shown."""
        return [str(caption["room"]) for one in self.tabs for caption in one.of("caption")]

    def saying(self, words: str) -> list[str]:
        """What it was shown that has these words anywhere."""
        texts = [json.dumps(text, ensure_ascii=False) for one in self.tabs for text in one.texts]
        return [text for text in texts if words in text]

    async def look(self, center: CenterProcesses, rooms: Sequence[str], first: int) -> None:
        """Look at these rooms for ever, at process `first` and when that is gone at one after the other."""
        for number in itertools.cycle([first, *(one.number for one in center.processes if one.number != first)]):
            with contextlib.suppress(OSError, TimeoutError, websockets.WebSocketException):
                async with tab(center.served(number), self.http, max_size=None) as one:
                    await one.say(rooms=list(rooms), sight=list(rooms))
                    self.tabs.append(one)
                    await one.ws.wait_closed()
            await asyncio.sleep(0.1)  # as a page does


@contextlib.asynccontextmanager
async def watching_page(center: CenterProcesses, rooms: Sequence[str], first: int) -> AsyncIterator[WatchingPage]:
    """A page at process `first`."""
    async with center.served(first).inspector() as http:
        page = WatchingPage(http)
        looking = asyncio.create_task(page.look(center, rooms, first))
        try:
            yield page
        finally:
            assert not looking.done(), "whatever ended, it looks on"
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
