"""Signing in step by step: what opens, what does not, and that nobody learns or delays what is not theirs."""

from __future__ import annotations

import asyncio

import pytest

from server.factors.totp import totp_code
from tests.support.peers.entrance_here import PASSWORD, EntranceHere, an_administrator
from tests.support.soft_passkey import SoftPasskey


async def test_the_first_administrator_comes_by_the_code_and_nobody_after(here: EntranceHere) -> None:
    browser = here.browser()
    code = here.people.first.code.keep(wanted=True)
    assert (await browser.get("/api/sign-in/ways"))["first"] is True
    wrong = {"code": "AAAA-BBBB-CC", "login": "admin", "name": "管理员", "password": PASSWORD}
    assert (await browser.post("/api/sign-in/first", **wrong))["code"] == "code"
    step = await browser.post("/api/sign-in/first", **{**wrong, "code": code})
    assert step["step"] == "enroll-factor"
    assert "<svg" in step["totp"]["qr_svg"]
    assert (await browser.post("/api/sign-in/enroll/totp", code="000000"))["code"] == "code"
    done = await browser.post("/api/sign-in/enroll/totp", code=totp_code(step["totp"]["secret"], here.now_s))
    assert (done["step"], done["role"], len(done["recovery_codes"])) == ("done", "administrator", 10)
    assert (await browser.get("/api/session"))["role"] == "administrator"
    assert (await browser.get("/api/sign-in/ways"))["first"] is False
    assert (await here.browser().post("/api/sign-in/first", **{**wrong, "code": code}))["code"] == "code"


async def test_a_person_signs_up_by_a_code_once_and_in_by_password_and_app(here: EntranceHere) -> None:
    admin = await an_administrator(here)
    await here.court("city")
    person = await here.person("wangfang", "inspector@city")
    made = await admin.post(f"/api/admin/people/{person.id}/sign-up-code")
    browser = here.browser()
    assert (await browser.post("/api/sign-in", login="WangFang", password=made["code"]))["step"] == "new-password"
    weak = await browser.post("/api/sign-in/new-password", password="password1234")
    assert weak["code"] == "weak-password"
    done = await browser.signs_up("wangfang", made["code"])
    assert (done["step"], done["role"], done["court"]) == ("done", "inspector", "city")
    again = here.browser()
    assert (await again.post("/api/sign-in", login="wangfang", password=made["code"]))["code"] == "password"
    assert (await again.signs_in("wangfang"))["step"] == "done"
    assert ("sign-in", "inspector", "password+totp", person.id) in here.notes
    refused = await admin.post(f"/api/admin/people/{person.id}/sign-up-code")
    assert refused["code"] == "has-factors"


async def test_of_two_who_come_with_one_code_one_gets_in(here: EntranceHere) -> None:
    admin = await an_administrator(here)
    await here.court("city")
    person = await here.person("wangfang", "inspector@city")
    code = (await admin.post(f"/api/admin/people/{person.id}/sign-up-code"))["code"]
    browsers, steps = [here.browser(), here.browser()], []
    for browser in browsers:
        await browser.post("/api/sign-in", login="wangfang", password=code)
        steps.append(await browser.post("/api/sign-in/new-password", password=PASSWORD))
    enrolled = [
        browser.post("/api/sign-in/enroll/totp", code=totp_code(step["totp"]["secret"], here.now_s))
        for browser, step in zip(browsers, steps, strict=True)
    ]
    answers = await asyncio.gather(*enrolled)
    assert sorted(answer.get("step") or answer["code"] for answer in answers) == ["done", "ticket"]


async def test_a_code_of_the_app_opens_once_and_no_step_is_skipped(here: EntranceHere) -> None:
    await an_administrator(here)
    one, other = here.browser(), here.browser()
    code = here.code("admin")
    assert (await one.post("/api/sign-in/totp", code=code))["code"] == "ticket"
    for browser in (one, other):
        step = await browser.post("/api/sign-in", login="admin", password=PASSWORD)
        assert (step["step"], step["ways"]) == ("totp", ["totp", "recovery"])
    assert (await one.post("/api/sign-in/post", role="administrator", court="center"))["code"] == "ticket"
    assert (await one.post("/api/sign-in/totp", code=code))["step"] == "done"
    assert (await other.post("/api/sign-in/totp", code=code))["code"] == "code"
    assert (await other.get("/api/session"))["code"] == "signed-out"


async def test_a_recovery_code_stands_in_once_and_says_how_many_are_left(here: EntranceHere) -> None:
    browser = here.browser()
    code = here.people.first.code.keep(wanted=True)
    step = await browser.post("/api/sign-in/first", code=code, login="admin", name="管理员", password=PASSWORD)
    done = await browser.post("/api/sign-in/enroll/totp", code=totp_code(step["totp"]["secret"], here.now_s))
    recovery = done["recovery_codes"][0]
    lost = here.browser()
    await lost.post("/api/sign-in", login="admin", password=PASSWORD)
    assert (await lost.post("/api/sign-in/recovery", code=recovery.lower()))["recovery_left"] == 9
    await lost.post("/api/sign-in", login="admin", password=PASSWORD)
    assert (await lost.post("/api/sign-in/recovery", code=recovery))["code"] == "code"


