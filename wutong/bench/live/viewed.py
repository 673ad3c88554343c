"""Which page is looked at, by which path and over which line; and what is done with it while it is measured."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sync.errors import WutongError
from wutong.bench.browser import sign_in
from wutong.bench.live.poor_line import PoorLine
from wutong.demo.stack import Stack

if TYPE_CHECKING:
    from playwright.async_api import Page

CAMERA = "bench"
_SCRIPTS = [Path(__file__).with_name(name) for name in ("timecode.js", "live.js")]
_WITHOUT_DECODERS = "delete window.VideoDecoder"
"""What a browser looks like that has none, or a page that came over plain http from another machine."""
_STAGES = """() => Object.fromEntries([...document.querySelectorAll('[data-stage]')].map((row) =>
    [row.dataset.stage, [...row.querySelectorAll('td.num')].map((cell) => Number(cell.textContent))]))"""
_SO_FAR = """() => {
    const seen = window.__wutong_live;
    return { ...seen, samples: seen.samples.splice(0), stalled_ms: seen.stalled_ms.splice(0) };
}"""
OPENINGS = 5
_OPENED_S = 20.0
AWAY_S = (3.0, 15.0)
"""So long nobody looks: while the page is still sent its pictures, and so long that it asks for none any more."""
_SETTLED_S = 1.0


class LivePath(StrEnum):
    """The ways from coded to displayed that a page can take. There is none by a decoder in WebAssembly (ADR 42)."""

    WEBCODECS = "webcodecs"
    MSE = "mse"


class LineKind(StrEnum):
    """Over which line a page has its server."""

    LAN = "lan"
    """This machine's own."""
    POOR = "poor"
    """`PoorLine`."""


class LivePage(StrEnum):
    """Which page shows the picture."""

    INSPECT = "inspect"
    """A room's page at the center."""
    PANEL = "panel"
    """The clerk's, in the room itself."""


@dataclass(frozen=True, slots=True)
class Viewed:
    """One measurement's way to look."""

    page: LivePage = LivePage.INSPECT
    path: LivePath = LivePath.WEBCODECS
    line: LineKind = LineKind.LAN

    def track(self, stack: Stack) -> str:
        """What the page calls the camera's track."""
        return CAMERA if self.page is LivePage.PANEL else f"{stack.rooms[0].address}/{CAMERA}"

    def address(self, stack: Stack) -> tuple[str, str, str]:
        """(server, the page's path, code of who looks)."""
        room = stack.rooms[0]
        if self.page is LivePage.PANEL:
            return stack.panel_url(room), "/panel", stack.clerk_code(room)
        return stack.center_url, f"/inspect#/room/{room.address}", stack.inspector_code()


class LiveView:
    """A page that shows the camera, made by `viewed_by`."""

    def __init__(self, page: Page, url: str, viewed: Viewed) -> None:
        self._page = page
        self._url = url
        self._viewed = viewed

    async def open(self) -> None:
        """From an empty page."""
        await self._page.goto("about:blank")
        await self._page.goto(self._url)

    async def so_far(self) -> dict[str, Any]:
        """What was seen since this was asked last (samples, stalls), and since the page was opened (the rest)."""
        raw: dict[str, Any] = await self._page.evaluate(_SO_FAR)
        if raw["path"] and raw["path"] != self._viewed.path:
            raise WutongError(
                f"this browser took the path {raw['path']}, not {self._viewed.path}; it lacks what that needs"
            )
        return raw

    async def stages(self) -> dict[str, list[int]]:
        """What the page says of each stage, by its name: median, 95 of 100, most; milliseconds. The panel says none."""
        if self._viewed.page is LivePage.PANEL:
            return {}
        await self._page.locator("details.chip summary").click()
        await self._page.locator("[data-stage]").first.wait_for()
        found: dict[str, list[int]] = await self._page.evaluate(_STAGES)
        return found

    async def opened_again(self) -> list[float]:
        """When the first picture was displayed in each of `OPENINGS` openings, milliseconds."""
        found: list[float] = []
        for _ in range(OPENINGS):
            await self.open()
            async with asyncio.timeout(_OPENED_S):
                while (first := (await self.so_far())["first_ms"]) is None:
                    await asyncio.sleep(0.1)
            found.append(round(float(first), 1))
            await asyncio.sleep(_SETTLED_S)  # some more pictures: the next one does not find what this one asked for
        return found

    async def looked_away(self) -> dict[str, float | None]:
        """What a tab costs that nobody looks at, and how soon it shows a picture of now when somebody does again; None:
        it never did."""
        found: dict[str, float | None] = {}
        for away_s in AWAY_S:
            await self._page.evaluate("window.__wutong_look(false)")
            await asyncio.sleep(away_s - _SETTLED_S)
            before = await self._counted()
            await asyncio.sleep(_SETTLED_S)
            after = await self._counted()
            of = f"after_{away_s:.0f}_s"
            found |= {f"{what}_a_second_{of}": after[what] - before[what] for what in ("sent", "decoded")}
            back = await self._page.evaluate("window.__wutong_look(true)")
            found[f"back_ms_{of}"] = None if back is None else round(float(back), 1)
            await asyncio.sleep(_SETTLED_S)
        return found

    async def _counted(self) -> dict[str, int]:
        """Messages of the picture that came, and pictures that were decoded, since the page was opened."""
        said = "[window.__wutong_live.media, Number(document.querySelector('[data-live]')?.dataset.decoded ?? 0)]"
        sent, decoded = await self._page.evaluate(said)
        return {"sent": int(sent), "decoded": int(decoded)}


@contextlib.asynccontextmanager
async def viewed_by(page: Page, stack: Stack, viewed: Viewed) -> AsyncIterator[LiveView]:
    """Sign in, on a page that is not opened yet, and make it ready; the line is there while the block runs."""
    server, path, code = viewed.address(stack)
    async with _reached(server, viewed.line) as url:
        await sign_in(page, f"{url}{path.partition('#')[0]}", code)
        if viewed.path is LivePath.MSE:
            await page.add_init_script(_WITHOUT_DECODERS)
        await page.add_init_script(live_script(viewed.track(stack)))
        await page.goto(url + path.partition("#")[0])  # the wall or the panel, with which everybody begins
        await page.locator("[data-room], [data-phase]").first.wait_for()
        yield LiveView(page, url + path, viewed)


@contextlib.asynccontextmanager
async def _reached(server: str, line: LineKind) -> AsyncIterator[str]:
    """The address by which a server of this machine is reached over a line."""
    if line is LineKind.LAN:
        yield server
        return
    parts = urlsplit(server)
    assert parts.port is not None
    async with PoorLine(parts.port).running() as port:
        yield f"{parts.scheme}://{parts.hostname}:{port}"


def live_script(track: str) -> str:
    """What runs in the page and leaves what it saw of a track in `window.__wutong_live`."""
    reader, page = (script.read_text(encoding="utf-8") for script in _SCRIPTS)
    return f"{{\n{reader}\n{page.replace('__TRACK__', track)}\n}}"
