"""The demo's clerk: conducts a hearing through the panel's HTTP API, at the times of the folder's `timeline.json`."""

from __future__ import annotations

import asyncio
import ssl
import time
from pathlib import Path
from typing import Any, Self

import httpx

from hardware.simulation.cue import Play, announce
from hardware.simulation.scenario import (
    AddExhibit,
    Close,
    Open,
    Present,
    Resume,
    Scenario,
    ScenarioCase,
    ScenarioMark,
    ScenarioPage,
    ScenarioPause,
    Withdraw,
    Zoom,
)
from sync.errors import CenterError

LEAD_S = 0.3
"""The simulated devices are told this long before the first sample, so that all of them begin in time."""
TEST_S = 90.0
"""A self-test is over by then, however busy the machine is."""
LOOK_S = 0.2
"""How often it is looked whether the speech model is loaded."""


class Clerk:
    """A signed-in client of one room's panel. Refusals of the room are `CenterError` with the room's own words."""

    def __init__(self, panel_url: str, trusted: ssl.SSLContext | None = None) -> None:
        """`trusted`: whose certificates are believed where the panel is served by HTTPS."""
        verify = True if trusted is None else trusted
        self._http = httpx.AsyncClient(base_url=panel_url, headers={"X-Wutong": "1"}, timeout=30, verify=verify)
        self._exhibits: dict[str, str] = {}
        self._shown: dict[str, Any] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._http.aclose()

    async def sign_in(self, code: str) -> None:
        """Open a session with the clerk's code."""
        await self._send("POST", "/api/session", json={"code": code})

    async def state(self) -> dict[str, Any]:
        """`GET /api/state`."""
        return await self._send("GET", "/api/state")

    async def words_ready(self) -> None:
        """Return when the speech model is loaded: of a transcriber that has said nothing yet the state says None."""
        while ((await self.state())["transcriber"] or {}).get("state") != "ready":
            await asyncio.sleep(LOOK_S)

    async def conduct(self, scenario: Scenario, folder: Path, stage: Path) -> None:
        """Hold the whole hearing: open it, start the devices' play, and do each action at its time."""
        first = scenario.actions[0]
        await self.act(first, folder)
        start_ns = time.monotonic_ns() + int((LEAD_S - first.at_s) * 1e9)
        announce(stage, Play(start_ns, folder.resolve()))
        for action in scenario.actions[1:]:
            await asyncio.sleep(max(0.0, action.at_s - (time.monotonic_ns() - start_ns) / 1e9))
            await self.act(action, folder)

    async def act(self, action: object, folder: Path) -> None:
        """Do one action of a scenario."""
        match action:
            case Open():
                await self.open(action.case)
            case AddExhibit():
                added = await self.add_exhibit(folder / action.file, action.title)
                self._exhibits[action.file] = str(added["id"])
            case Present():
                await self.show(self._exhibits[action.file], action.page, action.zoom, action.x, action.y)
            case ScenarioPage():
                assert self._shown is not None
                await self.show(self._shown["exhibit"], action.page, 1.0, 0.5, 0.5)
            case Zoom():
                assert self._shown is not None
                await self.show(self._shown["exhibit"], self._shown["page"], action.zoom, action.x, action.y)
            case Withdraw():
                await self._send("DELETE", "/api/presentation")
            case ScenarioMark():
                await self._send("POST", "/api/marks", json={"kind": action.kind, "text": action.text})
            case ScenarioPause():
                await self._send("POST", "/api/hearing/pause", json={"reason": action.reason.value})
            case Resume():
                await self.resume()
            case Close():
                await self.close()

    async def self_test(self) -> list[str]:
        """设备自检, unless a passed one counts; what has not proven itself."""
        now = (await self.state())["selftest"]
        if now["state"] == "passed":
            return []
        if now["state"] != "running":
            await self._send("POST", "/api/selftest", json={})
        end = time.monotonic() + TEST_S
        while time.monotonic() < end:
            now = (await self.state())["selftest"]
            if now["state"] != "running":
                break
            await asyncio.sleep(0.1)
        return [str(name) for name in now["hindrances"]]

    async def open(self, case: ScenarioCase, *, tested: bool = True) -> None:
        """宣布开庭, after the self-test; what it found is confirmed, so that a demo never ends there.

        Not `tested`: of a room that only advises the test.
        """
        despite = await self.self_test() if tested else []
        await self._send("POST", "/api/hearing", json={**case.model_dump(), "despite": despite})

    async def resume(self) -> None:
        """继续开庭."""
        await self._send("POST", "/api/hearing/resume")

    async def close(self) -> None:
        """闭庭."""
        await self._send("POST", "/api/hearing/close")

    async def add_exhibit(self, file: Path, title: str) -> dict[str, Any]:
        """Add a file to the hearing's exhibits; the answer is the Exhibit."""
        files = {"file": (file.name, file.read_bytes())}
        return await self._send("POST", "/api/exhibits", data={"title": title}, files=files)

    async def show(self, exhibit: str, page: int, zoom: float, x: float, y: float) -> None:
        """Put a page of an exhibit on the screens."""
        self._shown = {"exhibit": exhibit, "page": page, "zoom": zoom, "x": x, "y": y}
        await self._send("PUT", "/api/presentation", json=self._shown)

    async def _send(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        response = await self._http.request(method, path, **arguments)
        if response.is_error:
            try:
                words = response.json()["message"]
            except (ValueError, KeyError):
                words = response.text[:200]
            raise CenterError(f"the room refused {method} {path}: {words}", code="refused")
        return dict(response.json()) if response.content else {}
