"""Browsers that really trust the court's authority open panel, display and inspection by HTTPS; others open nothing.

The certificates are those of the product, and no error of a certificate is ignored anywhere.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Error, Page, WebSocket, expect

from sync.runtime.files.durable_files import replace_file
from sync.tls.authority import open_authority
from sync.tls.certificates import pem_of
from sync.tls.identity import TlsFiles
from sync.tls.keys import make_tls_key
from tests.support.browsers.trusting import chromium_trusting
from tests.support.peers.center_peers import until
from tests.support.peers.tls_center import TlsCenter, served_by_tls
from tests.support.peers.tls_court import shows, utc_now
from tests.support.rooms.edge_room import Room, enroll
from wutong.bench.browser import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

ROOM = "jianshan/c03"
LISTED = '[[rooms]]\ncourt = "jianshan"\nroom = "c03"\n'
HERE = ("127.0.0.1", "localhost")
PATIENCE_MS = 60_000
"""The machine may be busy; every wait ends as soon as what it waits for is there."""


@dataclass
class Court:
    """A center and an enrolled room, both by HTTPS."""

    center: TlsCenter
    room: Room
    folder: Path

    @property
    def pages(self) -> list[str]:
        display = f"{self.room.base}/display?token={self.room.token}"
        return [f"{self.room.base}/panel", display, f"{self.center.url}/inspect"]

    def code(self) -> str:
        return str(json.loads((self.center.config.storage.data / "codes.json").read_text())["inspector"])


@pytest_asyncio.fixture
async def court(tmp_path: Path) -> AsyncIterator[Court]:
    people, folder = tmp_path / "people", tmp_path / "room"
    people.mkdir()
    folder.mkdir()
    async with served_by_tls(tmp_path, LISTED) as center:
        await center.enrolled(folder / "data", ROOM, hosts=HERE)
        async with Room(folder, people, enroll(people), trusted=shows(None, center.broker.authority)) as room:
            yield Court(center, room, tmp_path)


class Sockets:
    """The WebSockets of a page: which are open, and how much came over them."""

    def __init__(self, page: Page) -> None:
        self.opened = 0
        self.closed = 0
        self.frames = 0
        page.on("websocket", self._new)

    def _new(self, socket: WebSocket) -> None:
        self.opened += 1
        socket.on("framereceived", lambda _: setattr(self, "frames", self.frames + 1))
        socket.on("close", lambda _: setattr(self, "closed", self.closed + 1))


async def test_panel_display_and_inspection_open_and_a_renewed_certificate_breaks_no_connection(court: Court) -> None:
    async with chromium_trusting(court.center.broker.authority, court.folder / "home") as browser:
        context = await browser.new_context(locale="zh-CN", ignore_https_errors=False)
        context.set_default_timeout(PATIENCE_MS)
        for url in court.pages:
            page = await context.new_page()
            answer = await page.goto(url)
            assert answer is not None
            details = await answer.security_details()
            assert details is not None
            assert details["issuer"] == court.center.config.name + " TLS"
            assert await page.evaluate("isSecureContext")
            await expect(page.locator("body")).not_to_be_empty()
        panel, inspect = await context.new_page(), await context.new_page()
        panel_sockets, inspect_sockets = Sockets(panel), Sockets(inspect)
        await sign_in(panel, f"{court.room.base}/panel", court.room.code)
        await panel.goto(f"{court.room.base}/panel")
        await sign_in(inspect, f"{court.center.url}/inspect", court.code())
        await inspect.goto(f"{court.center.url}/inspect")
        both = (panel_sockets, inspect_sockets)
        await until(lambda: all(one.opened > one.closed and one.frames for one in both), 60)
        closed = [one.closed for one in both]

        before = await _shown(court.center.url, court), await _shown(court.room.base, court)
        (court.center.config.storage.data / "keys" / "server.pem").unlink()
        await court.center.center.tls.renew()
        _renew(court)
        async with asyncio.timeout(30):
            while await _shown(court.room.base, court) == before[1]:
                await asyncio.sleep(0.05)
        assert await _shown(court.center.url, court) != before[0]
        frames = [one.frames for one in both]
        court.center.center.broker.message.notify(ROOM, "status", b'{"online":true}')
        await court.room.open()
        await until(lambda: all(one.frames > seen for one, seen in zip(both, frames, strict=True)), 60)
        assert [one.closed for one in both] == closed


async def test_a_browser_with_another_authority_opens_nothing(court: Court) -> None:
    open_authority(court.folder / "other", "Other", utc_now())
    async with chromium_trusting(court.folder / "other" / "authority.pem", court.folder / "home") as browser:
        page = await browser.new_page()
        for url in court.pages:
            with pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
                await page.goto(url)
        with pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
            await page.goto(court.center.url.replace("127.0.0.1", "localhost"))


async def test_a_certificate_of_the_authority_for_another_host_opens_nothing(court: Court) -> None:
    """What one room's machine could do that answers in another's place."""
    async with chromium_trusting(court.center.broker.authority, court.folder / "home") as browser:
        page = await browser.new_page()
        _renew(court, hosts=("room.example",))
        edge_url = f"{court.room.base}/panel"
        async with asyncio.timeout(30):
            while True:
                try:
                    await page.goto(edge_url)
                except Error as error:
                    why = error.message
                    break
        assert "ERR_CERT_COMMON_NAME_INVALID" in why


def _renew(court: Court, hosts: tuple[str, ...] = HERE) -> None:
    """As the uplink does it: another certificate in the room's file."""
    files = TlsFiles(court.room.layout.authority, court.room.layout.tls_certificate, court.room.layout.tls_key)
    key = make_tls_key(files.key)
    made = court.center.broker.court.authority.issue(key.public_key(), ROOM, hosts, utc_now())
    replace_file(files.certificate, pem_of(made))


async def _shown(url: str, court: Court) -> bytes:
    """The certificate that a new connection gets (DER)."""
    host, port = url.removeprefix("https://").split(":")
    context = shows(None, court.center.broker.authority)
    _, writer = await asyncio.open_connection(host, int(port), ssl=context)
    try:
        der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.close()
        await writer.wait_closed()
    return bytes(der)
