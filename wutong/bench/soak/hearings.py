"""One hearing after another through the panel's own API, and an inspector who watches each and looks back at it.

All that a hearing does is in each: it is opened, an exhibit is added and shown, marks are made, the court rises and
comes back, and it is closed and sealed. The inspector opens a live page for it, plays what is there, and closes the
page. Both do it as the pages do, over HTTP and WebSocket.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import websockets

from hardware.simulation.scenario import BUNDLED_HEARING, Scenario, ScenarioMark, ScenarioPause
from sync.record.timeline import PauseReason
from wutong.demo.clerk import Clerk
from wutong.demo.stack import Stack

_EXHIBIT = BUNDLED_HEARING / "iou.pdf"
TRACKS = ("bench", "mix")
MARKS = 10


@dataclass
class HearingsWithoutEnd:
    """Hearings without end. `done` counts those that were closed, `watched` the live messages that came of them."""

    stack: Stack
    hearing_s: float
    done: int = 0
    watched: int = 0
    played_bytes: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """What the center answered where it did not give what was asked for."""
    _scenario: Scenario = field(default_factory=lambda: Scenario.load(BUNDLED_HEARING))

    async def hold(self) -> None:
        """For ever."""
        room = self.stack.rooms[0]
        async with Clerk(self.stack.panel_url(room), self.stack.trusted()) as clerk, self._inspector() as inspector:
            await clerk.sign_in(self.stack.clerk_code(room))
            while True:
                async with self._live_page(inspector):
                    await self._hearing(clerk)
                await self._look_back(inspector)
                self.done += 1

    async def _hearing(self, clerk: Clerk) -> None:
        case = self._scenario.case.model_copy(update={"case_no": f"(2026)黑05民初{self.done + 1}号"})
        await clerk.open(case, tested=False)
        added = await clerk.add_exhibit(_EXHIBIT, "借条")
        for step in range(MARKS):
            await clerk.act(ScenarioMark(at_s=0, do="mark", kind="note", text=secrets.token_hex(8)), Path())
            if step == MARKS // 3:
                await clerk.show(str(added["id"]), 1, 1.0 + step / 10, 0.5, 0.5)
            if step == MARKS // 2:
                await clerk.act(ScenarioPause(at_s=0, do="pause", reason=PauseReason.RECESS), Path())
                await asyncio.sleep(self.hearing_s / 10)
                await clerk.resume()
            await asyncio.sleep(self.hearing_s * 0.9 / MARKS)
        await clerk.close()

    @contextlib.asynccontextmanager
    async def _inspector(self) -> AsyncIterator[httpx.AsyncClient]:
        async with httpx.AsyncClient(
            base_url=self.stack.center_url, headers={"X-Wutong": "1"}, timeout=30, trust_env=False
        ) as http:
            await self._sign_in(http)
            yield http

    async def _sign_in(self, http: httpx.AsyncClient) -> None:
        (await http.post("/api/session", json={"code": self.stack.inspector_code()})).raise_for_status()

    @contextlib.asynccontextmanager
    async def _live_page(self, inspector: httpx.AsyncClient) -> AsyncIterator[None]:
        address = self.stack.rooms[0].address
        url = self.stack.center_url.replace("http", "ws") + "/api/live"
        cookie = "; ".join(f"{name}={value}" for name, value in inspector.cookies.items())
        origin = websockets.Origin(self.stack.center_url)
        async with websockets.connect(
            url, origin=origin, additional_headers={"Cookie": cookie}, proxy=None, max_size=2**24
        ) as page:
            await page.send(json.dumps({"watch": [f"{address}/{track}" for track in TRACKS], "rooms": [address]}))
            reading = asyncio.create_task(self._read(page))
            try:
                yield
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)

    async def _read(self, page: websockets.ClientConnection) -> None:
        async for _ in page:
            self.watched += 1

    async def _look_back(self, inspector: httpx.AsyncClient) -> None:
        """Play the first stretch of the newest hearing that the center has, as far as it has it."""
        found = await self._get(inspector, "/api/hearings")
        if not found:
            return
        hearing = await self._get(inspector, f"/api/hearings/{found[0]['id']}")
        for track in [] if hearing is None else hearing["tracks"]:
            for from_ms, to_ms in track["ranges"][:1]:
                path = f"/api/hearings/{found[0]['id']}/media/{track['id']}"
                answer = await inspector.get(path, params={"from_ms": from_ms, "to_ms": min(to_ms, from_ms + 10_000)})
                self.played_bytes += len(answer.content) if answer.status_code == 200 else 0

    async def _get(self, inspector: httpx.AsyncClient, path: str) -> Any:
        """What the center answers; None, and a word in `refused`, where it refuses."""
        answer = await inspector.get(path)
        if answer.status_code == 200:
            return answer.json()
        self.refused[f"{answer.status_code} {answer.text[:80]}"] += 1
        if answer.status_code == 401:
            await self._sign_in(inspector)
        return None
