"""What somebody does about their own account, and what a desk that was left open does not let others do."""

from __future__ import annotations

from server.factors.totp import totp_code
from tests.support.peers.entrance_here import PASSWORD, EntranceHere, an_administrator

NEW = "a quite different one"


async def test_a_new_password_needs_the_old_one_and_ends_the_other_sessions(here: EntranceHere) -> None:
    browser = await an_administrator(here)
    other = here.browser()
    await other.signs_in("admin")
    assert (await browser.post("/api/account/password", password="not this one", new_password=NEW))[
        "code"
    ] == "password"
    weak = await browser.post("/api/account/password", password=PASSWORD, new_password="admin123admin")
    assert weak["code"] == "weak-password"
    assert await browser.post("/api/account/password", password=PASSWORD, new_password=NEW) == {}
    assert (await other.get("/api/account"))["code"] == "signed-out"
    assert (await browser.get("/api/account"))["login"] == "admin"
    assert (await here.browser().post("/api/sign-in", login="admin", password=PASSWORD))["code"] == "password"
    assert (await here.browser().signs_in("admin", NEW))["step"] == "done"


async def test_the_last_second_factor_stays_until_there_is_another(here: EntranceHere) -> None:
    browser = await an_administrator(here)
    first = (await browser.get("/api/account"))["factors"][0]
    assert abs(first["made_utc_ms"] - here.now_s * 1000) < 60_000
    removing = f"/api/account/factors/{first['id']}/remove"
    assert (await browser.post(removing, password=PASSWORD))["code"] == "last-factor"
    asked = await browser.post("/api/account/totp/ask", password=PASSWORD)
    code = totp_code(asked["secret"], here.now_s)
    assert await browser.post("/api/account/totp", code=code, label="第二部手机") == {}
    assert await browser.post(removing, password=PASSWORD) == {}
    left = (await browser.get("/api/account"))["factors"]
    assert [one["label"] for one in left] == ["第二部手机"]


async def test_an_app_begun_by_one_is_not_added_to_another(here: EntranceHere) -> None:
    admin = await an_administrator(here)
    assert (await admin.post("/api/account/totp", code="123456"))["code"] == "ticket"


async def test_new_recovery_codes_replace_those_of_before(here: EntranceHere) -> None:
    browser = await an_administrator(here)
    assert (await browser.post("/api/account/recovery-codes", password="not this one"))["code"] == "password"
    codes = (await browser.post("/api/account/recovery-codes", password=PASSWORD))["recovery_codes"]
    assert len(set(codes)) == 10
    again = (await browser.post("/api/account/recovery-codes", password=PASSWORD))["recovery_codes"]
    await browser.post("/api/sign-in", login="admin", password=PASSWORD)
    assert (await browser.post("/api/sign-in/recovery", code=codes[0]))["code"] == "code"
    assert (await browser.post("/api/sign-in/recovery", code=again[0]))["step"] == "done"


async def test_sessions_are_listed_and_ended_by_their_owner(here: EntranceHere) -> None:
    browser, other = await an_administrator(here), here.browser()
    await other.signs_in("admin")
    listed = (await browser.get("/api/account/sessions"))["sessions"]
    assert sorted(one["current"] for one in listed) == [False, True]
    away = next(one for one in listed if not one["current"])
    assert await browser.ask("DELETE", f"/api/account/sessions/{away['id']}") == (200, {"ended": 1})
    assert (await other.get("/api/account"))["code"] == "signed-out"


async def test_a_password_is_not_guessed_at_a_desk_that_was_left_open(here: EntranceHere) -> None:
    browser = await an_administrator(here)
    for _ in range(5):
        await browser.post("/api/account/recovery-codes", password="wrong and wrong")
    assert (await browser.post("/api/account/recovery-codes", password=PASSWORD))["code"] == "throttled"
