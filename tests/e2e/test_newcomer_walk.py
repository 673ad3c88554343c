"""From an empty machine to an inspected hearing, by pages alone, as a court's own people go it the first time.

`docs/figures.md` has the table of touches and seconds that this prints (`pytest -s`).
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from hardware.simulation.cue import Play, announce
from hardware.simulation.scenario import BUNDLED_HEARING
from server.factors.totp import totp_code
from sync.room.paths import RoomPaths
from tests.support.browsers.contact_sheet import contact_sheet
from tests.support.browsers.looks import looked_at
from tests.support.browsers.newcomer import Newcomer
from tests.support.browsers.trusting import chromium_trusting
from tests.support.paths import IMAGES
from tests.support.peers.tls_center import TlsCenter, served_by_tls
from tests.support.ports import free_port

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

PATIENCE_MS = 40_000
PASSWORD = "correct horse battery staple"
MOST_TOUCHES = 85
SHOWN = {
    "empty": "首位管理员",
    "code": "法庭的登记码",
    "seats": "机器成为法庭",
    "clerk": "书记员登录",
    "hearing": "开庭",
    "inspection": "庭审巡查",
}
"""What the README shows of it."""
COURT, ROOM = "尖山区人民法院", "第一法庭"
CASE = {"案号": "(2026)黑0503民初12号", "案由": "民间借贷纠纷", "原告": "张伟明", "被告": "李建国"}


@asynccontextmanager
async def setting_up(folder: Path) -> AsyncIterator[str]:
    """`wutong room setup` on a machine with simulated devices; yields the address that its screen shows."""
    folder.mkdir()
    page = folder / "page"
    command = [sys.executable, "-m", "wutong", "room", "setup", "--simulated", "--code-file", str(page)]
    command += ["--profile", str(folder / "room.toml"), "--data", str(folder / "data"), "--here", str(folder / "logs")]
    command += ["--host", "127.0.0.1", "--port", str(free_port())]
    with (folder / "setup.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)
    try:
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while not page.exists():
                assert process.returncode is None, (folder / "setup.log").read_text()
                await asyncio.sleep(0.1)  # another process's file: there is no event to wait for
        yield page.read_text().strip()
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), 60)


async def window(browser: Browser, width: int = 1280, height: int = 800) -> tuple[BrowserContext, Page]:
    context = await browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    return context, page


async def kept(who: Newcomer, page: Page, name: str) -> None:
    """Axe finds nothing here; the picture is for whoever asks for one. None of it is the newcomer's time."""
    began = time.monotonic()
    await looked_at(page, f"walk-{name}")
    who.pictures.append((name, await page.screenshot()))
    who.stages[-1].seconds -= time.monotonic() - began


async def first_sign_in(who: Newcomer, page: Page) -> str:
    """Scan the picture, type the code, keep the recovery codes; the secret is what the person's phone has then."""
    secret = "".join((await page.locator("code").inner_text()).split())
    await who.fill(page.get_by_label("验证器上的 6 位验证码"), totp_code(secret, time.time()))
    await who.enter(page)
    await who.press(page.get_by_role("button", name="已保存，继续"))
    return secret


async def add_person(who: Newcomer, page: Page, name: str, login: str, role: str) -> str:
    """The code that the person gets by hand."""
    await who.press(page.get_by_role("button", name="添加人员").first)
    form = page.get_by_role("dialog")
    await expect(form.get_by_label("所在法院")).to_have_value(COURT)
    await who.fill(form.get_by_label("姓名"), name)
    await who.fill(form.get_by_label("登录名"), login)
    if role != "书记员":
        await who.choose(form.get_by_label("角色"), role)
    await who.press(form.get_by_role("button", name="保存"))
    await who.press(page.get_by_role("button", name="生成启用码"))
    return await page.get_by_test_id("sign-up-code").inner_text()


async def begin_as(who: Newcomer, page: Page, login: str, code: str) -> str:
    """Somebody's first sign-in at the center."""
    await who.fill(page.get_by_label("登录名"), login)
    await who.fill(page.get_by_label("密码"), code)
    await who.enter(page)
    await page.get_by_label("再输一遍").wait_for()
    await who.fill(page.get_by_label("密码", exact=True), PASSWORD)
    await who.fill(page.get_by_label("再输一遍"), PASSWORD)
    await who.enter(page)
    return await first_sign_in(who, page)


async def test_a_court_begins_by_itself_and_is_inspected(tmp_path: Path) -> None:
    expect.set_options(timeout=PATIENCE_MS)
    who = Newcomer()
    async with (
        served_by_tls(tmp_path, empty=True) as center,
        setting_up(tmp_path / "room") as setup,
        chromium_trusting(center.broker.authority, tmp_path / "home") as browser,
    ):
        office, desk = await window(browser)
        clerk_code, inspector_code, carried = await _administration(who, desk, center)
        machine, screen = await window(browser)
        await _room(who, screen, setup, carried)
        await _hearing(who, browser, screen, center, clerk_code)
        # The people of the courtroom are simulated, too: they speak from here on.
        announce(RoomPaths(tmp_path / "room" / "data").stage, Play(time.monotonic_ns(), BUNDLED_HEARING))
        await _inspection(who, browser, center, inspector_code)
        for context in (office, machine):
            await context.close()
    print(f"\n{who.table()}")
    if os.environ.get("WUTONG_SCREENSHOTS") == "1":
        chosen = [one for one in who.pictures if one[0] in SHOWN]
        contact_sheet([(SHOWN[name], picture) for name, picture in chosen], IMAGES / "newcomer-walk.png")
    assert sum(one.touches for one in who.stages) <= MOST_TOUCHES, who.table()