async def test_an_unknown_login_is_refused_as_a_wrong_password_is(here: EntranceHere) -> None:
    await an_administrator(here)
    wrong = [{"login": login, "password": "x" * 12} for login in ("admin", "nobody")]
    refusals = [await here.browser().ask("POST", "/api/sign-in", body) for body in wrong]
    assert refusals[0] == refusals[1]
    assert refusals[0][0] == 401


async def test_strangers_guesses_delay_strangers_and_not_the_person_s_own_browser(here: EntranceHere) -> None:
    own = await an_administrator(here)
    for _ in range(6):
        await here.browser().post("/api/sign-in", login="admin", password="wrong and wrong")
    assert (await here.browser().post("/api/sign-in", login="admin", password=PASSWORD))["code"] == "throttled"
    assert (await own.post("/api/sign-in", login="admin", password=PASSWORD))["step"] == "totp"


async def test_second_factors_are_guessed_by_few_at_a_time(here: EntranceHere) -> None:
    await an_administrator(here)
    browser = here.browser()
    await browser.post("/api/sign-in", login="admin", password=PASSWORD)
    answers = await asyncio.gather(*(browser.post("/api/sign-in/totp", code=f"{n:06}") for n in range(40)))
    assert {answer["code"] for answer in answers} == {"code", "throttled"}
    assert sum(answer["code"] == "code" for answer in answers) <= 5
    assert (await browser.post("/api/sign-in/totp", code=here.code("admin")))["code"] == "throttled"


async def test_who_has_several_posts_says_in_which_and_the_last_one_comes_first(here: EntranceHere) -> None:
    admin = await an_administrator(here)
    await here.court("city")
    await here.court("town")
    person = await here.person("wangfang", "inspector@city", "judge@town")
    code = (await admin.post(f"/api/admin/people/{person.id}/sign-up-code"))["code"]
    browser = here.browser()
    step = await browser.signs_up("wangfang", code)
    assert step["step"] == "post"
    assert (await browser.get("/api/session"))["code"] == "signed-out"
    assert (await browser.post("/api/sign-in/post", role="leader", court="city"))["code"] == "post"
    assert (await browser.post("/api/sign-in/post", role="judge", court="town"))["step"] == "done"
    again = await here.browser().signs_in("wangfang")
    assert [post["role"] for post in again["posts"]] == ["judge", "inspector"]
    changed = await browser.post("/api/account/post", role="inspector", court="city")
    assert changed["step"] == "done"
    assert (await browser.get("/api/session"))["role"] == "inspector"
    assert len((await browser.get("/api/account/sessions"))["sessions"]) == 1


async def test_who_is_locked_between_two_steps_does_not_get_in(here: EntranceHere) -> None:
    from server.people.acting import CENTER

    admin = await an_administrator(here)
    await here.court("city")
    person = await here.person("wangfang", "inspector@city")
    code = (await admin.post(f"/api/admin/people/{person.id}/sign-up-code"))["code"]
    await here.browser().signs_up("wangfang", code)
    browser = here.browser()
    assert (await browser.post("/api/sign-in", login="wangfang", password=PASSWORD))["step"] == "totp"
    await here.people.store.lock(person.id, CENTER)
    assert (await browser.post("/api/sign-in/totp", code=here.code("wangfang")))["code"] == "password"
    assert (await browser.post("/api/sign-in", login="wangfang", password=PASSWORD))["code"] == "password"


async def test_a_passkey_opens_without_a_password_and_its_answer_once(here: EntranceHere) -> None:
    admin = await an_administrator(here)
    me = here.people.store
    person = await me.by_login("admin")
    assert person is not None
    asked = await admin.post("/api/account/passkey/ask", password=PASSWORD)
    passkey = SoftPasskey("center.court.example")
    browser = here.browser()
    credential = passkey.made(asked["options"], browser.origin)
    assert await admin.post("/api/account/passkey", credential=credential, label="手机") == {}
    question = await browser.post("/api/sign-in/passkey/ask")
    answer = passkey.answer(question["options"], browser.origin, person=person.id)
    assert (await browser.post("/api/sign-in/passkey", credential=answer))["step"] == "done"
    thief = here.browser()
    await thief.post("/api/sign-in/passkey/ask")
    assert (await thief.post("/api/sign-in/passkey", credential=answer))["code"] == "passkey"


async def test_a_ticket_of_another_center_an_old_and_a_changed_one_are_none(here: EntranceHere) -> None:
    await an_administrator(here)
    browser = here.browser()
    await browser.post("/api/sign-in", login="admin", password=PASSWORD)
    here.now_s += 601
    assert (await browser.post("/api/sign-in/totp", code=here.code("admin")))["code"] == "ticket"
    await browser.post("/api/sign-in", login="admin", password=PASSWORD)
    browser.change_cookies("entrance")
    assert (await browser.post("/api/sign-in/totp", code=here.code("admin")))["code"] == "ticket"


@pytest.mark.parametrize("login", ["", " ", "x" * 65, "a\0b", "\u202eadmin"])
async def test_a_login_that_is_none_finds_nobody(here: EntranceHere, login: str) -> None:
    status, answer = await here.browser().ask("POST", "/api/sign-in", {"login": login, "password": PASSWORD})
    assert (status, answer["code"]) in ((422, "invalid"), (401, "password"))
