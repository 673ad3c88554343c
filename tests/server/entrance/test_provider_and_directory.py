"""Signing in by the court's provider and directory, with real ones, and what happens while they are away."""

from __future__ import annotations

import contextlib
from pathlib import Path

from server.people_settings import PeopleSettings
from server.provider_settings import LdapSettings, OidcSettings
from tests.support.peers.entrance_here import an_administrator, entrance_here
from tests.support.peers.oidc_provider import oidc_provider, signed_in_there
from tests.support.peers.slapd_server import PEOPLE, slapd


async def test_whom_the_provider_knows_comes_in_and_stays_in_while_it_is_away(tmp_path: Path) -> None:
    with contextlib.ExitStack() as while_it_runs:
        issuer = while_it_runs.enter_context(oidc_provider())
        secret = tmp_path / "secret"
        secret.write_text("of the center")
        secret.chmod(0o600)
        settings = PeopleSettings(oidc=OidcSettings(issuer=issuer, client_id="wutong", client_secret_file=secret))
        async with entrance_here(tmp_path, settings) as here:
            await an_administrator(here)
            await here.court("city")
            await here.person("wangfang", "inspector@city", source="oidc", subject="wang-1")
            browser, stranger = here.browser(), here.browser()
            for asking, subject, wanted in ((browser, "wang-1", "done"), (stranger, "li-2", "unknown-person")):
                url = (await asking.post("/api/sign-in/provider"))["url"]
                back = await signed_in_there(url, subject)
                answer = await asking.post("/api/sign-in/provider/back", code=back["code"], state=back["state"])
                assert wanted in (answer.get("step"), answer.get("code"))
            assert (await stranger.post("/api/sign-in/provider/back", code="x", state="y"))["code"] == "provider"
            assert (await browser.post("/api/account/recovery-codes", password="x"))["code"] == "elsewhere"
            while_it_runs.close()
            assert (await stranger.ask("POST", "/api/sign-in/provider"))[1]["url"], "it is asked again after an hour"
            here.now_s += 3601
            away = await stranger.ask("POST", "/api/sign-in/provider")
            assert (away[0], away[1]["code"]) == (503, "provider-away")
            assert (await browser.get("/api/account"))["login"] == "wangfang"


async def test_whom_the_directory_knows_adds_a_second_factor_and_comes_in(tmp_path: Path) -> None:
    with slapd(tmp_path / "slapd") as directory:
        settings = PeopleSettings(ldap=LdapSettings.model_validate(directory.settings().model_dump()))
        async with entrance_here(tmp_path, settings) as here:
            await an_administrator(here)
            await here.court("city")
            await here.person("wang", "inspector@city", source="ldap", subject="wangfang")
            browser = here.browser()
            assert (await browser.post("/api/sign-in", login="wang", password="not this one"))["code"] == "password"
            step = await browser.post("/api/sign-in", login="wang", password=PEOPLE["wangfang"])
            assert step["step"] == "enroll-factor"
            shown = await browser.post("/api/sign-in/enroll")
            here.secrets["wang"] = shown["totp"]["secret"]
            assert (await browser.post("/api/sign-in/enroll/totp", code=here.code("wang")))["step"] == "done"
            assert (await here.browser().signs_in("wang", PEOPLE["wangfang"]))["step"] == "done"
            changed = await browser.post("/api/account/password", password=PEOPLE["wangfang"], new_password="x" * 12)
            assert changed["code"] == "elsewhere"
            directory.stop()
            away = await here.browser().ask("POST", "/api/sign-in", {"login": "wang", "password": PEOPLE["wangfang"]})
            assert (away[0], away[1]["code"]) == (503, "directory-away")
            assert (await browser.get("/api/account"))["login"] == "wang"
            assert (await here.browser().signs_in("admin"))["step"] == "done"