async def _administration(who: Newcomer, page: Page, center: TlsCenter) -> tuple[str, str, str]:
    async with who.stage("the first administrator"):
        await who.open(page, center.url)
        code = json.loads((center.config.storage.data / "codes.json").read_text())["administrator"]
        await who.fill(page.get_by_label("一次性登录码"), code)
        await who.fill(page.get_by_label("登录名"), "wang")
        await who.fill(page.get_by_label("姓名"), "王主任")
        await who.fill(page.get_by_label("密码", exact=True), PASSWORD)
        await who.fill(page.get_by_label("再输一遍"), PASSWORD)
        await who.enter(page)
        await first_sign_in(who, page)
        await expect(page.get_by_role("navigation", name="主导航")).to_be_visible()
    await kept(who, page, "empty")
    async with who.stage("the court and two people"):
        await who.press(page.get_by_role("link", name="添加法院"))
        await who.fill(page.get_by_label("名称", exact=True), COURT)
        await who.fill(page.get_by_label("代号"), "jianshan")
        await who.press(page.get_by_role("dialog").get_by_role("button", name="保存"))
        await who.press(page.get_by_role("link", name="人员", exact=True))
        clerk = await add_person(who, page, "孙丽", "sunli", "书记员")
        await who.press(page.get_by_role("link", name="人员", exact=True).first)
        inspector = await add_person(who, page, "周敏", "zhoumin", "督查员")
    async with who.stage("a room, and its code"):
        await who.press(page.get_by_role("link", name="法庭", exact=True))
        await who.press(page.get_by_role("button", name="添加法庭").first)
        await who.fill(page.get_by_label("法庭名称"), ROOM)
        await who.press(page.get_by_role("dialog").get_by_role("button", name="添加并生成登记码"))
        await page.get_by_test_id("room-code").wait_for()
        await kept(who, page, "code")
        carried = (await page.locator(".how code").inner_text()).removeprefix("wutong room setup ")
    return clerk, inspector, carried


async def _room(who: Newcomer, page: Page, setup: str, carried: str) -> None:
    """Ends at the room's panel."""
    async with who.stage("the machine becomes that room"):
        await who.open(page, setup)
        await who.fill(page.get_by_label("登记码"), carried)
        await who.press(page.get_by_role("button", name="核对登记码"))
        await who.press(page.get_by_role("button", name="下一步"))
        await page.get_by_role("checkbox", name="用于本庭").first.wait_for()
        for box in await page.get_by_role("checkbox", name="用于本庭").all():
            await who.press(box)
        await kept(who, page, "cameras")
        await who.press(page.get_by_role("button", name="下一步"))
        await who.press(page.get_by_role("button", name="按接线顺序分配"))
        await kept(who, page, "seats")
        await who.press(page.get_by_role("button", name="下一步"))
        await who.press(page.get_by_role("button", name="写入并启用"))
        await page.get_by_role("button", name="打开书记员页面").wait_for()
        await kept(who, page, "ready")
        await who.press(page.get_by_role("button", name="打开书记员页面"))
        await page.wait_for_url("**/panel")
        await page.get_by_role("button", name="以个人帐号登录").wait_for()


async def _hearing(who: Newcomer, browser: Browser, panel: Page, center: TlsCenter, code: str) -> None:
    """The clerk's own first day, up to an open hearing at the panel."""
    context, page = await window(browser)
    async with who.stage("the clerk's account"):
        await who.open(page, center.url)
        secret = await begin_as(who, page, "sunli", code)
        await page.get_by_role("heading", name="第二登录因素").or_(page.get_by_role("navigation")).first.wait_for()
    await context.close()
    async with who.stage("the clerk opens a hearing"):
        await who.press(panel.get_by_role("button", name="以个人帐号登录"))
        await kept(who, panel, "clerk")
        await who.fill(panel.get_by_label("帐号", exact=True), "sunli")
        await who.fill(panel.get_by_label("密码", exact=True), PASSWORD)
        await who.enter(panel)
        # A code counts once, and the phone shows the next one half a minute later: that is this one.
        await who.fill(panel.get_by_label("验证码"), totp_code(secret, time.time() + 30))
        await who.enter(panel)
        await who.press(panel.get_by_role("button", name="以后再设"))
        await who.press(panel.get_by_role("button", name="登记未排期案件"))
        for label, text in CASE.items():
            await who.fill(panel.get_by_label(label, exact=True), text)
        await who.press(panel.get_by_role("button", name="开庭", exact=True))
        await expect(panel.locator("[data-recording]")).to_have_attribute("data-recording", "recording")
    await kept(who, panel, "hearing")


async def _inspection(who: Newcomer, browser: Browser, center: TlsCenter, code: str) -> None:
    """An inspector sees the hearing live."""
    context, page = await window(browser, 1920, 1080)
    async with who.stage("the inspector's account, and the live picture"):
        await who.open(page, center.url)
        await begin_as(who, page, "zhoumin", code)
        await who.press(page.get_by_role("link", name=ROOM).first)
        await expect(page.get_by_text(CASE["案号"])).to_be_visible()
        await expect(page.locator(".badge.live")).to_be_visible()
        await page.wait_for_function("document.querySelector('[data-shown-ms]')?.dataset.shownMs > 0")
        await page.locator("[data-utterance]").first.wait_for(timeout=150_000)
    await kept(who, page, "inspection")
    await context.close()
