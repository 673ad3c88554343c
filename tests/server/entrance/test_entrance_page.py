"""Signing in and the account in a real browser: the first administrator and a passkey, by keyboard alone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright, expect

from server.factors.totp import totp_code
from sync.http import pages
from sync.http.serve import serving
from tests.support.browsers.looks import looked_at
from tests.support.peers.entrance_here import PASSWORD, entrance_here
from wutong.bench.browser import ARGUMENTS, find_chromium

pytestmark = [pytest.mark.browser, pytest.mark.alone]

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


async def typed(page: Page, *texts: str) -> None:
    """Fill the fields from the focused one on, and send them, by keyboard alone."""
    for at, text in enumerate(texts):
        if at:
            await page.keyboard.press("Tab")
        await page.keyboard.type(text)
    await page.keyboard.press("Enter")


async def test_the_first_administrator_and_a_passkey_by_keyboard_alone(tmp_path: Path) -> None:
    async with entrance_here(tmp_path, https=False) as here, async_playwright() as playwright:
        pages.install(here.app, ["account"], home="account")
        code = await asyncio.to_thread(here.people.first.code.keep, wanted=True)
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        async with serving(here.app, "127.0.0.1", 0) as port:
            context = await browser.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN")
            page = await context.new_page()
            errors: list[str] = []
            page.on("pageerror", lambda error: errors.append(str(error)))
            line = await context.new_cdp_session(page)
            await line.send("WebAuthn.enable")
            await line.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
            await page.goto(f"http://localhost:{port}/account")
            await expect(page.get_by_label("一次性登录码")).to_be_focused()
            await looked_at(page, "sign-in-first")
            await typed(page, code, "admin", "王管理", PASSWORD, PASSWORD)
            secret = "".join((await page.locator("code").inner_text()).split())
            await expect(page.get_by_role("img", name="验证器二维码")).to_be_visible()
            await looked_at(page, "sign-in-enroll")
            await typed(page, totp_code(secret, here.now_s))
            await expect(page.locator("ol li")).to_have_count(10)
            await looked_at(page, "sign-in-recovery-codes")
            await page.get_by_role("button", name="已保存，继续").press("Enter")
            await expect(page.get_by_role("heading", name="第二登录因素")).to_be_visible()
            await page.get_by_role("button", name="添加通行密钥").press("Enter")
            await expect(page.get_by_label("请输入当前密码以确认")).to_be_focused()
            await typed(page, PASSWORD)
            await expect(page.locator("li", has_text="通行密钥")).to_have_count(1)
            await looked_at(page, "account")
            await page.get_by_role("button", name="退出").press("Enter")
            await expect(page.get_by_label("登录名")).to_be_focused()
            await looked_at(page, "sign-in")
            await typed(page, "admin", "wrong and wrong")
            await expect(page.get_by_role("alert")).to_contain_text("登录名或密码不正确")
            await page.get_by_role("button", name="用通行密钥登录").press("Enter")
            await expect(page.get_by_role("heading", name="第二登录因素")).to_be_visible()
            assert notes_of(here.notes, "sign-in")[-1] == "passkey"
            assert errors == []
        await browser.close()


def notes_of(notes: list[tuple[str, ...]], what: str) -> list[Any]:
    return [detail for said, _, detail, _ in notes if said == what]
